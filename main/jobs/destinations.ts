import type { ErrorCode } from '../../engine/protocol/errors.ts'
import type { JobSecrets } from '../../engine/protocol/job.ts'
import type { Destination, SecretsInput, TestView } from '../api/contract.ts'
import { EngineError, MainError } from '../api/errors.ts'
import { providerById } from '../api/providers.ts'
import { mergeSecrets } from '../settings/secrets.ts'
import type { SecretStore } from '../settings/secrets.ts'
import type { DestinationTests } from './destination-test.ts'
import { keptSecrets, repositoryUrl } from '../repositories/address.ts'
import type { JobRecord } from './store.ts'

/** A storage on the network is typed in the window; a folder was chosen in a dialog. Known is where a job goes already, in whichever folder. */
export function isNewStorage(destination: Destination, jobs: readonly JobRecord[]): boolean {
  if (destination.type === 'folder') return false
  const storage = storageOf(destination)
  return !jobs.some(({ config }) => config.destination.type === 'provider' && storageOf(config.destination) === storage)
}

/** Whether it is asked about before an engine even looks at it. */
export function isTriedOnlyWhenAsked(destination: Destination, jobs: readonly JobRecord[]): boolean {
  return destination.type === 'provider' && providerById(destination.provider)?.runsHere === true && isNewStorage(destination, jobs)
}

/** Everything that makes a storage but the folder in it. */
function storageOf({ provider: id, values }: Extract<Destination, { type: 'provider' }>): string {
  const parts = (providerById(id)?.fields ?? []).filter(({ at }) => at !== 'path').map(({ name }) => values[name] ?? '')
  return JSON.stringify([id, ...parts])
}

/**
 * What was typed for a storage takes the place of all that is kept for it: it has to be what the storage asks for, and all of it.
 * @param wanted the storage is new to the job, so that nothing is kept for it. Errors: `arguments`.
 */
export function expectStorageSecrets(destination: Destination, { storage }: SecretsInput, wanted: boolean): void {
  const fields = (destination.type === 'folder' ? undefined : providerById(destination.provider))?.secrets ?? []
  if (Object.keys(storage ?? {}).some((name) => !fields.some((field) => field.name === name))) {
    throw new MainError('arguments', 'This storage asks for no such key.', { field: 'secrets.storage' })
  }
  if (!wanted && storage === undefined) return
  const missing = fields.find(({ name, required }) => required && storage?.[name] === undefined)
  if (missing) throw new MainError('arguments', 'This destination needs its keys.', { field: 'secrets.storage', reason: 'moved', secret: missing.name })
}

export interface MovePorts {
  readonly secrets: SecretStore
  readonly tests: DestinationTests
}

/** What a job has at the place that it moves to. */
export interface Arrival {
  readonly secrets: JobSecrets
  readonly sameRepository: boolean
}

/** What says that another repository is at an address, or none. */
const otherCodes: readonly ErrorCode[] = ['another-repository', 'not-a-repository', 'password', 'rolled-back']

/**
 * The secrets of a job that moves, and whether its own repository is at the new address: by its id, which an engine looks up there. The kept password
 * is tried on that one alone; for any other one has to be typed. Errors: `arguments`; `busy`; what the engine says, where nothing but the kept password could be used.
 */
export async function secretsOfMoved({ secrets, tests }: MovePorts, record: JobRecord, destination: Destination, typed: SecretsInput): Promise<Arrival> {
  expectStorageSecrets(destination, typed, true)
  const merged = mergeSecrets(keptPassword(secrets, record), typed)
  const sameRepository = merged !== undefined && (await isRepositoryOf(tests, record, { destination, secrets: merged, typed: typed.password !== undefined }))
  if (!merged || (!sameRepository && typed.password === undefined)) {
    throw new MainError('arguments', 'Another destination needs the password of its repository.', { field: 'secrets.password', reason: 'moved' })
  }
  return { secrets: merged, sameRepository }
}

/** The keys were entered for another place and go nowhere else; the password opens the same repository wherever it is, and is sent to none. */
function keptPassword(secrets: SecretStore, record: JobRecord): JobSecrets | undefined {
  const kept = keptSecrets(secrets, record.repository)
  return kept && { password: kept.password, storage: {} }
}

interface Move {
  readonly destination: Destination
  readonly secrets: JobSecrets
  readonly typed: boolean
}

async function isRepositoryOf(tests: DestinationTests, { repository: { repositoryId } }: JobRecord, { destination, secrets, typed }: Move): Promise<boolean> {
  if (repositoryId === undefined) return false
  try {
    const found = await tests.run({ destination, secrets, expectRepositoryId: repositoryId })
    return found.repositoryId === repositoryId
  } catch (error) {
    // A storage that is away is one that nobody could look at: with a password of its own it may be used all the same.
    if (error instanceof EngineError && (typed || otherCodes.includes(error.wire.code))) return false
    if (typed && error instanceof MainError && error.code !== 'busy') return false
    throw error
  }
}

/** Without any password the storage alone is tried; a repository that is there then answers with `password`. */
export async function testDestination({ secrets, tests }: MovePorts, record: JobRecord | undefined, destination: Destination, typed: SecretsInput): Promise<TestView> {
  expectStorageSecrets(destination, typed, false)
  const isOurs = record !== undefined && repositoryUrl(destination) === repositoryUrl(record.config.destination)
  const knows = record?.repository.repositoryId !== undefined && typed.password === undefined
  const kept = isOurs ? keptSecrets(secrets, record.repository) : knows ? keptPassword(secrets, record) : undefined
  const merged = mergeSecrets(kept, { password: kept?.password ?? '', ...typed }) ?? { password: '', storage: {} }
  const found = await explained(tests.run({ destination, secrets: merged, expectRepositoryId: isOurs || knows ? record?.repository.repositoryId : undefined }), !isOurs && knows)
  const isSame = !isOurs && record?.repository.repositoryId !== undefined && found.repositoryId === record.repository.repositoryId
  return { ...found, ...(isSame && { sameRepository: true }) }
}

/** Another repository than the job's is nothing strange where somebody looks for a new place. */
async function explained<T>(test: Promise<T>, moves: boolean): Promise<T> {
  try {
    return await test
  } catch (error) {
    const isOther = moves && error instanceof EngineError && error.wire.code === 'another-repository'
    throw isOther ? new MainError('another-repository', 'Another repository than that of the job is there.', { reason: 'moved' }) : error
  }
}
