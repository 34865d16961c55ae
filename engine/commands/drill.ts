import { join } from 'node:path'
import { statfsSync } from 'node:fs'
import { toHex } from '../base/bytes.ts'
import { HeapKeeper, keepNativeMemorySmall } from '../base/memory.ts'
import { diskError } from '../base/disk-error.ts'
import { jobKeyOf } from '../repository/keys.ts'
import { systemRandom } from '../repository/crypto.ts'
import { writeDrill } from '../repository/protocol/proofs.ts'
import { listSnapshots, snapshotId } from '../repository/protocol/snapshots.ts'
import { seededChance } from '../snapshot/sampling.ts'
import type { DrillDetails, DrillProof } from '../protocol/drill.ts'
import type { DrillJob } from '../protocol/job.ts'
import { noCounters, type Problem, type RunSummary } from '../protocol/progress.ts'
import type { CommandContext } from './context.ts'
import { DrillRun, type Tried } from './drill/run.ts'
import { chooseSnapshots, type DrillSnapshot } from './drill/sample.ts'
import { openScratch } from './drill/scratch.ts'
import { hostOf } from './host.ts'
import { openForCommand, type OpenRepository } from './open.ts'
import { plainSummary } from './plain-summary.ts'
import { readerOf } from './reader.ts'
import { RestoreProgress } from './restore/restore-progress.ts'

const standardFiles = 25
const standardBytes = 128 * 1024 * 1024

/** Proofs that the repository keeps. */
const keptProofs = 100

/**
 * A restore drill: takes files of some snapshots by chance, likelier the older and larger they are, restores them from the storage into a folder that
 * is removed afterwards, with nothing but the password and what the storage holds, and compares each on the disk with its recorded blobs, and with its
 * source where that is unchanged on this machine. The proof is kept in the repository. Broken off, it leaves nothing, or what the next one removes.
 * Outcome `failed` when a file cannot be restored as it was stored; `warnings` when a source that seems unchanged is not what was stored; `unchanged`
 * when there is nothing to restore. Errors: `busy` (a drill is under way on this machine), `full`, `rolled-back`, those of opening a repository.
 */
export async function drill(job: DrillJob, context: CommandContext): Promise<RunSummary> {
  const startedMs = context.clock.now()
  await keepNativeMemorySmall()
  using _heap = new HeapKeeper()
  const told: Told = new Map()
  const quiet = quietly(context, told)
  using progress = new RestoreProgress(quiet, 'drill')
  await using open = await openForCommand(job, { ...context, meter: progress.meter })
  await open.memory.require(context.signal)
  const { tried, details } = await hold(open, job, { progress, told }, quiet)
  for (const problem of tried.problems) {
    context.log.with({ file: problem.path }).write('warning', problem.message)
    context.events.problem(problem)
  }
  return {
    ...plainSummary('drill', startedMs, context.clock.now(), open.traffic, {
      outcome: outcomeOf(details.proof), problems: tried.problems.length, firstProblems: tried.problems.slice(0, 100), repositoryId: open.repository.config.repositoryId, details,
    }),
    files: { ...noCounters, found: tried.files, uploaded: tried.files - tried.failed },
    bytes: { ...noCounters, found: tried.bytes, uploaded: tried.bytes },
  }
}

type WhatToTry = Pick<DrillJob, 'repository' | 'concurrency' | 'home' | 'host' | 'name' | 'files' | 'bytes' | 'seed'>

/** What a drill came to. */
export interface Drilled {
  readonly details: DrillDetails
  readonly problems: readonly Problem[]
}

/** The same in a repository that is open and whose memory was asked. Errors: as `drill`. */
export async function drillIn(open: OpenRepository, job: WhatToTry, context: CommandContext): Promise<Drilled> {
  const told: Told = new Map()
  const quiet = quietly(context, told)
  using progress = new RestoreProgress({ ...quiet, events: { ...quiet.events, progress: () => undefined } }, 'drill')
  const { tried, details } = await hold(open, job, { progress, told }, quiet)
  return { details, problems: tried.problems }
}

/** What a restore said of single files. */
type Told = Map<string, string>

/** What a restore says of single files, the drill tells in its own words. */
function quietly(context: CommandContext, told: Told): CommandContext {
  const { events } = context
  return {
    ...context,
    events: {
      progress: (progress) => { events.progress(progress) },
      transfer: (transfer) => { events.transfer(transfer) },
      problem: ({ path, message }) => { told.set(path, message) },
    },
  }
}

async function hold(
  open: OpenRepository, job: WhatToTry, { progress, told }: { readonly progress: RestoreProgress, readonly told: Told }, context: CommandContext,
): Promise<{ readonly tried: Tried, readonly details: DrillDetails }> {
  const { clock, signal } = context
  const startedMs = clock.now()
  const seed = job.seed ?? toHex(systemRandom(8))
  progress.phase('scanning')
  using scratch = openScratch(job.home, systemRandom)
  const home = join(scratch.path, 'home')
  await using reader = await readerOf(open, home, context)
  const chance = seededChance(seed)
  const snapshots = chooseSnapshots(await readable(open, job, signal), chance)
  const run = new DrillRun({ job, context, reader, progress, told, home, folder: join(scratch.path, 'files') })
  const bytes = Math.min(job.bytes ?? standardBytes, fittingBytes(scratch.path))
  const tried = await run.run(snapshots, { files: job.files ?? standardFiles, bytes, chance, nowMs: startedMs })
  const proof = proofOf(tried, snapshots, { host: hostOf(job), startedMs, finishedMs: clock.now() })
  if (proof) await writeDrill(open.repository, proof, keptProofs, systemRandom, signal)
  return { tried, details: { seed, ...(proof ? { proof } : {}) } }
}

async function readable({ repository, memory }: OpenRepository, { name }: WhatToTry, signal: AbortSignal): Promise<readonly DrillSnapshot[]> {
  const found: DrillSnapshot[] = []
  const scope = name === undefined ? {} : { jobKey: jobKeyOf(repository.keys, name) }
  for await (const entry of listSnapshots(repository, { ...scope, memory }, signal)) if (entry.type === 'snapshot' && entry.confirmed) found.push(entry)
  return found
}

/** A drill takes half of what is free at most. */
function fittingBytes(path: string): number {
  try {
    const { bavail, bsize } = statfsSync(path)
    return Math.floor((bavail * bsize) / 2)
  } catch (error) {
    throw diskError(error, path)
  }
}

function proofOf(tried: Tried, snapshots: readonly DrillSnapshot[], facts: Pick<DrillProof, 'host' | 'startedMs' | 'finishedMs'>): DrillProof | undefined {
  const { files, bytes, compared, failed, differing } = tried
  if (files === 0 && failed === 0) return undefined
  return {
    ...facts, files, bytes, compared, failed,
    result: failed > 0 ? 'failed' : differing > 0 ? 'warnings' : 'passed',
    snapshots: snapshots.map(({ manifest, ref }) => snapshotId(manifest, ref)),
  }
}

function outcomeOf(proof: DrillProof | undefined): RunSummary['outcome'] {
  if (!proof) return 'unchanged'
  return proof.result === 'passed' ? 'success' : proof.result
}
