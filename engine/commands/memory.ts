import { fromText, toShown } from '../base/byte-string.ts'
import { assertNever, HoldfastError } from '../base/errors.ts'
import { openMarks, type MarkStore } from '../catalog/marks.ts'
import type { EngineJob } from '../protocol/job.ts'
import type { KnownRepository, KnownRevision } from '../protocol/known.ts'
import type { Problem } from '../protocol/progress.ts'
import { contradictionOf, refOf, type Contradiction } from '../repository/protocol/known.ts'
import { forEachAtOnce } from '../repository/protocol/listing.ts'
import { revisionKey, type SnapshotRef } from '../repository/protocol/names.ts'
import type { Decision } from '../repository/protocol/records.ts'
import type { RevisionMemory } from '../repository/protocol/revision-memory.ts'
import type { Repository } from '../repository/repository.ts'
import type { CommandContext } from './context.ts'

/** Something that was seen in the repository and is not there as it was. */
export interface Missed {
  readonly known: KnownRevision
  readonly how: Contradiction
}

/** What a job says of a repository that is not the one, or not as new, as this machine knows. */
type Expectations = Pick<EngineJob, 'home' | 'known' | 'expectRepositoryId' | 'acceptOlderRepository' | 'acceptOtherRepository'>

/** Known revisions are asked for this many at a time. */
const atOnce = 8

/** A machine that only reads tells itself again once a day that it has. */
const seenAgainMs = 24 * 3_600_000

/**
 * What this machine remembers of an opened repository (rule R11). Learns from whatever a command reads, unless the repository contradicts what is
 * known: then nothing is learned until somebody accepts that.
 */
export class RepositoryMemory implements RevisionMemory, Disposable {
  readonly #marks: MarkStore
  readonly #repository: Repository
  readonly #context: CommandContext
  readonly #expects: Expectations
  readonly #keeps: boolean
  readonly #known: Map<string, KnownRevision>
  readonly #unwritten = new Set<string>()
  #isContradicted = false

  constructor(marks: MarkStore, repository: Repository, expects: Expectations, context: CommandContext, keeps: boolean) {
    this.#marks = marks
    this.#repository = repository
    this.#context = context
    this.#expects = expects
    this.#keeps = keeps
    this.#known = new Map(marks.revisions(this.#id).map((known) => [keyOf(known), known]))
  }

