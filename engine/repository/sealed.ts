import { zstdCompressSync, zstdDecompressSync, constants } from 'node:zlib'
import { asBuffer, ByteWriter, utf8 } from '../base/bytes.ts'
import { HoldfastError } from '../base/errors.ts'
import { freeBuffer } from '../base/memory.ts'
import type { ObjectName } from '../backend/backend.ts'
import { seal, unseal } from './crypto.ts'
import type { RepositoryKeys } from './keys.ts'

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

/** 0 and the bytes, or 1, their length (u32) and their zstd frame. */
function wrap(plain: Uint8Array): Uint8Array {
  const writer = new ByteWriter(plain.length + 8)
  const compressed = plain.length < compressFrom ? plain : compress(plain, objectLevel)
  if (compressed.length + 4 >= plain.length) {
    writer.u8(0)
    writer.bytes(plain)
    return writer.written()
  }
  writer.u8(1)
  writer.u32(plain.length)
  writer.bytes(compressed)
  freeBuffer(compressed)
  return writer.written()
}

function unwrap(name: string, wrapped: Uint8Array): Uint8Array {
  if (wrapped[0] === 0) return wrapped.subarray(1)
  const length = wrapped.length >= 5 ? asBuffer(wrapped).readUInt32LE(1) : 0
  if (wrapped[0] !== 1 || length === 0 || length > maxObjectBytes) throw damagedInside(name)
  const plain = decompress(wrapped.subarray(5), length, name)
  freeBuffer(wrapped)
  return plain
}

/** One zstd frame, in a buffer of its own. */
export function compress(plain: Uint8Array, level: number): Uint8Array {
  // An output buffer that surely suffices lets zstd work in one go, half again as fast as Node's 16 KiB steps.
  const chunkSize = plain.length + (plain.length >>> 7) + 512
  return zstdCompressSync(plain, { chunkSize, params: { [constants.ZSTD_c_compressionLevel]: level } })
}

/** A zstd frame that must give exactly `length` bytes; never takes memory for more. @throws damaged */
export function decompress(frame: Uint8Array, length: number, what: string): Uint8Array {
  try {
    // A buffer that is filled to its last byte would make Node take another one, to see whether there is more.
    const plain = zstdDecompressSync(frame, { maxOutputLength: length, chunkSize: length + 64 })
    if (plain.length === length) return plain
  } catch (error) {
    throw damagedInside(what, error)
  }
  throw damagedInside(what)
}

function damagedInside(what: string, cause?: unknown): HoldfastError {
  return new HoldfastError('damaged', `${what} is damaged: its content does not unpack.`, { cause, data: { object: what } })
}
