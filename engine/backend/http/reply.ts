import type { Readable } from 'node:stream'
import { HoldfastError } from '../../base/errors.ts'
import { maximumWholeBytes, type ByteRange, type Pace } from '../backend.ts'
import type { HttpReply } from './client.ts'
import { causeError, endless } from './failure.ts'
import type { Watch } from './watch.ts'

/** The whole body of a reply that is no object. Errors: unavailable (larger than the limit, or broken off). */
export async function readSmall({ status, body }: HttpReply, watch: Watch): Promise<Buffer> {
  const mostBytes = status >= 300 ? watch.limits.refusalBytes : watch.limits.smallReplyBytes
  const chunks: Buffer[] = []
  let got = 0
  try {
    for await (const chunk of body as AsyncIterable<Buffer>) {
      watch.moved(chunk.length)
      if ((got += chunk.length) > mostBytes) throw causeError(endless, [], { reason: 'EndlessReply' })
      chunks.push(chunk)
    }
    return Buffer.concat(chunks)
  } finally {
    body.destroy()
  }
}

/** What the headers of an object's reply promise. */
export interface Promised {
  readonly length: number | undefined
  /** `Content-Range`. */
  readonly range: string | undefined
}

/**
 * The bytes of an object that were asked for: neither fewer nor more, and memory is taken only for what can be right.
 * Errors: damaged (the object ends before), unavailable (broken off, another part), unsupported (no ranges).
 */
export async function readObject(name: string, range: ByteRange | 'all', promised: Promised, body: Readable, watch: Watch, pace: Pace | undefined): Promise<Uint8Array> {
  const stop = (): void => { body.destroy() }
  watch.signal.addEventListener('abort', stop, { once: true })
  try {
    const length = expectedLength(name, range, promised)
    const bytes = Buffer.allocUnsafeSlow(length)
    let got = 0
    for await (const chunk of body as AsyncIterable<Buffer>) {
      watch.moved(chunk.length)
      if (got + chunk.length > length) throw new HoldfastError('unavailable', `The storage sent more of ${name} than it said.`)
      chunk.copy(bytes, got)
      got += chunk.length
      for (let left = chunk.length; left > 0; ) left -= await watch.granted(left, pace)
    }
    if (got !== length) throw new HoldfastError('unavailable', `The storage broke off in the middle of ${name}.`)
    return bytes
  } finally {
    watch.signal.removeEventListener('abort', stop)
    body.destroy()
  }
}

function expectedLength(name: string, range: ByteRange | 'all', { length, range: told }: Promised): number {
  if (length === undefined) throw new HoldfastError('unavailable', `The storage does not say how long ${name} is.`)
  if (range === 'all') {
    if (length > maximumWholeBytes) throw new HoldfastError('damaged', `${name} is too large to be read whole.`)
    return length
  }
  if (told === undefined && (range.offset > 0 || length > range.length)) throw new HoldfastError('unsupported', 'The storage cannot read parts of objects.')
  if (length < range.length) throw new HoldfastError('damaged', `${name} ends before the bytes that were asked for.`)
  const begins = told === undefined || told.trim().toLowerCase().startsWith(`bytes ${range.offset}-${range.offset + range.length - 1}/`)
  if (length > range.length || !begins) throw new HoldfastError('unavailable', `The storage returned another part of ${name} than was asked for.`)
  return range.length
}
