import type { IncomingMessage, ServerResponse } from 'node:http'
import { once } from 'node:events'
import { hasCode, toWireError } from '../../base/errors.ts'
import type { CommandContext } from '../context.ts'
import { contentTag, type ContentReader } from './content.ts'
import { mostRequestBytes, multistatusEnd, multistatusStart, httpDate, parsePropfind, responseXml, type Wanted } from './properties.ts'
import { parseRange } from './ranges.ts'
import type { FileItem, Item, Shelf } from './shelf.ts'

const methods = 'OPTIONS, PROPFIND, GET, HEAD'
/** Of a listing: each write costs the system a call. */
const batchBytes = 32 * 1024

/** What the browser is not to do with what was once on a disk: guess what it is, show it as a page of ours. */
const fileHeaders = {
  'content-type': 'application/octet-stream', 'content-disposition': 'attachment', 'x-content-type-options': 'nosniff',
  'content-security-policy': "default-src 'none'; sandbox", 'cache-control': 'private, no-cache', 'accept-ranges': 'bytes',
}

interface HandlerParts {
  readonly shelf: Shelf
  readonly content: ContentReader
  readonly context: CommandContext
}

/** Answers what may ask: WebDAV class 1, of which it does what reads (RFC 4918). */
export class DavHandler {
  readonly #parts: HandlerParts

  constructor(parts: HandlerParts) {
    this.#parts = parts
  }

  /** Never rejects: what cannot be read ends the answer as an error, or breaks it off where it has begun. */
  async serve(request: IncomingMessage, reply: ServerResponse): Promise<void> {
    try {
      await this.#answer(request, reply)
    } catch (error) {
      if (reply.destroyed) return
      const { context } = this.#parts
      if (!context.signal.aborted) context.log.write('warning', `${request.method ?? ''} could not be answered: ${toWireError(error).message}`)
      if (reply.headersSent) reply.destroy()
      else if (hasCode(error, 'offline', 'unavailable', 'throttled', 'aborted')) sendStatus(reply, 503)
      else sendStatus(reply, 500)
    }
  }

  async #answer(request: IncomingMessage, reply: ServerResponse): Promise<void> {
    const { method } = request
    if (method !== 'PROPFIND') request.resume()
    if (method === 'OPTIONS') reply.writeHead(200, { dav: '1', 'ms-author-via': 'DAV', allow: methods, 'content-length': 0 }).end()
    else if (method === 'PROPFIND') await this.#propfind(request, reply)
    else if (method === 'GET' || method === 'HEAD') await this.#get(request, reply)
    // Whatever comes with it is not waited for.
    else sendStatus(reply, 405, { allow: methods, connection: 'close' })
  }

  async #propfind(request: IncomingMessage, reply: ServerResponse): Promise<void> {
    const body = await bodyOf(request)
    const wanted = body === undefined ? undefined : parsePropfind(body)
    const path = pathOf(request.url)
    const depth = request.headers['depth']
    if (body === undefined) sendStatus(reply, 413, { connection: 'close' })
    else if (!wanted || !path) sendStatus(reply, 400)
    else if (depth !== '0' && depth !== '1') sendXml(reply, 403, '<D:error xmlns:D="DAV:"><D:propfind-finite-depth/></D:error>')
    else {
      const item = await this.#parts.shelf.find(path)
      if (!item) sendStatus(reply, 404)
      else await list(reply, { path, item, wanted, deep: depth === '1' })
    }
  }

  async #get(request: IncomingMessage, reply: ServerResponse): Promise<void> {
    const path = pathOf(request.url)
    const item = path && await this.#parts.shelf.find(path)
    if (!path) sendStatus(reply, 400)
    else if (!item) sendStatus(reply, 404)
    else if (item.type === 'folder') sendStatus(reply, 405, { allow: 'OPTIONS, PROPFIND' })
    else await this.#file(item, request, reply)
  }

  async #file(item: FileItem, { method, headers }: IncomingMessage, reply: ServerResponse): Promise<void> {
    const { node: { size }, node } = item
    const etag = contentTag(node)
    const modified = httpDate(item.modifiedMs)
    const common = { ...fileHeaders, etag, ...(modified === undefined ? {} : { 'last-modified': modified }) }
    if (isAmong(headers['if-none-match'], etag)) {
      reply.writeHead(304, { etag }).end()
      return
    }
    const condition = headers['if-range']
    const holds = condition === undefined || condition === etag || condition === modified
    const stretch = parseRange(method === 'GET' && holds && typeof headers.range === 'string' ? headers.range : undefined, size)
    if (stretch.type === 'none') {
      sendStatus(reply, 416, { 'content-range': `bytes */${size}` })
      return
    }
    const { start, end } = stretch.type === 'part' ? stretch : { start: 0, end: size }
    const head = { ...common, 'content-length': end - start, ...(stretch.type === 'part' ? { 'content-range': `bytes ${start}-${end - 1}/${size}` } : {}) }
    const status = stretch.type === 'part' ? 206 : 200
    if (method === 'HEAD') reply.writeHead(status, head).end()
    else await send(reply, () => { reply.writeHead(status, head) }, this.#parts.content.read(node, start, end))
  }
}

