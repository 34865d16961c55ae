import { HeapKeeper, keepNativeMemorySmall } from '../base/memory.ts'
import { openCatalog, type Catalog } from '../catalog/catalog.ts'
import { spoolFolder } from '../catalog/paths.ts'
import { systemRandom } from '../repository/crypto.ts'
import type { Traffic } from '../progress/traffic.ts'
import { refOf } from '../repository/protocol/known.ts'
import { snapshotName } from '../repository/protocol/names.ts'
import type { UnreadableAnnotation } from '../repository/protocol/annotations.ts'
import type { UnreadableRecord } from '../repository/protocol/retired.ts'
import { spoolPacks } from '../repository/protocol/spool-packs.ts'
import type { CheckJob } from '../protocol/job.ts'
import type { Problem, RunSummary } from '../protocol/progress.ts'
import { checkSnapshots } from './check/closure.ts'
import type { VerificationDates } from '../catalog/pack-table.ts'
import type { DrillProof } from '../protocol/drill.ts'
import { readDataPacks, readTreePacks } from './check/contents.ts'
import { affectedProblem, Findings } from './check/findings.ts'
import type { AffectedPath, Damage } from './check/findings.ts'
import { checkAnnotations, checkIndexes, checkPacks, checkProofs, checkRecords } from './check/inventory.ts'
import type { IndexFindings, Proofs } from './check/inventory.ts'
import { removeProofs, repairAnnotations, repairIndexes, repairRecords, retireDamagedPacks } from './check/repair.ts'
import type { Repair } from './check/repair.ts'
import { CheckRun } from './check/run.ts'
import { repairFromSources } from './check/source-repair.ts'
import type { CommandContext } from './context.ts'
import { hostOf } from './host.ts'
import { idOf, wordsOf, type Missed } from './memory.ts'
import { openForCommand } from './open.ts'
import type { OpenRepository, OpenStorage } from './open.ts'
import { plainSummary } from './plain-summary.ts'
import { StepProgress } from './step-progress.ts'

/** Name of the catalog that checks use; it remembers when each pack was read last. */
const checkCatalog = 'check'

/** `details` of a check's summary. */
export interface CheckDetails {
  readonly snapshots: number
  readonly packsRead: number
  /** The first 10,000. */
  readonly damages: readonly Damage[]
  readonly damageCount: number
  /** The first 10,000. */
  readonly affected: readonly AffectedPath[]
  readonly affectedCount: number
  readonly repair?: Repair
  /** When packs were read back, by anybody, after this check. */
  readonly verification: VerificationDates
  /** The last restore drill, if there was one. */
  readonly drill?: DrillProof
}

/**
 * Finds every missing, truncated, changed or misplaced object, and the snapshots and files that suffer from it. Structure is always
 * checked to the byte; of the data as many packs as asked for. With `repair`, writes new index objects, keeps backups from building
 * upon damaged packs, stores chunks again that the sources on this machine still have, and tells what remains; without, changes nothing.
 * Outcome `failed` when a file of a snapshot cannot be restored, or a snapshot that this machine has seen is gone; `warnings` for damage that costs no file.
 * Errors: `rolled-back` for a repair of a repository that is older than it was; those of opening a repository.
 */
export async function check(job: CheckJob, context: CommandContext): Promise<RunSummary> {
  const startedMs = context.clock.now()
  await keepNativeMemorySmall()
  using _heap = new HeapKeeper()
  await using open = await openForCommand(job, context)
  const { repositoryId } = open.repository.config
  using catalog = openCatalog(job.home, repositoryId, checkCatalog).catalog
  const progress = new StepProgress(context, open.meter)
  const findings = toldFindings(progress, context)
  const run = new CheckRun(open, catalog, findings, progress, startedMs)
  if (job.repair) await open.memory.require(context.signal)
  const lost = await open.memory.missed(context.signal)
  const checked = await checkAll(run, job.readDataPercent, context.signal)
  const { snapshots, packsRead, proofs: { lastDrill } } = checked
  const repair = job.repair ? await repairAll(run, checked, job, open, context) : undefined
  for (const each of lost) recordLost(findings, each)
  const details: CheckDetails = {
    snapshots, packsRead, damages: findings.damages, damageCount: findings.damageCount, affected: findings.affected, affectedCount: findings.affectedCount,
    ...(repair ? { repair } : {}),
    verification: catalog.packs.verificationDates(),
    ...(lastDrill ? { drill: lastDrill } : {}),
  }
  return summary(findings, details, repositoryId, open.traffic, startedMs, context.clock.now())
}

