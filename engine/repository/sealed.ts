import { ByteReader, utf8 } from '../base/bytes.ts'
import { HoldfastError } from '../base/errors.ts'
import { freeBuffer } from '../base/memory.ts'
import type { ObjectName } from '../backend/backend.ts'
import { seal, systemRandom, unseal } from './crypto.ts'
import type { RepositoryKeys } from './keys.ts'
import { isZero, objectPadding, paddedLength } from './padding.ts'
import { compress, damagedInside, decompress } from './zstd.ts'

/** The one format that this program reads and writes. */
export const formatVersion = 1

/** Byte that says what an object is, third in every object. Never reused. */
const kindBytes = {
  config: 1,
  key: 2,
  index: 3,
  intent: 4,
  snapshot: 5,
  gc: 6,
  ack: 7,
  expired: 8,
  deleted: 9,
  note: 10,
  verified: 11,
  drill: 12,
  machine: 13,
  'data-pack': 16,
  'tree-pack': 17,
} as const

export type ObjectKind = keyof typeof kindBytes
export type SealedKind = Exclude<ObjectKind, 'config' | 'key' | 'data-pack' | 'tree-pack'>

export const headerBytes = 4

/** `"HF"`, kind, format version. */
export function objectHeader(kind: ObjectKind): Uint8Array {
  return Uint8Array.of(0x48, 0x46, kindBytes[kind], formatVersion)
}

/**
 * Checks the first four bytes.
 * @throws damaged when this is not such an object, version when another format wrote it.
 */
export function checkHeader(name: string, kind: ObjectKind, bytes: Uint8Array): void {
  const [first, second, third, version] = bytes
  const data = { object: name }
  if (first !== 0x48 || second !== 0x46 || version === undefined) throw new HoldfastError('damaged', `${name} is damaged: it is not an object of Holdfast.`, { data })
  if (version !== formatVersion) throw new HoldfastError('version', `${name} is of format version ${version}; this program knows version ${formatVersion}.`, { data: { ...data, version } })
  if (third !== kindBytes[kind]) throw new HoldfastError('damaged', `${name} is damaged: it is not of kind ${kind}.`, { data })
}

/** No object but packs is larger than this, sealed or plain. */
const maxObjectBytes = 64 * 1024 * 1024

/** Smaller plaintexts are not worth compressing. */
const compressFrom = 128
const objectLevel = 3

/**
 * An object under its own name: header, then a box whose additional data is header and name, so that an object in another's place
 * does not open. zstd inside where it helps.
 */
export function sealObject(keys: RepositoryKeys, name: ObjectName, kind: SealedKind, plain: Uint8Array): Uint8Array {
  if (plain.length > maxObjectBytes) throw new HoldfastError('internal', `${name} would be too large.`)
  const header = objectHeader(kind)
  const wrapped = wrap(plain)
  const box = seal(keys.metadata, additionalData(header, name), wrapped)
  freeBuffer(wrapped)
  const bytes = Buffer.concat([header, box])
  freeBuffer(box)
  return bytes
}

/**
 * The plaintext of an object that was read under `name`.
 * @throws damaged (also when it belongs under another name), version
 */
export function openObject(keys: RepositoryKeys, name: ObjectName, kind: SealedKind, bytes: Uint8Array): Uint8Array {
  checkHeader(name, kind, bytes)
  const additional = additionalData(bytes.subarray(0, headerBytes), name)
  return unwrap(name, unseal(keys.metadata, additional, bytes.subarray(headerBytes), name))
}

export function additionalData(header: Uint8Array, name: string): Uint8Array {
  return Buffer.concat([header, utf8(name)])
}

/** Whether it is compressed, its length, its stored length, the bytes or their zstd frame, and zeros up to a length that tells little. */
const wrapBytes = 9

function wrap(plain: Uint8Array): Uint8Array {
  const frame = plain.length < compressFrom ? plain : compress(plain, objectLevel)
  const stored = frame.length < plain.length ? frame : plain
  const wrapped = Buffer.alloc(paddedLength(wrapBytes + stored.length, objectPadding, systemRandom))
  wrapped.writeUInt8(stored === plain ? 0 : 1)
  wrapped.writeUInt32LE(plain.length, 1)
  wrapped.writeUInt32LE(stored.length, 5)
  wrapped.set(stored, wrapBytes)
  if (frame !== plain) freeBuffer(frame)
  return wrapped
}

function unwrap(name: string, wrapped: Uint8Array): Uint8Array {
  const reader = new ByteReader(wrapped, name)
  const compression = reader.u8()
  const length = reader.u32()
  const stored = reader.bytes(reader.u32())
  if (compression > 1 || length > maxObjectBytes || (compression === 0 && stored.length !== length) || !isZero(reader.bytes(reader.remaining))) throw damagedInside(name)
  if (compression === 0) return stored
  const plain = decompress(stored, length, name)
  freeBuffer(wrapped)
  return plain
}
