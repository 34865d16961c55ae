import { open } from 'node:fs/promises'
import type { Readable } from 'node:stream'
import { throwIfAborted } from '../../base/abort.ts'
import { HoldfastError } from '../../base/errors.ts'
import type { Body, Pace } from '../backend.ts'
import { bytesBody, fileBody } from './body.ts'
import type { Watch } from './watch.ts'

const readBytes = 256 * 1024

/** A run of bytes of what is put. */
export interface Part {
  readonly body: Body
  readonly offset: number
  readonly length: number
}

export function sizeOf(body: Body): number {
  return body.type === 'bytes' ? body.bytes.length : body.size
}

export function wholeOf(body: Body): Part {
  return { body, offset: 0, length: sizeOf(body) }
}

/** The body of a request that sends a part. Destroy it when the request is over. @param onSent gets the bytes of the part handed on so far */
export function partBody({ body, offset, length }: Part, watch: Watch, pace: Pace | undefined, onSent: (bytes: number) => void): Readable {
  if (body.type === 'file') return fileBody({ path: body.path, offset, length }, watch, pace, onSent)
  return bytesBody(body.bytes.subarray(offset, offset + length), watch, pace ?? (() => undefined), onSent)
}

/** Tells a part's bytes in order, in slices; one of a file is read, and its slice is overwritten by the next. Errors: damaged (the file is shorter than it says). */
export async function readPart({ body, offset, length }: Part, onSlice: (bytes: Uint8Array) => void, signal: AbortSignal): Promise<void> {
  if (body.type === 'bytes') {
    onSlice(body.bytes.subarray(offset, offset + length))
    return
  }
  await using file = await open(body.path, 'r')
  const buffer = Buffer.allocUnsafe(Math.min(readBytes, length))
  for (let read = 0; read < length; ) {
    throwIfAborted(signal)
    const { bytesRead } = await file.read(buffer, 0, Math.min(readBytes, length - read), offset + read)
    if (bytesRead === 0) throw new HoldfastError('damaged', 'The file being sent has become shorter than it was sealed.')
    onSlice(buffer.subarray(0, bytesRead))
    read += bytesRead
  }
}
