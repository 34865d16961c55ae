import { credentialSource } from '../accounts/source.ts'
import { maximumWholeBytes, type StorageBackend, type UploadJournal } from '../backend/backend.ts'
import { StoragePause } from '../backend/flow/storage-pause.ts'
import { withLimits, type LaneListener } from '../backend/wrappers/limits.ts'
import { withPause } from '../backend/wrappers/pause.ts'
import { withLog } from '../backend/wrappers/log.ts'
import { withSortedLists } from '../backend/wrappers/sorted-lists.ts'
import { openBackend } from '../backend/open.ts'
import { RetryPolicy, withRetry } from '../backend/wrappers/retry.ts'
import { HoldfastError } from '../base/errors.ts'
import { prepareHome } from '../base/private-folder.ts'
import type { EngineJob } from '../protocol/job.ts'
import { Meter } from '../progress/meter.ts'
import type { Traffic } from '../progress/traffic.ts'
import type { Operation } from '../protocol/progress.ts'
import { KnownKey } from '../catalog/known-key.ts'
import { withPlausibleLists } from '../repository/plausible-lists.ts'
import { openRepository, type Repository } from '../repository/repository.ts'
import type { CommandContext } from './context.ts'
import { openMemory, type RepositoryMemory } from './memory.ts'
import { openTransfers } from './transfers.ts'

/** How long a storage may be away when the job does not say. */
const standardPatienceMs = 15 * 60_000

/** A storage ready for a command's use: logged, limited, retried. */
export interface OpenStorage extends AsyncDisposable {
  readonly backend: StorageBackend
  /** Repeats what the backend must not repeat by itself: packs, under another name each time (R5). */
  readonly retry: RetryPolicy
  /** Transfers that may run at once: what the user wants, or the storage's cap if that is lower (A2). */
  readonly concurrency: number
  /** Tells how the run goes. */
  readonly meter: Meter
  /** The meter's own: what the run has moved. */
  readonly traffic: Traffic
}

export interface OpenOptions {
  /** What the window and the command line call the run while it opens; by default the job's type. */
  readonly operation?: Operation
  /** Makes the folder of a repository that is about to be made. */
  readonly create?: boolean
  readonly uploadJournal?: UploadJournal
  /** Follows the transfers; by default the meter. */
  readonly lanes?: LaneListener
}

/** The storage of a job, with the wrappers that every command wants, and Holdfast's own folder. Errors: arguments, credentials, offline, denied, full. */
export async function openStorage(job: EngineJob, context: CommandContext, options: OpenOptions = {}): Promise<OpenStorage> {
  const { clock, log, signal } = context
  prepareHome(job.home, (words) => { log.write('warning', words) })
  const meter = context.meter ?? new Meter(options.operation ?? job.type, context)
  const { traffic } = meter
  // Uploads that are on their way when the run is told to end still need what lets them in.
  const needed = context.cancelSignal ?? signal
  const credentials = credentialSource(job.repository, { entered: context.secrets.storage, owner: context.accounts, clock, signal: needed })
  const { create, uploadJournal } = options
  const patienceMs = job.patienceMs ?? standardPatienceMs
  const pause = new StoragePause({ clock, patienceMs, onWaiting: (waits) => { traffic.waitForPeace(waits, clock.now()) } })
  const bare = await openBackend(job.repository, {
    credentials, signal, clock, pause, home: job.home, ...(create === undefined ? {} : { create }), ...(uploadJournal ? { uploadJournal } : {}),
  })
  expectLargePuts(bare)
  if (bare.traits.readableOnTheWay) log.write('warning', readableWords(bare.label))
  const flow = openTransfers(job, bare.traits, traffic, pause, context)
  const { transfers, bandwidth, concurrency } = flow
  const retrying = { clock, log, patienceMs, onWaiting: (error: HoldfastError | undefined) => { traffic.waitForStorage(waitingCode(error), clock.now()) } }
  const limited = withLimits(withSortedLists(withPause(withLog(bare, log), pause, clock)), { transfers, bandwidth, lanes: options.lanes ?? meter, clock })
  return {
    backend: withPlausibleLists(withRetry(limited, retrying)),
    retry: new RetryPolicy(retrying),
    concurrency,
    meter,
    traffic,
    [Symbol.asyncDispose]: async () => {
      pause[Symbol.dispose]()
      await flow[Symbol.asyncDispose]()
      await bare[Symbol.asyncDispose]()
      if (!context.meter) meter[Symbol.dispose]()
    },
  }
}

/** Packs are whole objects. Errors: unsupported. */
function expectLargePuts({ label, traits }: StorageBackend): void {
  if (traits.largestPut >= maximumWholeBytes) return
  const mebibytes = Math.floor(traits.largestPut / 1024 ** 2)
  throw new HoldfastError('unsupported', `${label} takes no objects of more than ${mebibytes} MiB, and a pack can have ${maximumWholeBytes / 1024 ** 2} MiB. Raise its limit.`)
}

function readableWords(label: string): string {
  return `The connection to ${label} is not encrypted (http://). What is backed up is, but everybody on the way can read the names and sizes of objects and requests signed with your keys, and change answers. Use https:// where the storage has it.`
}

export interface OpenRepository extends OpenStorage {
  readonly repository: Repository
  /** What this machine knows of the repository; whoever acts upon what is there asks it first. */
  readonly memory: RepositoryMemory
}

/** The same with its repository opened. Errors: also not-a-repository, another-repository, password, version, damaged, catalog. */
export async function openForCommand(job: EngineJob, context: CommandContext, options: OpenOptions = {}): Promise<OpenRepository> {
  const storage = await openStorage(job, context, options)
  try {
    const repository = await openAt(storage.backend, job, context)
    expectRepository(job, repository.config.repositoryId)
    const memory = openMemory(job, repository, context, !('dryRun' in job && job.dryRun))
    return { ...storage, repository, memory, [Symbol.asyncDispose]: () => closeBoth(memory, storage) }
  } catch (error) {
    await storage[Symbol.asyncDispose]()
    throw error
  }
}

/** The repository at a storage, by the key that opened it last time if that is still there. Errors: those of openRepository. */
export async function openAt(backend: StorageBackend, job: EngineJob, context: CommandContext): Promise<Repository> {
  const known = new KnownKey(job.home)
  const repository = await openRepository(backend, context.secrets.password, context.signal, (id) => known.of(id))
  if (!('dryRun' in job && job.dryRun)) {
    await known.remember(repository.config.repositoryId, repository.keyName)
      .catch((error: unknown) => { context.log.write('info', `The key that opened the repository is not remembered: ${String(error)}`) })
  }
  return repository
}

async function closeBoth(memory: RepositoryMemory, storage: OpenStorage): Promise<void> {
  try {
    memory[Symbol.dispose]()
  } finally {
    await storage[Symbol.asyncDispose]()
  }
}

/** Errors: another-repository. */
export function expectRepository(job: EngineJob, repositoryId: string): void {
  if (job.expectRepositoryId === undefined || job.expectRepositoryId === repositoryId) return
  throw new HoldfastError('another-repository', 'The address holds another repository than the one that this job belongs to.', {
    data: { expected: job.expectRepositoryId, found: repositoryId },
  })
}

function waitingCode(error: HoldfastError | undefined): 'offline' | 'throttled' | 'unavailable' | undefined {
  const code = error?.code
  return code === 'offline' || code === 'throttled' || code === 'unavailable' ? code : undefined
}
