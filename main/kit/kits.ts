import { isWordAt, wordsToAsk } from '../../engine/protocol/recovery-words.ts'
import type { KitView, RecoveryView, Response } from '../api/contract.ts'
import { MainError } from '../api/errors.ts'
import type { Pace } from '../api/pace.ts'
import type { Browsing } from '../jobs/browsing.ts'
import type { JobRecord, JobStore } from '../jobs/store.ts'
import { repositoryUrl } from '../repositories/address.ts'
import { kitNumber, type KitRecord } from '../repositories/kit-record.ts'
import type { RepositoryRecord } from '../repositories/store.ts'
import { keptRuns, type RunHistory } from '../runs/history.ts'
import { isComplete } from '../runs/run-view.ts'
import type { Timers } from '../system/timers.ts'

export interface KitPorts {
  readonly store: Pick<JobStore, 'all' | 'get' | 'repositories'>
  readonly history: Pick<RunHistory, 'page'>
  readonly browsing: Pick<Browsing, 'makeKit' | 'removeKey'>
  readonly timers: Timers
  /** How often words may be typed. */
  readonly guesses: Pick<Pace, 'take'>
  /** Shows the offer of a kit, in place of the one before; undefined: there is none. */
  readonly show: (jobId: string | undefined) => void
  readonly onChange: () => void
}

/** A kit whose words are in memory. */
interface Fresh {
  /** Id of the repository's record. */
  readonly repository: string
  readonly key: string
  readonly words: string
  /** HTML that bears them. */
  readonly page: string
  /** Places of the words that are asked for, from 1. */
  readonly asks: readonly number[]
  readonly cancel: () => void
}

/** Who prints a page types it back at once. */
const keptInMemoryMs = 60 * 60_000
const mostKits = 16

/**
 * The recovery kits of this machine's repositories. Their words are in memory alone, from when a kit is made until somebody has typed some of them from its
 * page, for an hour at most, and for one kit at a time. A kit whose page nobody has got is taken back. One whose page was printed or saved and not checked
 * stays good and is told as not checked: that it lies in a drawer and opens nothing would be found out when it is too late.
 */
export class Kits {
  readonly #ports: KitPorts
  #fresh: Fresh | undefined
  #making = false

  constructor(ports: KitPorts) {
    this.#ports = ports
  }

  /** Undefined before the first backup. */
  view({ repository }: Pick<JobRecord, 'repository'>): RecoveryView | undefined {
    if (repository.repositoryId === undefined) return undefined
    const { id, kits = [] } = repository
    const fresh = this.#fresh?.repository === id ? this.#fresh : undefined
    const given = kits.filter((one) => one.given)
    return {
      kits: given.map((one) => kitView(one, repository)),
      ...(fresh && { fresh: { number: kitNumber(fresh), asks: fresh.asks, given: given.some(({ key }) => key === fresh.key) } }),
    }
  }

  /** Whether there is such a kit, and somebody may have its page. Errors: `not-found`. */
  isGiven({ repository }: Pick<JobRecord, 'repository'>, number: string): boolean {
    return kitOf(repository, number).given === true
  }

