import { createHash } from 'node:crypto'
import { readPart, type Part } from '../http/parts.ts'

/** https://www.dropbox.com/developers/reference/content-hash */
const blockBytes = 4 * 1024 * 1024
const digestBytes = 32

/** The SHA-256 of each block of 4 MiB, one after the other: what `content_hash` is made of. 8 bytes for each MiB. */
export async function blocksOf(part: Part, signal: AbortSignal): Promise<Buffer> {
  const digests: Buffer[] = []
  let hash = createHash('sha256')
  let left = blockBytes
  await readPart(part, (bytes) => {
    for (let at = 0; at < bytes.length; ) {
      const slice = bytes.subarray(at, at + left)
      hash.update(slice)
      at += slice.length
      left -= slice.length
      if (left > 0) continue
      digests.push(hash.digest())
      hash = createHash('sha256')
      left = blockBytes
    }
  }, signal)
  if (left < blockBytes) digests.push(hash.digest())
  return Buffer.concat(digests)
}

/** `content_hash` of those blocks. */
export function contentHash(blocks: Buffer): string {
  return createHash('sha256').update(blocks).digest('hex')
}

/** Of a part that begins between two blocks, from the blocks of all; of others it has to be read. */
export async function partHash(part: Part, blocks: Buffer, signal: AbortSignal): Promise<string> {
  if (part.offset % blockBytes !== 0) return contentHash(await blocksOf(part, signal))
  const end = part.offset + part.length
  const isWhole = end % blockBytes === 0 || Math.ceil(end / blockBytes) * digestBytes === blocks.length
  if (!isWhole) return contentHash(await blocksOf(part, signal))
  return contentHash(blocks.subarray((part.offset / blockBytes) * digestBytes, Math.ceil(end / blockBytes) * digestBytes))
}
