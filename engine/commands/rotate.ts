import { equalBytes } from '../base/bytes.ts'
import { hasCode, HoldfastError } from '../base/errors.ts'
import type { StorageBackend } from '../backend/backend.ts'
import type { EngineJob, RepositorySecrets, SyncJob } from '../protocol/job.ts'
import type { RunSummary } from '../protocol/progress.ts'
import { systemRandom } from '../repository/crypto.ts'
import { listKeys, type KeyInfo } from '../repository/keys.ts'
import { readMachines, saveMachine } from '../repository/protocol/machines.ts'
import { openRepository, repositoryIdAt, type Repository } from '../repository/repository.ts'
import type { CommandContext } from './context.ts'
import { createRepository } from './create.ts'
import type { RepositoryAddress } from './init.ts'
import { openAt, openForCommand, openStorage, type OpenRepository } from './open.ts'
import { runJob } from './run.ts'
import type { SyncDetails } from './sync.ts'

export interface RotateOptions {
  /** Address of the old repository; the one that takes its place is at the job's own. */
  readonly from: string
  /** The new one also cuts and names pieces of files with keys of its own. */
  readonly newIds: boolean
  /** As in SyncJob. */
  readonly parallelGroups: number
  /** Share of the new one's packs that are read back at the end. */
  readonly readDataPercent: number
  /** As in SyncJob. */
  readonly acceptOlderSource?: boolean
  readonly acceptOtherSource?: boolean
}

/** How a rotation ended. */
export interface Rotation {
  /** `failed`: the new repository is damaged. `warnings`: something of the old one is not there. */
  readonly outcome: 'success' | 'warnings' | 'failed'
  readonly sourceId: string
  readonly repositoryId: string
  /** This run made the new repository. */
  readonly created: boolean
  /** Of the old repository: how many are in the new one or were forgotten there, and (`JOB@REV`) which are not. */
  readonly snapshots: number
  readonly missing: readonly string[]
  /** Machines whose settings were brought along by this run. */
  readonly machines: number
  /** What opens the new repository. */
  readonly keys: readonly KeyInfo[]
  readonly sync: RunSummary
  readonly check: RunSummary
}

/**
 * Seals all of a repository anew, under another master key: into a new repository, since objects are never rewritten. Brings its snapshots with what is said about them, and the settings of machines, then
 * checks the new one. The old one stays as it is, and in use. Interrupted anywhere, the same call goes on; called again later it brings what came meanwhile.
 * @param address of the new repository. The context's secrets are its own, those `from` it the old one's
 * Errors: arguments (a password that opens both, one and the same repository, a place with other things, `newIds` where the pieces have the old names), those of a sync and of a check.
 */
export async function rotate(address: RepositoryAddress, options: RotateOptions, context: CommandContext): Promise<Rotation> {
  const created = await prepare(address, options, context)
  const { newIds: _newIds, readDataPercent, ...source } = options
  const job: SyncJob = { ...address, ...source, type: 'sync', groups: [], removeVanished: false, carryFine: true, dryRun: false }
  const sync = await runJob(job, context)
  const { machines, keys } = await bringMachines(address, options, context)
  const left = detailsOf(await runJob({ ...job, dryRun: true }, context))
  const missing = left.plan.flatMap(({ copy }) => copy)
  const there = left.plan.reduce((sum, { skipped: { held, forgotten, own } }) => sum + held + forgotten + own, 0)
  const check = await runJob({ ...address, type: 'check', readDataPercent }, { ...context, secrets: ownSecrets(context) })
  const outcome = check.outcome === 'failed' ? 'failed' : missing.length > 0 || sync.problems > 0 || check.outcome !== 'success' ? 'warnings' : 'success'
  return { outcome, sourceId: left.sourceId, repositoryId: check.repositoryId ?? '', created, snapshots: there, missing, machines, keys, sync, check }
}

function detailsOf({ details }: RunSummary): SyncDetails {
  return details as SyncDetails
}

