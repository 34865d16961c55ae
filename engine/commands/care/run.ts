import { hasCode, type HoldfastError } from '../../base/errors.ts'
import type { Catalog } from '../../catalog/catalog.ts'
import type { CareWork } from '../../catalog/care-ledger.ts'
import type { CareDetails } from '../../protocol/care.ts'
import type { HeldJob } from '../../protocol/changes.ts'
import type { CareJob } from '../../protocol/job.ts'
import type { Problem } from '../../protocol/progress.ts'
import { systemRandom } from '../../repository/crypto.ts'
import { packObject } from '../../repository/names.ts'
import { writeVerified } from '../../repository/protocol/proofs.ts'
import { checkIn } from '../check.ts'
import type { CommandContext } from '../context.ts'
import { drillIn } from '../drill.ts'
import { forgetIn } from '../forget.ts'
import type { OpenRepository } from '../open.ts'
import { pruneIn } from '../prune.ts'
import { StepProgress } from '../step-progress.ts'
import { mergeVerifiedDates } from '../verified-dates.ts'
import { dailyBudget, whatIsDue, type Due } from './budget.ts'
import { listUsable, verifyPacks, type VerifiedPacks } from './verify-packs.ts'

const keptProblems = 100
/** A drill of care; the rest of the budget is for reading packs back. */
const mostDrilledBytes = 64 * 1024 * 1024

interface CareParts {
  readonly job: CareJob
  readonly context: CommandContext
  readonly open: OpenRepository
  readonly catalog: Catalog
  /** ms since 1970. */
  readonly startedMs: number
}

type Pruned = Pick<CareDetails, 'prune' | 'deletedPacks' | 'freedBytes'>
type Checked = Pick<CareDetails, 'structure' | 'snapshots' | 'damageCount' | 'affectedCount'>
type Drilled = Pick<CareDetails, 'drill' | 'drilledFiles' | 'drilledBytes'>

interface Looked {
  readonly checked: Checked
  readonly drilled: Drilled
  readonly verified: VerifiedPacks
}

/** One run of care: its steps in their order, and the account of what they cost. */
export class CareRun {
  /** The first 100. */
  readonly problems: Problem[] = []
  problemCount = 0
  readonly #parts: CareParts
  readonly #budget: CareWork
  readonly #progress: StepProgress
  #accounted: CareWork
  /** By the snapshot since which, as they are met. */
  readonly #held = new Map<string, HeldJob>()

  constructor(parts: CareParts) {
    this.#parts = parts
    this.#budget = dailyBudget(parts.job, parts.open.repository.backend.traits.distance)
    this.#progress = new StepProgress(parts.context, parts.open.meter)
    this.#accounted = this.#spent
  }

