import { createHmac } from 'node:crypto'
import * as v from 'valibot'
import { throwIfAborted } from '../base/abort.ts'
import { utf8 } from '../base/bytes.ts'
import type { Clock } from '../base/clock.ts'
import { hasCode, HoldfastError } from '../base/errors.ts'
import type { StorageBackend } from '../backend/backend.ts'
import { passwordProblem, passwordWords } from '../protocol/password.ts'
import { deriveKey, isBearable, keyBytes, passwordKey, recoveryCost, seal, standardCost, tryUnseal, workOf, type Random, type ScryptCost } from './crypto.ts'
import { keyObject, randomName } from './names.ts'
import type { Repository } from './repository.ts'
import { additionalData, checkHeader, headerBytes, objectHeader } from './sealed.ts'

/** What the master key is spread into, 32 bytes each. They change never: passwords come and go around the master key. */
export interface RepositoryKeys {
  /** HMAC of blob contents. */
  readonly blobId: Uint8Array
  /** Seed of the chunker's table. */
  readonly chunker: Uint8Array
  /** Seals segments and footers of packs. */
  readonly packs: Uint8Array
  /** Seals every other object; names jobs. */
  readonly metadata: Uint8Array
}

export function deriveKeys(masterKey: Uint8Array): RepositoryKeys {
  const derive = (purpose: string): Uint8Array => deriveKey(masterKey, new Uint8Array(0), `holdfast 1 ${purpose}`)
  return { blobId: derive('blob id'), chunker: derive('chunker'), packs: derive('packs'), metadata: derive('metadata') }
}

/** Group of a job's snapshots in object names: the same for a name on every machine, and tells nothing to the storage. */
export function jobKeyOf(keys: RepositoryKeys, jobName: string): string {
  return createHmac('sha256', keys.metadata).update(`job\0${jobName}`).digest('hex').slice(0, 32)
}

/** One password's entry, as `key list` shows it. */
export interface KeyInfo {
  readonly name: string
  /** Absent when the entry cannot be read (then it is damaged or newer than this program). */
  readonly label?: string
  readonly createdMs?: number
  /** The key that this session was opened with. */
  readonly current: boolean
}

/** More keys than people have; bounds what a forged listing can make us read. */
const maxKeys = 64
/**
 * All scrypt work of one opening, in N·r·p: every password that a repository can have, at the standard cost (about 20 s). The cheapest
 * keys are tried first, and Holdfast makes none above the standard, so forged dear ones take the turn of no real one.
 */
const openingWork = maxKeys * workOf(standardCost)
const maxKeyObjectBytes = 16 * 1024
const saltBytes = 32

/** One encoding for each value: the spare bits of a last digit are part of the text, and nothing else would notice a change there. */
export const base64 = v.pipe(
  v.string(), v.maxLength(4096), v.base64(), v.check((text) => Buffer.from(text, 'base64').toString('base64') === text),
  v.transform((text): Uint8Array => Buffer.from(text, 'base64')),
)
const count = v.pipe(v.number(), v.safeInteger(), v.minValue(1))
const keySchema = v.pipe(v.string(), v.parseJson(), v.strictObject({
  kdf: v.literal('scrypt'), N: count, r: count, p: count, salt: base64, master: base64, details: base64,
}))
const detailsSchema = v.pipe(v.string(), v.parseJson(), v.strictObject({ label: v.string(), createdMs: v.number() }))

type KeyEntry = v.InferOutput<typeof keySchema>

export interface NewKey {
  readonly password: string
  readonly label: string
}

export interface KeyContext {
  readonly clock: Clock
  readonly random: Random
  /** Only recovery keys and tests take less than the standard: no person's password is wrapped below it. */
  readonly cost?: ScryptCost
}

