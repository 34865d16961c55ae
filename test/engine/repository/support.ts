import { createCipheriv, hash } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openMemory } from '../../../engine/backend/memory/memory.ts'
import type { StorageBackend } from '../../../engine/backend/backend.ts'
import { systemClock } from '../../../engine/base/clock.ts'
import { HoldfastError } from '../../../engine/base/errors.ts'
import type { ErrorCode } from '../../../engine/protocol/errors.ts'
import { BlobHasher } from '../../../engine/repository/blob-id.ts'
import { systemRandom, type ScryptCost } from '../../../engine/repository/crypto.ts'
import { packObject, randomName } from '../../../engine/repository/names.ts'
import { PackWriter, type BlobBytes } from '../../../engine/repository/pack-writer.ts'
import type { BlobLocation, PackContents, SealedPack } from '../../../engine/repository/pack-info.ts'
import { initRepository, type Repository } from '../../../engine/repository/repository.ts'

export { collect } from '../snapshot/support.ts'

export const never = new AbortController().signal
/** Cheap enough for tests, and still scrypt. */
export const cheap: ScryptCost = { N: 1024, r: 8, p: 1 }
export const context = { clock: systemClock, random: systemRandom }

let stores = 0

export function newBackend(): StorageBackend {
  return openMemory(`repository-test-${++stores}`)
}

export async function newRepository(password = 'correct horse'): Promise<Repository> {
  return initRepository(newBackend(), password, { arbiter: 'cas', ...context, cost: cheap }, never)
}

/** Bytes that look random and are the same for a seed everywhere. */
export function noise(seed: string, length: number): Buffer {
  return createCipheriv('aes-256-ctr', hash('sha256', seed, 'buffer'), Buffer.alloc(16)).update(Buffer.alloc(length))
}

/** Bytes that compress. */
export function prose(seed: string, length: number): Buffer {
  return Buffer.from(noise(seed, length).map((byte) => 97 + (byte % 6)))
}

export function blobsOf(repository: Repository, contents: readonly Uint8Array[]): BlobBytes[] {
  const hasher = new BlobHasher(repository.keys.blobId)
  return contents.map((bytes) => ({ id: hasher.idOf(bytes), bytes }))
}

export class Folder implements Disposable {
  readonly path = mkdtempSync(join(tmpdir(), 'holdfast-pack-'))
  #files = 0

  file(): string {
    return join(this.path, `pack-${++this.#files}`)
  }

  [Symbol.dispose](): void {
    rmSync(this.path, { recursive: true, force: true })
  }
}

/** One pack of the groups, a segment each. */
export function writePack(folder: Folder, repository: Repository, groups: readonly (readonly BlobBytes[])[], kind: 'data' | 'tree' = 'data', level = 1): SealedPack {
  const writer = new PackWriter(folder.file(), repository.keys.packs, kind, { level })
  for (const group of groups) writer.append(group)
  return writer.finish()
}

export async function upload(repository: Repository, pack: SealedPack): Promise<string> {
  const name = randomName(systemRandom)
  const { path, size, crc32 } = pack
  await repository.backend.put(packObject(name), { type: 'file', path, size, crc32 }, {}, never)
  return name
}

export function locationsOf(pack: string, contents: PackContents): BlobLocation[] {
  return contents.segments.flatMap(({ offset, storedLength, rawLength, compression, blobs }) => {
    let offsetInSegment = 0
    return blobs.map(({ length }) => {
      const location = { pack, kind: contents.kind, segmentOffset: offset, storedLength, rawLength, compression, blobCount: blobs.length, offsetInSegment, length }
      offsetInSegment += length
      return location
    })
  })
}

/** The code with which an action fails; undefined when it does not. */
export async function codeOf(action: () => unknown): Promise<ErrorCode | undefined> {
  try {
    await action()
    return undefined
  } catch (error) {
    if (error instanceof HoldfastError) return error.code
    throw error
  }
}