  known(jobKey?: string): readonly KnownRevision[] {
    const all = [...this.#known.values()]
    return jobKey === undefined ? all : all.filter((known) => known.jobKey === jobKey)
  }

  /** Other machines that use the job's name. */
  otherHosts(jobKey: string, host: string): readonly string[] {
    return this.known(jobKey).flatMap((known) => (known.host === host || known.host === '' ? [] : [known.host]))
  }

  floor(jobKey: string): number {
    return this.#marks.floor(this.#id, jobKey)
  }

  seen(ref: SnapshotRef, decision: Decision | { readonly type: 'deleted' | 'expired' }): void {
    if (this.#isContradicted) return
    const seen = this.#revisionOf(ref, decision)
    const before = this.#known.get(keyOf(seen))
    if (before && !isNews(before, seen)) return
    this.#known.set(keyOf(seen), seen)
    this.#unwritten.add(keyOf(seen))
  }

  /** A session has this revision: nobody here gives it out again, however the session ends. On the disk when it returns. */
  announced({ jobKey, revision }: SnapshotRef): void {
    if (this.#keeps) this.#marks.raiseFloor(this.#id, { jobKey, revision })
  }

  /** Writes down what was learned. */
  keep(): void {
    for (const key of this.#keeps ? this.#unwritten : []) {
      const known = this.#known.get(key)
      if (known) this.#marks.see(this.#id, known)
    }
    this.#unwritten.clear()
  }

  /**
   * What the repository lacks of what is known, of one job or of all; nothing where that was accepted, which is from now on so.
   * Errors: those of the storage.
   */
  async missed(signal: AbortSignal, jobKey?: string): Promise<readonly Missed[]> {
    const missed: Missed[] = []
    await forEachAtOnce(this.known(jobKey), atOnce, async (known) => {
      const how = await contradictionOf(this.#repository, known, signal)
      if (how) missed.push({ known, how })
    })
    missed.sort((a, b) => (keyOf(a.known) < keyOf(b.known) ? -1 : 1))
    this.#isContradicted = missed.length > 0
    if (missed.length === 0 || this.#expects.acceptOlderRepository !== true) return missed
    this.#giveUp(missed)
    return []
  }

  /** Errors: `rolled-back` when the repository lacks something that is known, and nobody has accepted that; those of the storage. */
  async require(signal: AbortSignal, jobKey?: string): Promise<void> {
    const missed = await this.missed(signal, jobKey)
    if (missed.length > 0) throw rolledBack(missed)
  }

  /** For a command that only looks: tells what is lacking as problems. @returns it. Errors: those of the storage. */
  async warn(signal: AbortSignal): Promise<readonly Missed[]> {
    const missed = await this.missed(signal)
    for (const each of missed.map(problemOf)) this.#context.events.problem(each)
    return missed
  }

  export(): KnownRepository {
    this.keep()
    return this.#marks.export(this.#id)
  }

  [Symbol.dispose](): void {
    try {
      this.keep()
    } finally {
      this.#marks[Symbol.dispose]()
    }
  }

  get #id(): string {
    return this.#repository.config.repositoryId
  }

  #giveUp(missed: readonly Missed[]): void {
    for (const { known } of missed) this.#known.delete(keyOf(known))
    if (this.#keeps) this.#marks.giveUp(this.#id, missed.map(({ known }) => known))
    this.#isContradicted = false
    for (const { known } of missed) this.#context.log.write('warning', `Accepted: the repository is without ${describe(known)}.`)
  }

  /** A tombstone does not say whose snapshot it was; who has seen that one knows. */
  #revisionOf({ jobKey, revision, suffix }: SnapshotRef, decision: Decision | { readonly type: 'deleted' | 'expired' }): KnownRevision {
    const seen = { jobKey, revision, suffix, nonce: 'nonce' in decision ? decision.nonce : '', seenMs: this.#context.clock.now() }
    if (decision.type === 'manifest') {
      const { host, job, finishedMs } = decision.manifest
      return { ...seen, host, job, state: 'snapshot', finishedMs }
    }
    const before = this.known(jobKey).find((known) => known.revision === revision && known.suffix === suffix)
    const { host = '', job = '', finishedMs = 0, nonce = seen.nonce } = before ?? {}
    return { ...seen, host, job, finishedMs, nonce, state: decision.type }
  }
}

/**
 * Opens what this machine remembers of a repository that was opened at its address. With `keeps` false nothing is written down.
 * Errors: `another-repository`; `full`, `denied`, `catalog`.
 */
export function openMemory(job: Expectations, repository: Repository, context: CommandContext, keeps = true): RepositoryMemory {
  const { repositoryId } = repository.config
  const { marks, recreated } = openMarks(job.home)
  try {
    if (recreated) context.log.write('warning', 'What this machine had seen of repositories was damaged and is lost: an older state of one would not be told.')
    expectAtAddress(job, marks, repository, context, keeps)
    if (keeps && job.known?.repositoryId === repositoryId) marks.merge(job.known)
    return new RepositoryMemory(marks, repository, job, context, keeps)
  } catch (error) {
    marks[Symbol.dispose]()
    throw error
  }
}

/** Several may take turns at an address, as disks do at one mount point; one that was never there has to be accepted. */
function expectAtAddress(job: Expectations, marks: MarkStore, { backend, config }: Repository, context: CommandContext, keeps: boolean): void {
  const known = marks.repositoriesAt(backend.label)
  const isExpected = job.expectRepositoryId !== undefined || job.acceptOtherRepository === true || known.length === 0 || known.includes(config.repositoryId)
  if (!isExpected) {
    throw new HoldfastError('another-repository', `The repository at ${backend.label} is another one than last time.`, {
      data: { expected: known[0] ?? '', found: config.repositoryId, place: 'address' },
    })
  }
  if (keeps && known[0] !== config.repositoryId) marks.rememberAddress(backend.label, config.repositoryId, context.clock.now())
}

export function rolledBack(missed: readonly Missed[]): HoldfastError {
  const [first] = missed
  const more = missed.length > 1 ? ` So are ${missed.length - 1} more.` : ''
  const words = first ? wordsOf(first) : ''
  return new HoldfastError('rolled-back', `The repository is older than what this machine has seen of it: ${words}.${more} Nothing was changed.`, {
    data: { snapshot: first ? idOf(first.known) : '', count: missed.length },
  })
}

/** As a command that goes on tells it. */
export function problemOf(missed: Missed): Problem {
  return { code: 'rolled-back', path: idOf(missed.known), message: `The repository is older than what this machine has seen of it: ${wordsOf(missed)}.` }
}

/** `JOB@REV`; the job's name is not known where only a tombstone was seen. */
export function idOf(known: KnownRevision): string {
  return `${known.job === '' ? '?' : toShown(fromText(known.job))}@${revisionKey(refOf(known))}`
}

export function wordsOf({ known, how }: Missed): string {
  switch (how) {
    case 'gone': return `${describe(known)} was here and is gone`
    case 'replaced': return `another snapshot is in the place of ${describe(known)}`
    case 'undone': return `${describe(known)} was forgotten and is back`
    default: return assertNever(how)
  }
}

function describe(known: KnownRevision): string {
  const id = idOf(known)
  if (known.host === '') return `the record of ${id}`
  const when = new Date(known.finishedMs)
  const time = Number.isNaN(when.getTime()) ? '' : ` of ${when.toLocaleString('sv-SE')}`
  return `${id}${time} (${toShown(fromText(known.host))})`
}

function keyOf({ jobKey, host }: KnownRevision): string {
  return `${jobKey} ${host}`
}

function isNews(before: KnownRevision, seen: KnownRevision): boolean {
  if (seen.revision !== before.revision) return seen.revision > before.revision
  const isSame = seen.suffix === before.suffix && seen.nonce === before.nonce && before.state === 'snapshot'
  return isSame && (seen.state !== before.state || seen.seenMs - before.seenMs > seenAgainMs)
}