/** Stores a key object for a master key. @returns its name. */
export async function storeKey(backend: StorageBackend, masterKey: Uint8Array, key: NewKey, context: KeyContext, signal: AbortSignal): Promise<string> {
  const problem = passwordProblem(key.password)
  if (problem !== undefined) throw new HoldfastError('arguments', `The password ${passwordWords[problem]}.`, { data: { reason: problem } })
  const name = randomName(context.random)
  const header = objectHeader('key')
  const additional = additionalData(header, keyObject(name))
  const salt = context.random(saltBytes)
  const cost = context.cost ?? standardCost
  const wrapping = await passwordKey(key.password, salt, cost)
  const details = utf8(JSON.stringify({ label: key.label.slice(0, 200), createdMs: context.clock.now() }))
  const entry = {
    kdf: 'scrypt', ...cost, salt: toBase64(salt),
    master: toBase64(seal(wrapping, additional, masterKey)),
    details: toBase64(seal(deriveKeys(masterKey).metadata, additional, details)),
  }
  await backend.put(keyObject(name), { type: 'bytes', bytes: Buffer.concat([header, utf8(JSON.stringify(entry))]) }, {}, signal)
  return name
}

/** What a password opened. */
export interface Unlocked {
  readonly masterKey: Uint8Array
  readonly keyName: string
}

export interface UnlockOptions {
  readonly password: string
  /** From readKeys. */
  readonly stored: readonly StoredKey[]
  /** Whether a master key is this repository's: an `init` that broke off leaves a key of a repository that never was. */
  readonly fits: (masterKey: Uint8Array) => boolean
  /** The key that opened last time on this machine; it is tried first. */
  readonly knownKey?: string | undefined
}

/**
 * Tries the password on the keys, until one holds a master key that fits. When none fits, the first that the password opens.
 * @throws password after all of them refused, or all that can be tried in bounded time; damaged when there is no key at all, or none that can be read.
 */
export async function unlock({ password, stored, fits, knownKey }: UnlockOptions, signal: AbortSignal): Promise<Unlocked> {
  if (stored.length === 0) throw new HoldfastError('damaged', 'The repository has no keys: every object under keys/ is gone.')
  const { tries, dear } = planTries(stored, knownKey)
  let first: Unlocked | undefined
  for (const { name, entry } of tries) {
    throwIfAborted(signal)
    const wrapping = await passwordKey(password, entry.salt, entry)
    const masterKey = tryUnseal(wrapping, additionalData(objectHeader('key'), keyObject(name)), entry.master)
    if (masterKey?.length !== keyBytes) continue
    first ??= { masterKey, keyName: name }
    if (fits(masterKey)) return { masterKey, keyName: name }
  }
  if (first) return first
  const unreadable = stored.length - tries.length - dear
  if (unreadable === stored.length) throw new HoldfastError('damaged', 'No key of the repository can be read: every object under keys/ is damaged.', { data: { keys: stored.length } })
  const hints = [
    unreadable > 0 ? ` ${unreadable} of ${stored.length} keys cannot be read at all.` : '',
    dear > 0 ? ` ${dear} of ${stored.length} were not tried: that would take minutes, and Holdfast makes no such keys. Somebody else put them there.` : '',
  ]
  throw new HoldfastError('password', `The password opens none of the repository's keys.${hints.join('')}`, { data: { keys: stored.length, unreadable, untried: dear } })
}

interface ReadableKey {
  readonly name: string
  readonly entry: KeyEntry
}

/** The keys to try, in order: the known one, then by cost, as far as the work allows. `dear` is how many are left out. Pure. */
export function planTries(stored: readonly StoredKey[], knownKey?: string): { readonly tries: readonly ReadableKey[]; readonly dear: number } {
  const readable = stored.filter((key): key is ReadableKey => key.entry !== undefined && isBearable(key.entry))
    .sort((a, b) => Number(b.name === knownKey) - Number(a.name === knownKey) || workOf(a.entry) - workOf(b.entry) || (a.name < b.name ? -1 : 1))
  let work = 0
  const tries = readable.filter(({ entry }) => (work += workOf(entry)) <= openingWork)
  return { tries, dear: readable.length - tries.length }
}

/** Adds a password; data is not touched. @returns the new key's name. */
export async function addPassword(repository: Repository, key: NewKey, context: KeyContext, signal: AbortSignal): Promise<string> {
  const stored = await listNames(repository.backend, signal)
  if (stored.length >= maxKeys) throw new HoldfastError('arguments', `A repository has at most ${maxKeys} keys.`)
  return storeKey(repository.backend, repository.masterKey, key, context, signal)
}

