import { createCipheriv, createDecipheriv, createHmac, hkdfSync, randomBytes, scrypt } from 'node:crypto'
import { asBuffer } from '../base/bytes.ts'
import { HoldfastError } from '../base/errors.ts'
import { freeBuffer } from '../base/memory.ts'

/** `length` fresh random bytes. Injected where names and salts must be foreseeable in tests. */
export type Random = (length: number) => Uint8Array

export const systemRandom: Random = (length) => randomBytes(length)

export const keyBytes = 32
const saltBytes = 32
const tagBytes = 16

/** What sealing adds: a salt before and a tag after the ciphertext. */
export const sealOverhead = saltBytes + tagBytes

const zeroNonce = Buffer.alloc(12)
const noSalt = new Uint8Array(0)

/** The three stretches of a sealed box, in the order in which they are stored. */
export interface SealedParts {
  readonly salt: Uint8Array
  readonly ciphertext: Uint8Array
  readonly tag: Uint8Array
}

/** A key of its own for one purpose (`info`) or one box (`salt`): HKDF-SHA-256. */
export function deriveKey(key: Uint8Array, salt: Uint8Array, info: string): Uint8Array {
  return new Uint8Array(hkdfSync('sha256', key, salt, info, keyBytes))
}

const boxInfo = 'holdfast 1 box'

/**
 * AES-256-GCM under a key of this box alone, derived from `key` and a fresh salt. As no key is ever used twice, the nonce is always
 * zero and can never repeat. `additional` is authenticated and not stored.
 * @param random only tests take another one.
 */
export function sealParts(key: Uint8Array, additional: Uint8Array, plain: Uint8Array, random: Random = systemRandom): SealedParts {
  const salt = hedgedSalt(key, additional, plain, random)
  const cipher = createCipheriv('aes-256-gcm', deriveKey(key, salt, boxInfo), zeroNonce)
  cipher.setAAD(additional)
  const ciphertext = cipher.update(plain)
  cipher.final()
  return { salt, ciphertext, tag: cipher.getAuthTag() }
}

interface HedgeKeys {
  readonly mark: Uint8Array
  readonly salt: Uint8Array
}

/** By the key that boxes are sealed with; derived once. */
const hedges = new WeakMap<Uint8Array, HedgeKeys>()

/**
 * A salt from random bytes and from what is sealed. A random source that repeats itself (a virtual machine resumed twice, a forked process)
 * then gives two different contents two different keys all the same; only that two boxes are equal can be seen. The content enters by a
 * GMAC, whose tag never leaves this function: a tenth of the time of HMAC, and two contents share a tag with a chance of length / 2^124.
 */
function hedgedSalt(key: Uint8Array, additional: Uint8Array, plain: Uint8Array, random: Random): Uint8Array {
  let keys = hedges.get(key)
  if (!keys) hedges.set(key, keys = { mark: deriveKey(key, noSalt, 'holdfast 1 mark'), salt: deriveKey(key, noSalt, 'holdfast 1 salt') })
  const mac = createCipheriv('aes-256-gcm', keys.mark, zeroNonce)
  mac.setAAD(plain)
  mac.final()
  return createHmac('sha256', keys.salt).update(random(saltBytes)).update(mac.getAuthTag()).update(additional).digest()
}

/** `salt ‖ ciphertext ‖ tag`, see sealParts. */
export function seal(key: Uint8Array, additional: Uint8Array, plain: Uint8Array, random: Random = systemRandom): Uint8Array {
  const { salt, ciphertext, tag } = sealParts(key, additional, plain, random)
  const box = Buffer.concat([salt, ciphertext, tag])
  freeBuffer(ciphertext)
  return box
}

/** The plaintext of a box, or undefined when key, additional data or any byte of the box is not the one it was sealed with. */
export function tryUnseal(key: Uint8Array, additional: Uint8Array, box: Uint8Array): Uint8Array | undefined {
  if (box.length < sealOverhead) return undefined
  const boxKey = deriveKey(key, box.subarray(0, saltBytes), boxInfo)
  const decipher = createDecipheriv('aes-256-gcm', boxKey, zeroNonce, { authTagLength: tagBytes })
  decipher.setAAD(additional)
  decipher.setAuthTag(asBuffer(box.subarray(box.length - tagBytes)))
  const plain = decipher.update(box.subarray(saltBytes, box.length - tagBytes))
  try {
    decipher.final()
  } catch {
    return undefined
  }
  return plain
}

/**
 * As tryUnseal.
 * @param what names the thing in the error, e.g. `index 3f2a…`.
 * @throws damaged
 */
export function unseal(key: Uint8Array, additional: Uint8Array, box: Uint8Array, what: string): Uint8Array {
  const plain = tryUnseal(key, additional, box)
  if (!plain) throw new HoldfastError('damaged', `${what} is damaged: its seal does not fit.`, { data: { object: what } })
  return plain
}

/** scrypt's cost: N is a power of two; memory is 128 · N · r bytes. */
export interface ScryptCost {
  readonly N: number
  readonly r: number
  readonly p: number
}

export const standardCost: ScryptCost = { N: 2 ** 17, r: 8, p: 1 }

/** Of a key whose password is 128 bits by chance, and which nobody can guess: it costs the opening with other passwords next to nothing. */
export const recoveryCost: ScryptCost = { N: 2 ** 12, r: 8, p: 1 }

/** What the time is proportional to. */
export function workOf({ N, r, p }: ScryptCost): number {
  return N * r * p
}

/** Nothing dearer is computed, so that a forged key object cannot take memory or minutes. */
const maximumMemory = 2 ** 28
const maximumWork = 2 ** 23

export function isBearable({ N, r, p }: ScryptCost): boolean {
  const whole = [N, r, p].every((value) => Number.isSafeInteger(value) && value > 0)
  return whole && N >= 2 && (Math.log2(N) % 1) === 0 && 128 * N * r <= maximumMemory && workOf({ N, r, p }) <= maximumWork
}

/**
 * 32 bytes from a password (Unicode-normalised, so that every keyboard gives the same), in libuv's pool.
 * Takes 128 MiB and about 0.3 s at the standard cost. @throws damaged for a cost that is not bearable.
 */
export async function passwordKey(password: string, salt: Uint8Array, cost: ScryptCost): Promise<Uint8Array> {
  if (!isBearable(cost)) throw new HoldfastError('damaged', 'A key asks for more memory or time than any real key does.')
  const options = { N: cost.N, r: cost.r, p: cost.p, maxmem: 128 * (cost.N * cost.r + cost.p * cost.r) + 2 ** 20 }
  return new Promise((resolve, reject) => {
    scrypt(password.normalize('NFC'), salt, keyBytes, options, (error, key) => {
      if (error) reject(error)
      else resolve(key)
    })
  })
}