  /** Repeated, it makes another. Errors: `not-found` with `data.reason` `no-snapshot`, `busy`, `unsupported`, and what the engine says. */
  async make({ id, repository }: JobRecord): Promise<void> {
    const { store, browsing, timers } = this.#ports
    if (repository.repositoryId === undefined) throw new MainError('not-found', 'There is no backup of this job yet.', { reason: 'no-snapshot' })
    if (this.#making) throw new MainError('busy', 'A recovery kit is being made.', { pace: true })
    if ((repository.kits ?? []).filter((one) => one.given).length >= mostKits) throw new MainError('unsupported', `There are ${mostKits} recovery kits.`, { reason: 'many-kits' })
    this.#making = true
    try {
      this.#forget()
      await this.#takeBackUnseen(id, repository)
      const { key, words, page } = await browsing.makeKit(id)
      const cancel = timers.after(keptInMemoryMs, () => { this.#forget() })
      this.#fresh = { repository: repository.id, key, words, page, asks: wordsToAsk(), cancel }
      const record: KitRecord = { key, madeMs: timers.now(), address: repositoryUrl(repository.destination) }
      await store.repositories.setKits(repository.id, (kits) => [record, ...kits])
    } finally {
      this.#making = false
      this.#ports.onChange()
    }
  }

  /** The page that bears its words. Errors: `not-found`, also where it is not the kit of this key. */
  page(record: Pick<JobRecord, 'repository'>, expected?: string): { readonly key: string; readonly html: string } {
    const { key, page } = this.#freshOf(record)
    if (expected !== undefined && key !== expected) throw gone()
    return { key, html: page }
  }

  /** Somebody has its page now. Nothing happens where it is gone. */
  async given({ repository }: Pick<JobRecord, 'repository'>, key: string): Promise<void> {
    await this.#change(repository.id, key, (one) => ({ ...one, given: true }))
  }

  /** The places of the words that are wrong. With none of them the words are forgotten, and it counts as checked. Errors: `not-found`, `arguments`, `busy`. */
  async check(record: Pick<JobRecord, 'repository'>, typed: readonly string[]): Promise<Response<'kit.check'>> {
    const { key, words, asks } = this.#freshOf(record)
    if (typed.length !== asks.length) throw new MainError('arguments', 'Other words are asked for.', { field: 'words' })
    this.#ports.guesses.take()
    const wrong = asks.filter((place, at) => !isWordAt(words, place, typed[at] ?? ''))
    if (wrong.length > 0) return { wrong }
    await this.#change(record.repository.id, key, (one) => ({ ...one, given: true, checkedMs: this.#ports.timers.now() }))
    this.#forget()
    return { wrong }
  }

  /** Takes its key away. Repeating it is safe until it has worked. Errors: `not-found`, and what the engine says. */
  async revoke({ id, repository }: JobRecord, number: string): Promise<void> {
    const { key } = kitOf(repository, number)
    await this.#ports.browsing.removeKey(id, key)
    if (this.#fresh?.key === key) this.#forget()
    await this.#ports.store.repositories.setKits(repository.id, (kits) => kits.filter((one) => one.key !== key))
    this.#changed()
  }

  /** Offers a kit where a backup is complete and there is none. Calling it more often changes nothing. */
  tick(): void {
    const { store, show } = this.#ports
    show(store.all.find((record) => this.#lacksKit(record))?.id)
  }

  /** Nobody wants to hear of it again, for this repository. */
  async decline(jobId: string): Promise<void> {
    const { store } = this.#ports
    const record = store.all.find(({ id }) => id === jobId)
    if (record) await store.repositories.leaveWithoutKit(record.repository.id)
    this.#changed()
  }

  #lacksKit({ id, repository: { repositoryId, kits = [], kitUnwanted } }: JobRecord): boolean {
    if (repositoryId === undefined || kitUnwanted || kits.some((one) => one.given)) return false
    return this.#ports.history.page(id, keptRuns).runs.some(isComplete)
  }

  #freshOf({ repository }: Pick<JobRecord, 'repository'>): Fresh {
    if (this.#fresh?.repository !== repository.id) throw gone()
    return this.#fresh
  }

  /** Keys of kits that nobody has got: somebody gave up, or the app ended. One that cannot be taken back now is tried again with the next. */
  async #takeBackUnseen(jobId: string, { id, kits = [] }: RepositoryRecord): Promise<void> {
    const { browsing, store } = this.#ports
    for (const { key } of kits.filter((one) => !one.given)) {
      await browsing.removeKey(jobId, key)
      await store.repositories.setKits(id, (now) => now.filter((one) => one.key !== key))
    }
  }

  async #change(repository: string, key: string, change: (one: KitRecord) => KitRecord): Promise<void> {
    await this.#ports.store.repositories.setKits(repository, (kits) => kits.map((one) => (one.key === key ? change(one) : one)))
    this.#changed()
  }

  #changed(): void {
    this.tick()
    this.#ports.onChange()
  }

  #forget(): void {
    this.#fresh?.cancel()
    this.#fresh = undefined
    this.#ports.onChange()
  }
}

function kitOf({ kits = [] }: RepositoryRecord, number: string): KitRecord {
  const found = kits.find((one) => kitNumber(one) === number)
  if (!found) throw gone()
  return found
}

function gone(): MainError {
  return new MainError('not-found', 'There is no such recovery kit any more.', { reason: 'kit' })
}

function kitView(kit: KitRecord, { destination }: RepositoryRecord): KitView {
  const { madeMs, checkedMs, address } = kit
  return { number: kitNumber(kit), madeMs, moved: address !== repositoryUrl(destination), ...(checkedMs !== undefined && { checkedMs }) }
}