interface Listing {
  readonly path: readonly string[]
  readonly item: Item
  readonly wanted: Wanted
  readonly deep: boolean
}

async function list(reply: ServerResponse, listing: Listing): Promise<void> {
  await send(reply, () => { reply.writeHead(207, { 'content-type': 'application/xml; charset=utf-8', 'cache-control': 'no-store' }) }, documentOf(listing))
}

async function* documentOf({ path, item, wanted, deep }: Listing): AsyncGenerator<string> {
  let batch = multistatusStart + responseXml(path, item, wanted)
  if (deep && item.type === 'folder') {
    for await (const below of item.items()) {
      batch += responseXml([...path, below.name], below, wanted)
      if (batch.length < batchBytes) continue
      yield batch
      batch = ''
    }
  }
  yield batch + multistatusEnd
}

/** The head goes out with the first part, so that what cannot be read from its beginning on has a status of its own. A slow client holds back reading, one that went away ends it. */
async function send(reply: ServerResponse, begin: () => void, parts: AsyncIterable<Uint8Array | string>): Promise<void> {
  const gone = new AbortController()
  reply.once('close', () => { gone.abort() })
  for await (const part of parts) {
    if (reply.destroyed) return
    if (!reply.headersSent) begin()
    if (!reply.write(part)) await once(reply, 'drain', { signal: gone.signal })
  }
  if (!reply.headersSent) begin()
  reply.end()
}

/** Decoded names; undefined for what no client makes of an address. Names such as `..` are names like others: no entry has them. */
function pathOf(target: string | undefined): readonly string[] | undefined {
  const [path = ''] = (target ?? '').split('?', 1)
  if (!path.startsWith('/')) return undefined
  try {
    return path.split('/').filter((part) => part !== '').map((part) => decodeURIComponent(part))
  } catch {
    return undefined
  }
}

/** Undefined: it is too long. */
async function bodyOf(request: IncomingMessage): Promise<string | undefined> {
  const chunks: Buffer[] = []
  let length = 0
  for await (const chunk of request as AsyncIterable<Buffer>) {
    length += chunk.length
    if (length > mostRequestBytes) return undefined
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}

function isAmong(header: string | undefined, etag: string): boolean {
  return header !== undefined && (header.trim() === '*' || header.split(',').some((one) => one.trim().replace(/^W\//, '') === etag))
}

export function sendStatus(reply: ServerResponse, status: number, headers: Readonly<Record<string, string>> = {}): void {
  reply.writeHead(status, { ...headers, 'content-length': 0 }).end()
}

function sendXml(reply: ServerResponse, status: number, xml: string): void {
  reply.writeHead(status, { 'content-type': 'application/xml; charset=utf-8' }).end(`<?xml version="1.0" encoding="utf-8"?>\n${xml}\n`)
}
