import { toHex } from '../base/bytes.ts'
import type { Clock } from '../base/clock.ts'
import { throwIfAborted } from '../base/abort.ts'
import { hasCode, HoldfastError } from '../base/errors.ts'
import type { StorageBackend } from '../backend/backend.ts'
import { decodeConfig, encodeConfig, readRepositoryId, standardChunker, type ChunkerParameters, type ContentKeys, type RepositoryConfig } from './config.ts'
import { keyBytes, type Random, type ScryptCost } from './crypto.ts'
import { deriveKeys, readKeys, storeKey, unlock, type RepositoryKeys, type Unlocked, type UnlockOptions } from './keys.ts'
import { configObject, keyObject } from './names.ts'

/** An opened repository: where its objects are, what it is, and the keys to it. */
export interface Repository {
  readonly backend: StorageBackend
  readonly config: RepositoryConfig
  readonly keys: RepositoryKeys
  /** Needed only to add passwords; never leaves the process. */
  readonly masterKey: Uint8Array
  /** The key object that this session was opened with. */
  readonly keyName: string
}

export interface InitOptions {
  /** `cas` needs a backend whose probe showed exclusive creation. */
  readonly arbiter: RepositoryConfig['arbiter']
  readonly clock: Clock
  readonly random: Random
  readonly chunker?: ChunkerParameters
  /** Of another repository, whose pieces this one shall know by the same names. Absent: of its own. */
  readonly content?: ContentKeys
  readonly label?: string
  /** Only tests take less than the standard. */
  readonly cost?: ScryptCost
}

/**
 * Makes a repository: first the key object, last the config, created exclusively where the storage can. So whoever sees a config
 * can open it, and of two that start at once one gets `exists`. A crash before the config leaves only a key that opens nothing.
 * @throws exists, arguments, and what the backend throws
 */
export async function initRepository(backend: StorageBackend, password: string, options: InitOptions, signal: AbortSignal): Promise<Repository> {
  throwIfAborted(signal)
  if (await repositoryIdAt(backend, signal) !== undefined) throw repositoryExists(backend)
  const masterKey = options.random(keyBytes)
  const { arbiter, chunker = standardChunker, clock, content } = options
  const keys = { ...deriveKeys(masterKey), ...content }
  const config: RepositoryConfig = { formatVersion: 1, repositoryId: toHex(options.random(16)), arbiter, chunker, createdMs: clock.now(), ...(content ? { content } : {}) }
  const key = { password, label: options.label ?? '' }
  const keyName = await storeKey(backend, masterKey, key, options, signal)
  const body = { type: 'bytes', bytes: encodeConfig(keys, config) } as const
  try {
    await backend.put(configObject, body, { ifAbsent: arbiter === 'cas' }, signal)
  } catch (error) {
    if (!hasCode(error, 'exists')) throw error
    if (await isOurs(backend, config.repositoryId, signal)) return { backend, config, keys, masterKey, keyName }
    await backend.remove(keyObject(keyName), signal)
    throw repositoryExists(backend, error)
  }
  return { backend, config, keys, masterKey, keyName }
}

/**
 * Opens what initRepository made.
 * @param knownKey the key of a repository that opened last time on this machine, if any: tried first
 * @throws not-a-repository, version, damaged, password, and what the backend throws
 */
export async function openRepository(
  backend: StorageBackend, password: string, signal: AbortSignal, knownKey: (repositoryId: string) => string | undefined = () => undefined,
): Promise<Repository> {
  throwIfAborted(signal)
  // Side by side: from afar each request is a tenth of a second.
  const [bytes, stored] = await Promise.all([readConfig(backend, signal), readKeys(backend, signal)])
  if (!bytes) throw new HoldfastError('not-a-repository', `There is no repository at ${backend.label}.`)
  const known = knownKey(readRepositoryId(bytes))
  const { masterKey, keyName } = await unlockAsTyped({ password, stored, fits: (key) => isSealedWith(key, bytes), knownKey: known }, signal)
  const derived = deriveKeys(masterKey)
  const config = decodeConfig(derived, bytes)
  return { backend, config, keys: { ...derived, ...config.content }, masterKey, keyName }
}

/** Recovery words open it as people type them, wherever a password is asked for. Errors: those of unlock. */
async function unlockAsTyped(options: UnlockOptions, signal: AbortSignal): Promise<Unlocked> {
  try {
    return await unlock(options, signal)
  } catch (error) {
    if (!hasCode(error, 'password')) throw error
    // Loaded for whoever needs it: the list has 2048 words.
    const { readRecoveryWords } = await import('../protocol/recovery-words.ts')
    const read = readRecoveryWords(options.password)
    if (!read.ok || read.words === options.password) throw error
    return await unlock({ ...options, password: read.words }, signal)
  }
}

function isSealedWith(masterKey: Uint8Array, config: Uint8Array): boolean {
  try {
    decodeConfig(deriveKeys(masterKey), config)
    return true
  } catch (error) {
    if (hasCode(error, 'damaged')) return false
    throw error
  }
}

/** The id of the repository at an address, without a password; undefined where there is none. @throws damaged, version, … */
export async function repositoryIdAt(backend: StorageBackend, signal: AbortSignal): Promise<string | undefined> {
  const bytes = await readConfig(backend, signal)
  return bytes && readRepositoryId(bytes)
}

const maxConfigBytes = 64 * 1024

async function readConfig(backend: StorageBackend, signal: AbortSignal): Promise<Uint8Array | undefined> {
  try {
    const { size } = await backend.stat(configObject, signal)
    if (size > maxConfigBytes) throw new HoldfastError('damaged', 'config is damaged: it is larger than any config.', { data: { object: configObject } })
    return await backend.get(configObject, { offset: 0, length: size }, signal)
  } catch (error) {
    if (hasCode(error, 'not-found')) return undefined
    throw error
  }
}

/** `exists` can be the echo of our own creation whose reply was lost and that the retry wrapper repeated. */
async function isOurs(backend: StorageBackend, repositoryId: string, signal: AbortSignal): Promise<boolean> {
  return await repositoryIdAt(backend, signal) === repositoryId
}

export function repositoryExists(backend: StorageBackend, cause?: unknown): HoldfastError {
  return new HoldfastError('exists', `There is a repository at ${backend.label} already.`, { cause })
}
