import { constants } from 'node:fs'
import { lstat, open, type FileHandle } from 'node:fs/promises'
import { toFilePath, type ByteString } from '../../base/byte-string.ts'
import { equalBytes } from '../../base/bytes.ts'
import { errnoOf } from '../../base/errno.ts'
import type { BlobHasher } from '../../repository/blob-id.ts'
import type { BlobId } from '../../snapshot/node.ts'
import type { SampledFile } from './sample.ts'

/** Its chunks in order, with their lengths. */
export type Chunks = AsyncIterable<{ readonly id: BlobId, readonly length: number }>

/** Whether a file on the disk is exactly these chunks. Memory: one chunk. Errors: those of the disk. */
export async function isWhole(path: ByteString, chunks: Chunks, hasher: BlobHasher, signal: AbortSignal): Promise<boolean> {
  // A file that became a link or a pipe meanwhile is neither followed nor waited for.
  await using file = await open(toFilePath(path), constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
  let offset = 0
  for await (const { id, length } of chunks) {
    signal.throwIfAborted()
    const bytes = await readExactly(file, offset, length)
    if (!bytes || !equalBytes(hasher.idOf(bytes), id)) return false
    offset += length
  }
  return (await file.stat()).size === offset
}

async function readExactly(file: FileHandle, offset: number, length: number): Promise<Uint8Array | undefined> {
  const bytes = Buffer.alloc(length)
  let read = 0
  while (read < length) {
    const { bytesRead } = await file.read(bytes, read, length - read, offset + read)
    if (bytesRead === 0) return undefined
    read += bytesRead
  }
  return bytes
}

/** Whether the source of a file is as it was when it was stored, by what a backup goes by: size, times and inode. One that is gone, or cannot be looked at, is not. */
export async function isUnchanged(path: ByteString, { size, mtimeNs, ctimeNs, inode }: SampledFile): Promise<boolean> {
  try {
    const stat = await lstat(toFilePath(path), { bigint: true })
    return stat.isFile() && stat.size === BigInt(size) && stat.mtimeNs === mtimeNs && stat.ctimeNs === ctimeNs && BigInt.asUintN(64, stat.ino) === inode
  } catch (error) {
    if (errnoOf(error) === undefined) throw error
    return false
  }
}
