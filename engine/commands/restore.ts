import { asHoldfastError } from '../base/errors.ts'
import { HeapKeeper, keepNativeMemorySmall } from '../base/memory.ts'
import type { RestoreJob } from '../protocol/job.ts'
import type { RunSummary } from '../protocol/progress.ts'
import { resolveSnapshot, snapshotId } from '../repository/protocol/snapshots.ts'
import { rootOf } from '../snapshot/manifest.ts'
import type { CommandContext } from './context.ts'
import { RunFailed } from './failure.ts'
import { openReader } from './reader.ts'
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
 * Errors: not-found (snapshot or path), denied or arguments (target), full, unsafe-path, and those of the storage; RunFailed says how
 * far it came.
 */
export async function restore(job: RestoreJob, context: CommandContext): Promise<RunSummary> {
  using _heap = new HeapKeeper(heapLimit)
  using progress = new RestoreProgress(context)
  await using reader = await openReader(job, { ...context, meter: progress.meter })
  const { repository, trees } = reader
  const { manifest, ref } = await resolveSnapshot(repository, job.snapshot, context.signal)
  const facts = { snapshot: snapshotId(manifest, ref), repositoryId: repository.config.repositoryId }
  const selection = await selectPaths(trees.load, rootOf(manifest), job.paths, job.except)
  if (selection === 'all') progress.totalBytes = manifest.counters.bytes
  await using target = await openTarget(job.target, repository.keys)
  const what = [facts.repositoryId, facts.snapshot, ...job.paths.map(hexOf), ...(job.except ?? []).map((path) => `-${hexOf(path)}`)]
  await keepNativeMemorySmall()
  const completion = await Completion.begin(job.home, target.root, what)
  using restorer = new Restorer({ job, context, reader, target, progress, completion })
  try {
    await restorer.run(rootOf(manifest), selection)
  } catch (error) {
    const known = asHoldfastError(error)
    throw new RunFailed(known, progress.summary(progress.files.written > 0 ? 'partial' : 'failed', facts))
  }
  return progress.summary('success', facts)
}

function hexOf(path: Uint8Array): string {
  return Buffer.from(path).toString('hex')
}