/** Finds or makes the new repository, once it is known that what opens one does not open the other. @returns whether it was made. */
async function prepare(address: RepositoryAddress, options: RotateOptions, context: CommandContext): Promise<boolean> {
  const { signal, secrets } = context
  await using old = await openOld(address, options, context)
  if (await opens(old.backend, secrets.password, signal)) {
    throw new HoldfastError('arguments', 'The new password opens the old repository too. Choose another: whoever knows it from there would read the new one.', { data: { reason: 'same-password' } })
  }
  await using storage = await openStorage({ ...address, type: 'test' }, { ...context, secrets: ownSecrets(context) }, { create: true, operation: 'sync' })
  const { keys: { blobId, chunker }, config } = old.repository
  if (await repositoryIdAt(storage.backend, signal) === undefined) {
    await createRepository(storage.backend, context, address.home, options.newIds ? undefined : { chunker: config.chunker, content: { blobId, chunker } })
    return true
  }
  if (await opens(storage.backend, fromSecrets(context).password, signal)) {
    throw new HoldfastError('arguments', 'The password of the old repository opens the one that is to take its place. Take it away there first (`holdfast key remove`), or give another place.', { data: { reason: 'same-password' } })
  }
  expectApart(old.repository, await openAt(storage.backend, { ...address, type: 'test' }, context), options.newIds)
  return false
}

/** A copy of the old one's files, whatever passwords it was given since, keeps no secret from who knows the old master key. Errors: arguments. */
function expectApart(old: Repository, other: Repository, newIds: boolean): void {
  if (equalBytes(old.masterKey, other.masterKey)) throw new HoldfastError('arguments', 'Both addresses hold one and the same repository, with one master key. Give a place where there is none yet.')
  if (newIds && equalBytes(old.keys.blobId, other.keys.blobId)) {
    throw new HoldfastError('arguments', 'The repository that is there was made like the old one, and names pieces of files with its keys. For --new-ids give a place where there is none yet.')
  }
}

async function opens(backend: StorageBackend, password: string, signal: AbortSignal): Promise<boolean> {
  try {
    await openRepository(backend, password, signal)
    return true
  } catch (error) {
    // An `init` that broke off can leave a key that opens, and fits nothing.
    if (hasCode(error, 'password', 'damaged')) return false
    throw error
  }
}

/** What each machine left in the old repository, where the new one knows nothing later of it. What cannot be brought is a warning: a machine's next backup there leaves it again. */
async function bringMachines(address: RepositoryAddress, options: RotateOptions, context: CommandContext): Promise<{ readonly machines: number, readonly keys: readonly KeyInfo[] }> {
  const { signal, log } = context
  await using old = await openOld(address, options, context)
  await using open = await openForCommand({ ...address, type: 'test' }, { ...context, secrets: ownSecrets(context) })
  const keys = await listKeys(open.repository, signal)
  let machines = 0
  try {
    const there = await readMachines(open.repository, signal)
    for (const machine of await readMachines(old.repository, signal)) {
      if (there.some(({ host, user, savedMs }) => host === machine.host && user === machine.user && savedMs >= machine.savedMs)) continue
      if (await saveMachine(open.repository, machine, systemRandom, signal)) machines++
    }
  } catch (error) {
    if (signal.aborted) throw error
    log.write('warning', `The settings of machines could not be brought along: ${error instanceof Error ? error.message : String(error)}`)
  }
  return { machines, keys }
}

function openOld({ home, concurrency, patienceMs }: RepositoryAddress, { from, acceptOtherSource }: RotateOptions, context: CommandContext): Promise<OpenRepository> {
  const job: EngineJob = { type: 'test', repository: from, home, concurrency, ...(patienceMs === undefined ? {} : { patienceMs }), ...(acceptOtherSource ? { acceptOtherRepository: true } : {}) }
  return openForCommand(job, { ...context, secrets: fromSecrets(context) })
}

function fromSecrets({ secrets: { from } }: CommandContext): RepositorySecrets {
  if (!from) throw new HoldfastError('arguments', 'There is no password for the old repository.')
  return from
}

function ownSecrets({ secrets: { password, storage } }: CommandContext): RepositorySecrets {
  return { password, storage }
}