/** What a check of the structure found. */
export interface StructureFindings {
  readonly snapshots: number
  readonly damageCount: number
  readonly affectedCount: number
}

/**
 * Checks the structure in a repository that is open, and reads all packs of trees.
 * @param catalog no other check uses it meanwhile
 * @param onFinding gets each finding once, beside whoever listens to the run
 */
export async function checkIn(open: OpenRepository, catalog: Catalog, onFinding: (problem: Problem) => void, progress: StepProgress, context: CommandContext): Promise<StructureFindings> {
  const findings = toldFindings(progress, context, onFinding)
  const run = new CheckRun(open, catalog, findings, progress, context.clock.now())
  using _missing = run.missing
  const { snapshots, index } = await checkAll(run, 0, context.signal)
  using _indexed = index.indexed
  return { snapshots, damageCount: findings.damageCount, affectedCount: findings.affectedCount }
}

function toldFindings(progress: StepProgress, context: CommandContext, onFinding: (problem: Problem) => void = () => undefined): Findings {
  return new Findings((problem) => {
    context.log.with({ file: problem.path }).write('warning', problem.message)
    context.events.problem(problem)
    progress.problem()
    onFinding(problem)
  })
}

/** A snapshot that was here cannot be restored any more, however whole the others are. */
function recordLost(findings: Findings, missed: Missed): void {
  findings.damage({ object: snapshotName(refOf(missed.known)), problem: missed.how === 'gone' ? 'missing' : 'contradicts', message: `The repository is older than what this machine has seen of it: ${wordsOf(missed)}.` })
  findings.affect(idOf(missed.known), '')
}

interface Checked {
  readonly snapshots: number
  readonly packsRead: number
  readonly index: IndexFindings
  readonly records: readonly UnreadableRecord[]
  readonly annotations: readonly UnreadableAnnotation[]
  readonly proofs: Proofs
}

async function checkAll(run: CheckRun, readDataPercent: number, signal: AbortSignal): Promise<Checked> {
  run.progress.phase('scanning')
  await checkPacks(run, signal)
  const index = await checkIndexes(run, signal)
  run.progress.phase('working')
  await readTreePacks(run, signal)
  const records = await checkRecords(run, signal)
  const annotations = await checkAnnotations(run, signal)
  const proofs = await checkProofs(run, signal)
  const packsRead = await readDataPacks(run, readDataPercent, signal)
  run.progress.phase('verifying')
  return { snapshots: await checkSnapshots(run, signal), packsRead, index, records, annotations, proofs }
}

/** Repairs, then follows the snapshots again: what is told as affected is what remains. */
async function repairAll(run: CheckRun, { index, records, annotations, proofs }: Checked, job: CheckJob, open: OpenStorage, context: CommandContext): Promise<Repair> {
  const { signal } = context
  const { backend, config, keys } = run.repository
  run.progress.phase('finishing')
  const folder = (await backend.openStaging?.('', signal))?.path ?? spoolFolder(job.home, config.repositoryId, checkCatalog)
  const indexes = await repairIndexes(run, index, signal)
  const removedAnnotations = await repairAnnotations(run, annotations, signal)
  await removeProofs(run, proofs.unreadable, signal)
  const retiredPacks = (await repairRecords(run, records, signal)) + (await retireDamagedPacks(run, signal))
  const restoredBlobs = run.findings.affectedCount > 0 ? await repairFromSources(run, hostOf(job), spoolPacks(folder, keys, systemRandom), open.retry, signal) : 0
  if (restoredBlobs > 0) {
    run.findings.forgetAffected()
    await checkSnapshots(run, signal)
  }
  return { ...indexes, retiredPacks, restoredBlobs, ...(removedAnnotations > 0 ? { removedAnnotations } : {}) }
}

function summary(findings: Findings, details: CheckDetails, repositoryId: string, traffic: Traffic, startedMs: number, finishedMs: number): RunSummary {
  const firstProblems = findings.affected.slice(0, 100).map(affectedProblem)
  return plainSummary('check', startedMs, finishedMs, traffic, {
    outcome: findings.affectedCount > 0 ? 'failed' : findings.damageCount > 0 ? 'warnings' : 'success',
    problems: findings.damageCount + findings.affectedCount, firstProblems, repositoryId, details,
  })
}
