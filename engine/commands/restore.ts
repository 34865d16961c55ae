import { fromText, toShown } from '../base/byte-string.ts'
import { asHoldfastError } from '../base/errors.ts'
import { HeapKeeper, keepNativeMemorySmall } from '../base/memory.ts'
import type { RestoreJob } from '../protocol/job.ts'
import type { RunSummary } from '../protocol/progress.ts'
import { refOf } from '../repository/protocol/known.ts'
import { snapshotName } from '../repository/protocol/names.ts'
import { meansLatest, resolveSnapshot } from '../repository/protocol/resolve.ts'
import type { CommandContext } from './context.ts'
import { RunFailed } from './failure.ts'
import { hostOf } from './host.ts'
import { problemOf, rolledBack } from './memory.ts'
import { openReader, type Reader } from './reader.ts'
import { Completion } from './restore/completion.ts'
import { journeysOf, partsOf, type Journey } from './restore/journeys.ts'
import { RestoreProgress } from './restore/restore-progress.ts'
import { Restorer, type RestorerOptions } from './restore/restorer.ts'
import { openTarget } from './restore/target.ts'

/** The threads that write need less memory than those of a backup, so that the main thread may have more. */
const heapLimit = 64 * 1024 * 1024

/**
 * Writes a snapshot, or parts of several, into a folder, or to where they were. Interrupted, the same call goes on: what is intact stays, half-written files are
 * continued. Files that cannot be restored are problems of the summary; the rest goes on.
 * Errors: not-found (snapshot or path), rolled-back, denied or arguments (target), full, unsafe-path, and those of the storage; RunFailed says how
 * far it came.
 */
export async function restore(job: RestoreJob, context: CommandContext): Promise<RunSummary> {
  using _heap = new HeapKeeper(heapLimit)
  using progress = new RestoreProgress(context)
  await using reader = await openReader(job, { ...context, meter: progress.meter })
  const parts = await partsOf(job, reader, (snapshot) => chooseSnapshot(job, snapshot, reader, progress, context.signal))
  const [{ id: snapshot }] = parts
  const facts = { snapshot, repositoryId: reader.repository.config.repositoryId }
  if (parts.every(({ wanted }) => wanted === 'all')) progress.totalBytes = parts.reduce((sum, { manifest }) => sum + manifest.counters.bytes, 0)
  const journeys = await journeysOf(job.target, parts, reader.trees.load, (part, { name, path }) => {
    progress.part = { snapshot: part.id, below: '' }
    progress.problem('not-restored', name, `not restored: where ${toShown(path)} was is no folder that this job backs up here; restore it into another folder`, name)
  })
  await keepNativeMemorySmall()
  try {
    for (const journey of journeys) await travel(journey, job, { context, reader, progress })
    progress.expectSomething(journeys.map(({ target }) => target).join(', '))
  } catch (error) {
    const known = asHoldfastError(error)
    throw new RunFailed(known, progress.summary(progress.files.written > 0 ? 'partial' : 'failed', facts))
  }
  return progress.summary('success', facts)
}

async function travel({ part, target: path, root, wanted, below, earlier }: Journey, job: RestoreJob, parts: Pick<RestorerOptions, 'context' | 'reader' | 'progress'>): Promise<void> {
  const { reader: { repository }, progress } = parts
  await using target = await openTarget(path, repository.keys)
  const what = [repository.config.repositoryId, part.id, ...part.paths.map(hexOf), ...(part.except ?? []).map((one) => `-${hexOf(one)}`), ...(part.only ?? []).map((one) => `=${hexOf(one)}`)]
  const completion = await Completion.begin(job.home, target.path, what)
  progress.part = { snapshot: part.id, below }
  using restorer = new Restorer({ ...parts, job, target, completion, label: part.label, earlier })
  await restorer.run(root, wanted)
}

/**
 * Where the repository is older than this machine knows, `latest` means something else than it seems, and so does a name that another snapshot has:
 * these are refused. Any other that is named is restored, and what the repository lacks is told.
 */
async function chooseSnapshot(job: RestoreJob, snapshot: string, { repository, memory }: Reader, progress: RestoreProgress, signal: AbortSignal): ReturnType<typeof resolveSnapshot> {
  const missed = await memory.missed(signal)
  if (missed.length > 0 && meansLatest(snapshot)) throw rolledBack(missed)
  const entry = await resolveSnapshot(repository, snapshot, { host: hostOf(job), memory }, signal)
  const replaced = missed.filter(({ known, how }) => how === 'replaced' && snapshotName(refOf(known)) === snapshotName(entry.ref))
  if (replaced.length > 0) throw rolledBack(replaced)
  for (const { code, path, message } of missed.map(problemOf)) progress.problem(code, fromText(path), message)
  return entry
}

function hexOf(path: Uint8Array): string {
  return Buffer.from(path).toString('hex')
}