  /** Errors: those of the storage; what is damaged is told and ends only its own step. */
  async run(): Promise<CareDetails> {
    const { context: { clock }, catalog, startedMs } = this.#parts
    try {
      const forgotten = await this.#forget()
      const last = { prune: catalog.care.last('prune', startedMs), check: catalog.care.last('check', startedMs), drill: catalog.care.last('drill', startedMs) }
      const due = whatIsDue(last, catalog.care.wantsPrune, startedMs)
      let begun: Promise<Looked> | undefined
      const looked = (): Promise<Looked> => (begun ??= this.#look(due))
      const pruned = await this.#prune(due.prune, async () => { await looked() })
      const { checked, drilled, verified } = await looked()
      this.#account()
      return {
        forgotten, ...pruned, ...checked, ...drilled, verifiedPacks: verified.packs, verifiedBytes: verified.bytes, ...catalog.packs.verificationDates(),
        ...(this.#held.size > 0 ? { held: [...this.#held.values()] } : {}),
        left: catalog.care.left(this.#budget, clock.now()),
      }
    } finally {
      this.#account()
    }
  }

  /** All that changes nothing. */
  async #look(due: Due): Promise<Looked> {
    const checked = await this.#check(due.check)
    const drilled = await this.#drill(due.drill)
    return { checked, drilled, verified: await this.#verify(checked.structure === 'done') }
  }

  /** A run that is killed in between leaves the wish for a prune behind: it is there before anything is forgotten. */
  async #forget(): Promise<string[]> {
    const { job, context, open, catalog: { care } } = this.#parts
    const forgotten: string[] = []
    for (const retention of job.retention) {
      const wanted = care.wantsPrune
      care.wantsPrune = true
      const host = job.host === undefined ? {} : { host: job.host }
      const details = await forgetIn(open, { ...retention, ...host, home: job.home, snapshots: [], dryRun: false, ...this.#despiteUnusual }, this.#progress, context)
      care.wantsPrune = wanted || details.forgotten.length > 0
      forgotten.push(...details.forgotten)
      this.#keepHeld(details.held)
    }
    this.#account()
    return forgotten
  }

  /** @param meanwhile while a backup elsewhere is still under way */
  async #prune(isDue: boolean, meanwhile: () => Promise<void>): Promise<Pruned> {
    const { job, context, open, catalog: { care }, startedMs } = this.#parts
    const nothing = { deletedPacks: 0, freedBytes: 0 }
    if (!isDue) return { prune: 'not due', ...nothing }
    if (!this.#mayGoOn) return { prune: 'no budget', ...nothing }
    try {
      const { minimumAgeMs, expireAfterMs } = job
      const end = await pruneIn(open, {
        home: job.home, dryRun: false, ...this.#despiteUnusual,
        ...(minimumAgeMs === undefined ? {} : { minimumAgeMs }),
        ...(expireAfterMs === undefined ? {} : { expireAfterMs }),
      }, this.#progress, context, meanwhile)
      if (end.type === 'held') {
        this.#keepHeld(end.details.held)
        return { prune: 'held', ...nothing }
      }
      const { details: { plan, result }, outcome } = end
      const isWaiting = result?.outcome === 'waiting'
      // What cannot be read is told by the check of the structure, and by whoever needs it.
      if (outcome === 'warnings' && !isWaiting) this.#problem('packs', `${plan.unreadable.length + (result?.damagedPacks ?? 0)} packs cannot be read, and stay. Run a check.`)
      if (!isWaiting) {
        care.setLast('prune', startedMs)
        care.wantsPrune = false
      }
      return { prune: isWaiting ? 'waiting' : 'done', deletedPacks: result?.deletedPacks ?? 0, freedBytes: Math.max(0, (result?.deletedBytes ?? 0) - (result?.copiedBytes ?? 0)) }
    } catch (error) {
      if (!hasCode(error, 'damaged', 'version')) throw error
      this.#problem(objectOf(error), error.message)
      return { prune: 'failed', ...nothing }
    } finally {
      this.#account()
    }
  }

  async #check(isDue: boolean): Promise<Checked> {
    const { context, open, catalog, startedMs } = this.#parts
    const nothing = { snapshots: 0, damageCount: 0, affectedCount: 0 }
    if (!isDue) return { structure: 'not due', ...nothing }
    if (!this.#mayGoOn) return { structure: 'no budget', ...nothing }
    const { snapshots, damageCount, affectedCount } = await checkIn(open, catalog, (problem) => { this.#keep(problem) }, this.#progress, context)
    catalog.care.setLast('check', startedMs)
    this.#account()
    return { structure: 'done', snapshots, damageCount, affectedCount }
  }

  /** Some files are restored from the storage and compared, whoever's they are. */
  async #drill(isDue: boolean): Promise<Drilled> {
    const { job: { repository, concurrency, home, host }, context, open, catalog: { care }, startedMs } = this.#parts
    const nothing = { drilledFiles: 0, drilledBytes: 0 }
    if (!isDue) return { drill: 'not due', ...nothing }
    if (!this.#mayGoOn) return { drill: 'no budget', ...nothing }
    const bytes = Math.min(mostDrilledBytes, care.left(this.#budget, context.clock.now()).bytes)
    try {
      const { details: { proof }, problems } = await drillIn(open, { repository, concurrency, home, ...(host === undefined ? {} : { host }), bytes }, context)
      for (const { path, message } of problems) this.#problem(path, message)
      care.setLast('drill', startedMs)
      return proof ? { drill: proof.result, drilledFiles: proof.files, drilledBytes: proof.bytes } : { drill: 'nothing', ...nothing }
    } catch (error) {
      // Somebody holds one on this machine at this moment.
      if (hasCode(error, 'busy')) return { drill: 'not due', ...nothing }
      if (!hasCode(error, 'full')) throw error
      context.log.write('warning', error.message)
      return { drill: 'no room', ...nothing }
    } finally {
      this.#account()
    }
  }

  /** @param isNews folders were read too. The dates go into the repository, so that other machines, and this one when it has lost its catalog, know them. */
  async #verify(isNews: boolean): Promise<VerifiedPacks> {
    const { context: { signal }, open: { repository }, catalog, startedMs } = this.#parts
    await listUsable(repository, catalog, signal)
    const { read: merged } = await mergeVerifiedDates(repository, catalog, startedMs, signal)
    this.#progress.phase('verifying')
    const verified = await this.#readBack()
    if (verified.packs > 0 || isNews || merged.length > 1) await writeVerified(repository, catalog.packs.verified(), merged, systemRandom, signal)
    return verified
  }

  async #readBack(): Promise<VerifiedPacks> {
    const { context: { signal }, open: { repository }, catalog, startedMs } = this.#parts
    return verifyPacks({
      repository, catalog, progress: this.#progress, startedMs,
      mayGoOn: () => this.#mayGoOn,
      onPack: () => { this.#account() },
      onDamage: (pack, error) => { this.#problem(packObject(pack), `A pack that was read back is damaged: ${error.message} Run a check.`) },
    }, signal)
  }

  get #mayGoOn(): boolean {
    const { catalog: { care }, context: { clock } } = this.#parts
    this.#account()
    const left = care.left(this.#budget, clock.now())
    return left.bytes > 0 && left.ms > 0
  }

  get #spent(): CareWork {
    const { open: { traffic }, context: { clock } } = this.#parts
    return { bytes: traffic.uploadedBytes + traffic.downloadedBytes, ms: clock.monotonic() }
  }

  /** Writes down what was spent since it was last written down: whatever ends the run, the day knows. */
  #account(): void {
    const { catalog: { care }, context: { clock } } = this.#parts
    const spent = this.#spent
    const work = { bytes: spent.bytes - this.#accounted.bytes, ms: spent.ms - this.#accounted.ms }
    this.#accounted = spent
    care.spend(work, this.#budget, clock.now())
  }

  get #despiteUnusual(): { readonly despiteUnusual?: true } {
    return this.#parts.job.despiteUnusual ? { despiteUnusual: true } : {}
  }

  #keepHeld(held: readonly HeldJob[] = []): void {
    for (const each of held) this.#held.set(`${each.host}\0${each.since}`, each)
  }

  #problem(path: string, message: string): void {
    const problem: Problem = { code: 'damaged', path, message }
    this.#parts.context.log.with({ file: path }).write('warning', message)
    this.#parts.context.events.problem(problem)
    this.#progress.problem()
    this.#keep(problem)
  }

  #keep(problem: Problem): void {
    this.problemCount++
    if (this.problems.length < keptProblems) this.problems.push(problem)
  }
}

function objectOf({ data }: HoldfastError): string {
  const object = data?.['object'] ?? data?.['pack']
  return typeof object === 'string' ? object : 'prune'
}
