import * as v from 'valibot'
import { fromHex, toHex, utf8 } from '../base/bytes.ts'
import { HoldfastError } from '../base/errors.ts'
import { keyBytes, seal, unseal } from './crypto.ts'
import { base64, type RepositoryKeys } from './keys.ts'
import { configObject } from './names.ts'
import { additionalData, checkHeader, headerBytes, objectHeader } from './sealed.ts'

/** Fixed when the repository is made. Sealed, so that a storage cannot weaken the arbiter or the chunker. */
export interface RepositoryConfig {
  readonly formatVersion: 1
  /** 32 hex digits. Plain in the object, so that an address can be recognised without a password. */
  readonly repositoryId: string
  /** How commits are decided (protocol/PROTOCOL.md). */
  readonly arbiter: 'cas' | 'flags'
  readonly chunker: ChunkerParameters
  readonly createdMs: number
  /** Made like another repository: keys that take the place of those that the master key would give. */
  readonly content?: ContentKeys
}

/** What decides where files are cut and what their pieces are called: repositories that have the same know each other's pieces. */
export type ContentKeys = Pick<RepositoryKeys, 'blobId' | 'chunker'>

/** Chunk sizes in bytes. */
export interface ChunkerParameters {
  readonly minBytes: number
  readonly averageBytes: number
  readonly maxBytes: number
}

export const standardChunker: ChunkerParameters = { minBytes: 256 * 1024, averageBytes: 1024 * 1024, maxBytes: 4 * 1024 * 1024 }

/** No chunk and no other blob is larger; what reads blobs takes memory up to this. */
export const maxBlobBytes = 16 * 1024 * 1024

const idBytes = 16
const configHeadBytes = headerBytes + idBytes
const size = v.pipe(v.number(), v.safeInteger())

const chunkerSchema = v.pipe(
  v.strictObject({
    minBytes: v.pipe(size, v.minValue(64)),
    averageBytes: size,
    maxBytes: v.pipe(size, v.maxValue(maxBlobBytes)),
  }),
  v.check(({ minBytes, averageBytes, maxBytes }) => minBytes < averageBytes && averageBytes < maxBytes, 'sizes out of order'),
  v.check(({ averageBytes }) => Math.log2(averageBytes) % 1 === 0, 'the average is not a power of two'),
)

const contentKey = v.pipe(base64, v.check(({ length }) => length === keyBytes, 'not a key'), v.transform((bytes) => Uint8Array.from(bytes)))

const sealedSchema = v.pipe(v.string(), v.parseJson(), v.strictObject({
  arbiter: v.picklist(['cas', 'flags']),
  chunker: chunkerSchema,
  createdMs: v.number(),
  content: v.exactOptional(v.strictObject({ blobId: contentKey, chunker: contentKey })),
}))

export function encodeConfig(keys: RepositoryKeys, config: RepositoryConfig): Uint8Array {
  const head = Buffer.concat([objectHeader('config'), fromHex(config.repositoryId)])
  const { arbiter, chunker, createdMs, content } = config
  const kept = content && { blobId: Buffer.from(content.blobId).toString('base64'), chunker: Buffer.from(content.chunker).toString('base64') }
  const plain = utf8(JSON.stringify({ arbiter, chunker, createdMs, content: kept }))
  return Buffer.concat([head, seal(keys.metadata, additionalData(head, configObject), plain)])
}

/** What can be known without a password. @throws damaged, version */
export function readRepositoryId(bytes: Uint8Array): string {
  checkHeader(configObject, 'config', bytes)
  if (bytes.length < configHeadBytes) throw new HoldfastError('damaged', 'config is damaged: it ends too early.', { data: { object: configObject } })
  return toHex(bytes.subarray(headerBytes, configHeadBytes))
}

/** @throws damaged, version */
export function decodeConfig(keys: RepositoryKeys, bytes: Uint8Array): RepositoryConfig {
  const repositoryId = readRepositoryId(bytes)
  const head = bytes.subarray(0, configHeadBytes)
  const plain = unseal(keys.metadata, additionalData(head, configObject), bytes.subarray(configHeadBytes), configObject)
  const parsed = v.safeParse(sealedSchema, Buffer.from(plain).toString('utf8'))
  if (!parsed.success) throw new HoldfastError('damaged', 'config is damaged: its content is not what this version writes.', { data: { object: configObject } })
  return { formatVersion: 1, repositoryId, ...parsed.output }
}
