import { createHash } from 'node:crypto'
import { toHex, utf8 } from '../../engine/base/bytes.ts'
import type { Clock } from '../../engine/base/clock.ts'
import type { StorageBackend } from '../../engine/backend/backend.ts'
import { BlobHasher } from '../../engine/repository/blob-id.ts'
import { standardChunker } from '../../engine/repository/config.ts'
import type { Random, SealedParts } from '../../engine/repository/crypto.ts'
import { deriveKeys, jobKeyOf } from '../../engine/repository/keys.ts'
import { sealPackEnd } from '../../engine/repository/pack-end.ts'
import type { PackContents, PackSegment } from '../../engine/repository/pack-info.ts'
import type { CopiedBlob, PackMaker } from '../../engine/repository/protocol/prune-context.ts'
import type { Repository } from '../../engine/repository/repository.ts'
import { objectHeader, openObject } from '../../engine/repository/sealed.ts'
import type { SealedKind } from '../../engine/repository/sealed.ts'
import { sealSegment } from '../../engine/repository/segment.ts'
import type { Manifest } from '../../engine/snapshot/manifest.ts'
import type { BlobId } from '../../engine/snapshot/node.ts'
import { encodeLeaf } from '../../engine/snapshot/tree.ts'
import { shortHash } from './store.ts'

const masterKey = createHash('sha256').update('a world for tests').digest()
export const keys = deriveKeys(masterKey)
const hasher = new BlobHasher(keys.blobId)

export const nowMs = 1_800_000_000_000

/** Stands still; whoever sleeps wakes at once. */
export const stillClock: Clock = { now: () => nowMs, monotonic: () => nowMs, sleep: () => Promise.resolve() }

/** Where a sync has its source: in the same store, in this folder. */
export const sourceFolder = 'source/'
export const sourceId = '1'.repeat(32)

export function repositoryOn(backend: StorageBackend, arbiter: 'cas' | 'flags', repositoryId = '0'.repeat(32)): Repository {
  const config = { formatVersion: 1, repositoryId, arbiter, chunker: standardChunker, createdMs: nowMs } as const
  return { backend, config, keys, masterKey, keyName: '0'.repeat(32) }
}

export function jobKey(job: string): string {
  return jobKeyOf(keys, job)
}

/** Bytes that only depend on who asks and how often: names are the same in every replay. */
export function randomOf(actor: string): Random {
  let count = 0
  return (length) => createHash('sha512').update(`${actor} ${count++}`).digest().subarray(0, length)
}

/** The chunk that a letter stands for. */
export function chunk(letter: string): CopiedBlob {
  const bytes = utf8(`chunk ${letter}`)
  return { id: hasher.idOf(bytes), bytes }
}

/** The tree of a snapshot that needs these chunks: one file for each. */
export function tree(letters: string): CopiedBlob {
  const bytes = encodeLeaf([...letters].sort().map((letter) => ({
    type: 'file', name: utf8(letter), mode: 0o644, uid: 0, gid: 0, mtimeNs: 0n, ctimeNs: 0n, inode: 1n, device: 1n,
    size: 7, sparse: false, linkCount: 1, content: { depth: 0, ids: [chunk(letter).id] },
  }))).slice()
  return { id: hasher.idOf(bytes), bytes }
}

/** Everything a snapshot of these chunks needs, tree first. */
export function closure(letters: string): readonly CopiedBlob[] {
  return [tree(letters), ...[...letters].sort().map(chunk)]
}

/** Root id → blob ids of its closure, for every set of letters that a world uses. */
const closures = new Map<string, readonly string[]>()

export function closureOfRoot(root: string): readonly string[] {
  return closures.get(root) ?? []
}

export function manifestOf(job: string, letters: string): Manifest {
  const root = toHex(tree(letters).id)
  closures.set(root, closure(letters).map((blob) => toHex(blob.id)))
  return {
    version: 1, job, host: 'h', user: 'u', sources: [], root, startedMs: nowMs, finishedMs: nowMs, timeZone: 'UTC',
    counters: { files: 1, directories: 0, others: 0, bytes: 1, uploadedBytes: 0 }, program: 'model', problems: 0,
  }
}

interface MadePack {
  readonly bytes: Uint8Array
  readonly contents: PackContents
}

const made = new Map<string, MadePack>()

/** A real pack in memory; the same blobs give the same bytes. Kind `tree` holds both, so that a world needs fewer packs. */
export function makePack(groups: readonly (readonly CopiedBlob[])[]): MadePack {
  const key = groups.map((group) => group.map(({ id }) => toHex(id)).join(',')).join(';')
  const known = made.get(key)
  if (known) return known
  const parts: Uint8Array[] = [objectHeader('tree-pack')]
  const segments: PackSegment[] = []
  let size = 4
  for (const group of groups) {
    const sealed = sealSegment(keys.packs, 'tree', group.map(({ bytes }) => bytes), 0)
    const { storedLength, rawLength, compression } = sealed
    segments.push({ offset: size, storedLength, rawLength, compression, blobs: group.map(({ id, bytes }) => ({ id, length: bytes.length })) })
    parts.push(...flat(sealed.parts))
    size += storedLength
  }
  const contents: PackContents = { kind: 'tree', segments }
  const pack = { bytes: Buffer.concat([...parts, sealPackEnd(keys.packs, contents)]), contents }
  made.set(key, pack)
  blobsOfBytes.set(shortHash(pack.bytes), segments.flatMap((segment) => segment.blobs.map((blob) => toHex(blob.id))))
  return pack
}

/** Blob ids by hash of a pack's bytes. */
const blobsOfBytes = new Map<string, readonly string[]>()

export function blobsOfTag(tag: string): readonly string[] {
  return blobsOfBytes.get(tag) ?? []
}

function flat({ salt, ciphertext, tag }: SealedParts): Uint8Array[] {
  return [salt, ciphertext, tag]
}

/** Fills one pack at a time, so that a world needs fewer packs. */
export const memoryPacks: PackMaker = {
  atOnce: 1,
  begin() {
    const groups: (readonly CopiedBlob[])[] = []
    let bytesWritten = 0
    return {
      append(blobs) {
        groups.push(blobs.map(({ id, bytes }) => ({ id, bytes: bytes.slice() })))
        bytesWritten += blobs.reduce((sum, { bytes }) => sum + bytes.length, 0)
      },
      absorb() { throw new Error('the model fills one pack at a time') },
      get bytesWritten() { return bytesWritten },
      finish() {
        const { bytes, contents } = makePack(groups)
        return { body: { type: 'bytes', bytes }, size: bytes.length, contents, discard: () => undefined }
      },
      discard: () => undefined,
    }
  },
}

const kindOfFolder: Readonly<Record<string, SealedKind>> = {
  intents: 'intent', snapshots: 'snapshot', gc: 'gc', acks: 'ack', index: 'index', expired: 'expired', deleted: 'deleted',
}

/** What is inside an object, whatever its seal. Packs: their bytes, which makePack repeats. */
export function tagOf(object: string, bytes: Uint8Array): string {
  const name = object.startsWith(sourceFolder) ? object.slice(sourceFolder.length) : object
  const kind = kindOfFolder[name.slice(0, name.indexOf('/'))]
  if (kind === undefined) return shortHash(bytes)
  try {
    return Buffer.from(openObject(keys, name, kind, bytes)).toString('latin1')
  } catch {
    return `unreadable ${shortHash(bytes)}`
  }
}

export function idHex(id: BlobId): string {
  return toHex(id)
}
