import { createHash } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { createServer as createNetServer, type AddressInfo, type Server, type Socket } from 'node:net'
import { setTimeout as wait } from 'node:timers/promises'

/** One request, and everything a liar needs to answer it. */
export interface Exchange {
  readonly type: 'list' | 'get' | 'head' | 'put' | 'delete' | 'other'
  /** Object key, or the prefix of a list. */
  readonly key: string
  readonly token: string | undefined
  readonly request: IncomingMessage
  readonly reply: ServerResponse
  readonly socket: Socket
  readonly objects: Map<string, Buffer>
  /** How many requests came before this one. */
  readonly count: number
  /** Answers as S3 does. */
  honest(): void
}

/** Answers a request in its own way. */
export type Lie = (exchange: Exchange) => void | Promise<void>

/**
 * An S3 server of one bucket in memory that answers every request as its lie wants. Signatures are not looked at. With a `banner` it is no
 * HTTP server at all: it says that to whoever connects.
 */
export class HostileS3 implements AsyncDisposable {
  readonly objects: Map<string, Buffer>
  readonly requests: string[] = []
  readonly #lie: Lie | undefined
  readonly #server: Server
  readonly #sockets = new Set<Socket>()

  private constructor(objects: ReadonlyMap<string, Buffer>, lie: Lie | undefined, banner: Buffer | undefined) {
    this.objects = new Map(objects)
    this.#lie = lie
    const http = createServer({ requestTimeout: 0, headersTimeout: 0, keepAliveTimeout: 0 }, (request, reply) => { this.#answer(request, reply) })
    this.#server = createNetServer({ noDelay: true }, (socket) => {
      this.#sockets.add(socket)
      socket.on('close', () => this.#sockets.delete(socket)).on('error', () => undefined)
      if (banner) socket.on('data', () => undefined).write(banner)
      else http.emit('connection', socket)
    })
  }

  static async start(objects: ReadonlyMap<string, Buffer>, lie?: Lie, banner?: Buffer): Promise<HostileS3> {
    const server = new HostileS3(objects, lie, banner)
    await new Promise<void>((resolve) => { server.#server.listen(0, '127.0.0.1', resolve) })
    return server
  }

  get endpoint(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  /** Address of a repository whose objects lie at the root of the bucket. */
  get url(): string {
    return `s3://bucket?endpoint=${encodeURIComponent(this.endpoint)}`
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy()
    await new Promise((resolve) => this.#server.close(resolve))
  }

  #answer(request: IncomingMessage, reply: ServerResponse): void {
    const url = new URL(request.url ?? '', 'http://host')
    const key = decodeURIComponent(url.pathname.replace(/^\/bucket\/?/, ''))
    const type = typeOf(request.method ?? '', url.searchParams)
    request.on('error', () => undefined)
    reply.on('error', () => undefined)
    const exchange: Exchange = {
      type, key: type === 'list' ? (url.searchParams.get('prefix') ?? '') : key, token: url.searchParams.get('continuation-token') ?? undefined,
      request, reply, socket: request.socket, objects: this.objects, count: this.requests.length, honest: () => { void honest(exchange) },
    }
    this.requests.push(`${type} ${exchange.key}`)
    void (this.#lie ?? honest)(exchange)
  }
}

function typeOf(method: string, query: URLSearchParams): Exchange['type'] {
  if (method === 'GET' && query.get('list-type') === '2') return 'list'
  if ([...query.keys()].some((name) => ['uploads', 'uploadId', 'delete'].includes(name))) return 'other'
  const types: Readonly<Record<string, Exchange['type']>> = { GET: 'get', HEAD: 'head', PUT: 'put', DELETE: 'delete' }
  return types[method] ?? 'other'
}

/** The whole body of a request. */
async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk)
  return Buffer.concat(chunks)
}

export function sendXml(reply: ServerResponse, status: number, xml: string, headers: Readonly<Record<string, string>> = {}): void {
  const bytes = Buffer.from(`<?xml version="1.0" encoding="UTF-8"?>\n${xml}`)
  reply.writeHead(status, { 'content-type': 'application/xml', 'content-length': bytes.length, 'x-amz-request-id': 'tx0001', ...headers }).end(reply.req.method === 'HEAD' ? undefined : bytes)
}

export function sendError(reply: ServerResponse, status: number, code: string, more = '', headers: Readonly<Record<string, string>> = {}): void {
  sendXml(reply, status, `<Error><Code>${code}</Code><Message>${code}</Message>${more}</Error>`, headers)
}

export function listEntry(key: string, size: number): string {
  return `<Contents><Key>${key}</Key><LastModified>2026-01-01T00:00:00.000Z</LastModified><ETag>"x"</ETag><Size>${size}</Size></Contents>`
}

/** @param next the next page's token; without it the list ends here */
export function listPage(entries: readonly string[], next?: string): string {
  const more = next === undefined ? '<IsTruncated>false</IsTruncated>' : `<IsTruncated>true</IsTruncated><NextContinuationToken>${next}</NextContinuationToken>`
  return `<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Name>bucket</Name>${more}${entries.join('')}</ListBucketResult>`
}

/** The part of an object that is asked for, and its headers. */
export function partOf(bytes: Buffer, range: string | undefined): { readonly status: number; readonly bytes: Buffer; readonly headers: Record<string, string> } {
  const match = /^bytes=(\d+)-(\d+)$/.exec(range ?? '')
  const headers = { 'content-type': 'application/octet-stream', etag: `"${createHash('md5').update(bytes).digest('hex')}"`, 'last-modified': 'Thu, 01 Jan 2026 00:00:00 GMT' }
  if (!match) return { status: 200, bytes, headers: { ...headers, 'content-length': String(bytes.length) } }
  const part = bytes.subarray(Number(match[1]), Number(match[2]) + 1)
  const last = Number(match[1]) + part.length - 1
  return { status: 206, bytes: part, headers: { ...headers, 'content-length': String(part.length), 'content-range': `bytes ${match[1]}-${last}/${bytes.length}` } }
}

async function honest({ type, key, token, request, reply, objects }: Exchange): Promise<void> {
  const body = await bodyOf(request).catch(() => undefined)
  if (!body) return
  const stored = objects.get(key)
  if (type === 'list') {
    const keys = [...objects.keys()].filter((name) => name.startsWith(key) && name > (token ?? '')).sort()
    sendXml(reply, 200, listPage(keys.slice(0, 1000).map((name) => listEntry(name, objects.get(name)?.length ?? 0)), keys.length > 1000 ? keys[999] : undefined))
  } else if (type === 'get' || type === 'head') {
    if (!stored) sendError(reply, 404, 'NoSuchKey')
    else {
      const part = partOf(stored, request.headers.range)
      if (part.bytes.length === 0 && part.status === 206) sendError(reply, 416, 'InvalidRange')
      else reply.writeHead(part.status, part.headers).end(type === 'head' ? undefined : part.bytes)
    }
  } else if (type === 'put') {
    if (request.headers['if-none-match'] !== undefined && stored) sendError(reply, 412, 'PreconditionFailed')
    else {
      objects.set(key, body)
      reply.writeHead(200, { etag: `"${createHash('md5').update(body).digest('hex')}"`, 'content-length': 0 }).end()
    }
  } else if (type === 'delete') {
    objects.delete(key)
    reply.writeHead(204).end()
  } else sendXml(reply, 200, '<ListMultipartUploadsResult><IsTruncated>false</IsTruncated></ListMultipartUploadsResult>')
}

/** Writes as fast as the other side takes it, until it goes away. */
export async function pour(socket: Socket | ServerResponse, chunk: (count: number) => string | Buffer): Promise<void> {
  for (let count = 0; !socket.destroyed; count++) {
    if (!socket.write(chunk(count))) await drained(socket)
    else await wait(0)
  }
}

function drained(socket: Socket | ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      socket.off('drain', done).off('close', done)
      resolve()
    }
    socket.on('drain', done).on('close', done)
  })
}

/** One byte every five seconds, until the other side goes away. */
export async function drip(socket: Socket | ServerResponse, bytes: Buffer): Promise<void> {
  for (let at = 0; at < bytes.length && !socket.destroyed; at++) {
    socket.write(bytes.subarray(at, at + 1))
    await wait(5000, undefined, { ref: false })
  }
}
