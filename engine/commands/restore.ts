import { fromText } from '../base/byte-string.ts'
import { asHoldfastError } from '../base/errors.ts'
import { HeapKeeper, keepNativeMemorySmall } from '../base/memory.ts'
import type { RestoreJob } from '../protocol/job.ts'
import type { RunSummary } from '../protocol/progress.ts'
import { refOf } from '../repository/protocol/known.ts'
import { snapshotName } from '../repository/protocol/names.ts'
import { meansLatest, resolveSnapshot } from '../repository/protocol/resolve.ts'
import { snapshotId } from '../repository/protocol/snapshots.ts'
import { rootOf } from '../snapshot/manifest.ts'
import type { CommandContext } from './context.ts'
import { RunFailed } from './failure.ts'
import { hostOf } from './host.ts'
import { problemOf, rolledBack } from './memory.ts'
import { openReader, type Reader } from './reader.ts'
import { besideLabel } from './restore/beside.ts'
import { Completion } from './restore/completion.ts'
import { RestoreProgress } from './restore/restore-progress.ts'
import { Restorer } from './restore/restorer.ts'
import { selectPaths } from './restore/selection.ts'
import { openTarget } from './restore/target.ts'

/** The threads that write need less memory than those of a backup, so that the main thread may have more. */
const heapLimit = 64 * 1024 * 1024

/**
 * Writes a snapshot, or parts of it, into a folder. Interrupted, the same call goes on: what is intact stays, half-written files are
 * continued. Files that cannot be restored are problems of the summary; the rest goes on.
 * Errors: not-found (snapshot or path), rolled-back, denied or arguments (target), full, unsafe-path, and those of the storage; RunFailed says how
 * far it came.
 */
export async function restore(job: RestoreJob, context: CommandContext): Promise<RunSummary> {
  using _heap = new HeapKeeper(heapLimit)
  using progress = new RestoreProgress(context)
  await using reader = await openReader(job, { ...context, meter: progress.meter })
  const { repository, trees } = reader
  const { manifest, ref } = await chooseSnapshot(job, reader, progress, context.signal)
  const facts = { snapshot: snapshotId(manifest, ref), repositoryId: repository.config.repositoryId }
  const selection = await selectPaths(trees.load, rootOf(manifest), job.paths, job.except)
  if (selection === 'all') progress.totalBytes = manifest.counters.bytes
  await using target = await openTarget(job.target, repository.keys)
  const what = [facts.repositoryId, facts.snapshot, ...job.paths.map(hexOf), ...(job.except ?? []).map((path) => `-${hexOf(path)}`)]
  await keepNativeMemorySmall()
  const completion = await Completion.begin(job.home, target.path, what)
  using restorer = new Restorer({ job, context, reader, target, progress, completion, label: besideLabel(manifest.finishedMs) })
  try {
    await restorer.run(rootOf(manifest), selection)
  } catch (error) {
    const known = asHoldfastError(error)
    throw new RunFailed(known, progress.summary(progress.files.written > 0 ? 'partial' : 'failed', facts))
  }
  return progress.summary('success', facts)
}

/**
 * Where the repository is older than this machine knows, `latest` means something else than it seems, and so does a name that another snapshot has:
 * these are refused. Any other that is named is restored, and what the repository lacks is told.
 */
async function chooseSnapshot(job: RestoreJob, { repository, memory }: Reader, progress: RestoreProgress, signal: AbortSignal): ReturnType<typeof resolveSnapshot> {
  const missed = await memory.missed(signal)
  if (missed.length > 0 && meansLatest(job.snapshot)) throw rolledBack(missed)
  const entry = await resolveSnapshot(repository, job.snapshot, { host: hostOf(job), memory }, signal)
  const replaced = missed.filter(({ known, how }) => how === 'replaced' && snapshotName(refOf(known)) === snapshotName(entry.ref))
  if (replaced.length > 0) throw rolledBack(replaced)
  for (const { code, path, message } of missed.map(problemOf)) progress.problem(code, fromText(path), message)
  return entry
}

function hexOf(path: Uint8Array): string {
  return Buffer.from(path).toString('hex')
}
