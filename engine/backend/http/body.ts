import { createHash } from 'node:crypto'
import { open } from 'node:fs/promises'
import { Readable } from 'node:stream'
import { HoldfastError } from '../../base/errors.ts'
import type { Pace } from '../backend.ts'
import type { Watch } from './watch.ts'

/** A run of bytes of a local file. */
export interface FileRange {
  readonly path: string
  readonly offset: number
  readonly length: number
}

const readBytes = 256 * 1024

/**
 * The body of one request, read slice by slice as the connection takes it; holds at most two slices in memory. Failing reads fail
 * the watch; who gives up taking them does not. Destroy it when the request is over.
 * @param onSent gets the bytes handed on so far
 */
export function fileBody(range: FileRange, watch: Watch, pace: Pace | undefined, onSent: (bytes: number) => void): Readable {
  return Readable.from(watched(slicesOfFile(range, watch, pace, onSent), watch), { objectMode: false, highWaterMark: readBytes })
}

export function bytesBody(bytes: Uint8Array, watch: Watch, pace: Pace | undefined, onSent: (bytes: number) => void): Readable {
  return Readable.from(watched(slicesOfBytes(bytes, watch, pace, onSent), watch), { objectMode: false })
}

/** What making a slice fails with is the watch's; what whoever takes them throws is theirs: they give up, and know why. */
async function* watched(slices: AsyncGenerator<Buffer>, watch: Watch): AsyncGenerator<Buffer> {
  try {
    for (;;) {
      const next = await slices.next().catch((error: unknown) => {
        watch.fail(error)
        throw error
      })
      if (next.done) return
      yield next.value
    }
  } finally {
    await slices.return(undefined)
  }
}

async function* slicesOfFile(range: FileRange, watch: Watch, pace: Pace | undefined, onSent: (bytes: number) => void): AsyncGenerator<Buffer> {
  await using file = await open(range.path, 'r')
  for (let sent = 0; sent < range.length; ) {
    const slice = await watch.granted(Math.min(readBytes, range.length - sent), pace)
    const { buffer, bytesRead } = await file.read(Buffer.allocUnsafe(slice), 0, slice, range.offset + sent)
    if (bytesRead === 0) throw new HoldfastError('damaged', 'The file being sent has become shorter than it was sealed.')
    yield buffer.subarray(0, bytesRead)
    sent += bytesRead
    onSent(sent)
  }
}

async function* slicesOfBytes(bytes: Uint8Array, watch: Watch, pace: Pace | undefined, onSent: (bytes: number) => void): AsyncGenerator<Buffer> {
  for (let sent = 0; sent < bytes.length; ) {
    const granted = await watch.granted(Math.min(readBytes, bytes.length - sent), pace)
    const slice = bytes.subarray(sent, sent + granted)
    yield Buffer.from(slice.buffer, slice.byteOffset, slice.length)
    onSent((sent += slice.length))
  }
}

/** As Content-MD5 wants it. */
export function md5Base64(bytes: Uint8Array): string {
  return createHash('md5').update(bytes).digest('base64')
}

/** MD5 of a part, as hex (an ETag's form). */
export async function md5OfFile(range: FileRange): Promise<string> {
  await using file = await open(range.path, 'r')
  const hash = createHash('md5')
  const buffer = Buffer.allocUnsafe(readBytes)
  for (let offset = 0; offset < range.length; ) {
    const { bytesRead } = await file.read(buffer, 0, Math.min(readBytes, range.length - offset), range.offset + offset)
    if (bytesRead === 0) throw new HoldfastError('damaged', 'The file being sent has become shorter than it was sealed.')
    hash.update(buffer.subarray(0, bytesRead))
    offset += bytesRead
  }
  return hash.digest('hex')
}

/** As x-amz-checksum-crc32 wants it: big-endian, base64. */
export function crc32Base64(crc32: number): string {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(crc32 >>> 0)
  return bytes.toString('base64')
}
