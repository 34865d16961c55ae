import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs'
import { equalBytes } from '../base/bytes.ts'
import { blobHeadroom } from '../repository/blob-id.ts'
import type { BlobHasher } from '../repository/blob-id.ts'
import type { BlobId } from '../snapshot/node.ts'

/** A stretch that a file should hold. */
export interface ExpectedChunk {
  readonly offset: number
  readonly length: number
  readonly id: BlobId
}

/**
 * Which stretches of an existing file hold what they should: one byte each, 1 or 0. All 0 when there is no such file, it cannot be
 * read, or it is not a plain file. Never follows a symlink. Memory: the longest chunk.
 */
export function compareChunks(path: string | Buffer, chunks: readonly ExpectedChunk[], hasher: BlobHasher): Uint8Array {
  const intact = new Uint8Array(chunks.length)
  const descriptor = openQuietly(path)
  if (descriptor === undefined) return intact
  try {
    if (!fstatSync(descriptor).isFile()) return intact
    const longest = chunks.reduce((length, chunk) => Math.max(length, chunk.length), 0)
    const buffer = new Uint8Array(blobHeadroom + longest)
    for (const [index, chunk] of chunks.entries()) {
      if (readFully(descriptor, buffer, chunk) && equalBytes(hasher.id(buffer, blobHeadroom, blobHeadroom + chunk.length), chunk.id)) intact[index] = 1
    }
    return intact
  } catch {
    return intact
  } finally {
    closeSync(descriptor)
  }
}

function openQuietly(path: string | Buffer): number | undefined {
  try {
    return openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
  } catch {
    return undefined
  }
}

function readFully(descriptor: number, buffer: Uint8Array, chunk: ExpectedChunk): boolean {
  for (let done = 0; done < chunk.length; ) {
    const count = readSync(descriptor, buffer, blobHeadroom + done, chunk.length - done, chunk.offset + done)
    if (count === 0) return false
    done += count
  }
  return true
}
