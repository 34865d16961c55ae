import { readSync } from 'node:fs'
import { equalBytes } from '../base/bytes.ts'
import { blobHeadroom } from '../repository/blob-id.ts'
import type { BlobHasher } from '../repository/blob-id.ts'
import type { BlobId } from '../snapshot/node.ts'
import { errnoOf } from '../base/errno.ts'

/** A stretch that a file should hold. */
export interface ExpectedChunk {
  readonly offset: number
  readonly length: number
  readonly id: BlobId
}

/**
 * Which stretches of an open file hold what they should: one byte each, 1 or 0. All 0 from where it cannot be read. Memory: the longest
 * chunk.
 */
export function compareChunks(descriptor: number, chunks: readonly ExpectedChunk[], hasher: BlobHasher): Uint8Array {
  const intact = new Uint8Array(chunks.length)
  const longest = chunks.reduce((length, chunk) => Math.max(length, chunk.length), 0)
  const buffer = new Uint8Array(blobHeadroom + longest)
  try {
    for (const [index, chunk] of chunks.entries()) {
      if (readFully(descriptor, buffer, chunk) && equalBytes(hasher.id(buffer, blobHeadroom, blobHeadroom + chunk.length), chunk.id)) intact[index] = 1
    }
  } catch (error) {
    if (errnoOf(error) === undefined) throw error
  }
  return intact
}

function readFully(descriptor: number, buffer: Uint8Array, chunk: ExpectedChunk): boolean {
  for (let done = 0; done < chunk.length; ) {
    const count = readSync(descriptor, buffer, blobHeadroom + done, chunk.length - done, chunk.offset + done)
    if (count === 0) return false
    done += count
  }
  return true
}
