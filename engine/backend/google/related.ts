import { randomBytes } from 'node:crypto'
import { Readable } from 'node:stream'
import type { Body, PutOptions } from '../backend.ts'
import type { HttpReply } from '../http/client.ts'
import { partBody, sizeOf, wholeOf } from '../http/parts.ts'
import type { Promised } from '../http/reply.ts'
import type { Watch } from '../http/watch.ts'
import type { GoogleRequest } from './client.ts'

/** What every object is stored as. */
export const octets = 'application/octet-stream'

/** What the headers of an object's reply promise; a part may come in chunks, and then only `Content-Range` tells how long it is. */
export function promisedOf(headers: HttpReply['headers']): Promised {
  const { 'content-length': told, 'content-range': range } = headers
  const part = /^bytes (\d{1,15})-(\d{1,15})\//.exec(range ?? '')
  return { length: told !== undefined ? Number(told) : part ? Number(part[2]) - Number(part[1]) + 1 : undefined, range }
}

/** One request that brings what is said of an object and its bytes (`uploadType=multipart`): whole, or nothing. */
export function relatedUpload(metadata: object, body: Body, options: PutOptions): Pick<GoogleRequest, 'headers' | 'body'> {
  const boundary = `holdfast-${randomBytes(16).toString('hex')}`
  const head = Buffer.from(`--${boundary}\r\ncontent-type: application/json; charset=UTF-8\r\n\r\n${JSON.stringify(metadata)}\r\n--${boundary}\r\ncontent-type: ${octets}\r\n\r\n`)
  const tail = Buffer.from(`\r\n--${boundary}--\r\n`)
  return {
    headers: { 'content-type': `multipart/related; boundary=${boundary}`, 'content-length': String(head.length + sizeOf(body) + tail.length) },
    body: (watch) => Readable.from(pieces(head, mediaBody(body, watch, options), tail), { objectMode: false }),
  }
}

/** The bytes of an object as they are (`uploadType=media`). */
export function mediaUpload(body: Body, options: PutOptions): Pick<GoogleRequest, 'headers' | 'body'> {
  return { headers: { 'content-type': octets, 'content-length': String(sizeOf(body)) }, body: (watch) => mediaBody(body, watch, options) }
}

function mediaBody(body: Body, watch: Watch, { pace, onProgress }: PutOptions): Readable {
  return partBody(wholeOf(body), watch, pace, (bytes) => { onProgress?.(bytes) })
}

async function* pieces(head: Buffer, media: Readable, tail: Buffer): AsyncGenerator<Buffer> {
  yield head
  for await (const chunk of media as AsyncIterable<Buffer>) yield chunk
  yield tail
}