/** Label of recovery keys. */
const recoveryLabel = 'recovery kit'

/** Lets recovery words open the repository, which are a password like others that nobody can guess. @returns the new key's name. Errors: as addPassword. */
export async function addRecoveryKey(repository: Repository, words: string, context: Omit<KeyContext, 'cost'>, signal: AbortSignal): Promise<string> {
  return addPassword(repository, { password: words, label: recoveryLabel }, { ...context, cost: recoveryCost }, signal)
}

/** Replaces the key that this session was opened with. Interrupted between its two steps, both passwords open; repeating is safe. */
export async function changePassword(repository: Repository, key: NewKey, context: KeyContext, signal: AbortSignal): Promise<string> {
  const name = await addPassword(repository, key, context, signal)
  await removeKey(repository, repository.keyName, signal)
  return name
}

/**
 * Takes a password's entry away. Whoever copied the key object before can still open it with that password.
 * @throws not-found, arguments for the last key that can be read.
 */
export async function removeKey(repository: Repository, name: string, signal: AbortSignal): Promise<void> {
  const keys = await listKeys(repository, signal)
  if (!keys.some((key) => key.name === name)) throw new HoldfastError('not-found', `There is no key ${name}.`)
  const remaining = keys.filter((key) => key.name !== name && key.label !== undefined)
  if (remaining.length === 0) throw new HoldfastError('arguments', 'The last key cannot be removed: nobody could open the repository again.')
  await repository.backend.remove(keyObject(name), signal)
}

/** Every key, by name. */
export async function listKeys(repository: Repository, signal: AbortSignal): Promise<KeyInfo[]> {
  const stored = await readKeys(repository.backend, signal)
  return stored.map(({ name, entry }) => ({ name, ...readDetails(repository.keys, name, entry), current: name === repository.keyName }))
}

function readDetails(keys: RepositoryKeys, name: string, entry: KeyEntry | undefined): { label: string; createdMs: number } | undefined {
  const plain = entry && tryUnseal(keys.metadata, additionalData(objectHeader('key'), keyObject(name)), entry.details)
  const parsed = v.safeParse(detailsSchema, plain && Buffer.from(plain).toString('utf8'))
  return parsed.success ? parsed.output : undefined
}

export interface StoredKey {
  readonly name: string
  /** Absent: damaged, or of another version. */
  readonly entry?: KeyEntry
}

/** All keys of a repository, the damaged ones too. Errors: those of the storage. */
export async function readKeys(backend: StorageBackend, signal: AbortSignal): Promise<StoredKey[]> {
  const listed = await listNames(backend, signal)
  const stored = await Promise.all(listed.map(({ name, size }) => readKey(backend, name, size, signal)))
  return stored.filter((key) => key !== undefined)
}

/** Bounded: neither more objects nor more bytes are read than keys can have, whatever the storage lists. */
async function listNames(backend: StorageBackend, signal: AbortSignal): Promise<{ name: string; size: number }[]> {
  const names: { name: string; size: number }[] = []
  for await (const info of backend.list('keys/', signal)) {
    const name = /^keys\/([0-9a-f]{32})$/.exec(info.name)?.[1]
    if (name && info.size <= maxKeyObjectBytes) names.push({ name, size: info.size })
    if (names.length === maxKeys) break
  }
  return names.sort((a, b) => (a.name < b.name ? -1 : 1))
}

async function readKey(backend: StorageBackend, name: string, size: number, signal: AbortSignal): Promise<StoredKey | undefined> {
  try {
    const bytes = await backend.get(keyObject(name), { offset: 0, length: size }, signal)
    checkHeader(keyObject(name), 'key', bytes)
    const parsed = v.safeParse(keySchema, Buffer.from(bytes.subarray(headerBytes)).toString('utf8'))
    return parsed.success ? { name, entry: parsed.output } : { name }
  } catch (error) {
    if (hasCode(error, 'not-found')) return undefined
    if (hasCode(error, 'damaged', 'version')) return { name }
    throw error
  }
}

function toBase64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64')
}
