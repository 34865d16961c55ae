import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { setTimeout as wait } from 'node:timers/promises'

/** What a stand-in does with one request instead of its work, or with its reply. */
export type WebFault =
  /** Refuses, without work. */
  | { readonly type: 'answer'; readonly status: number; readonly json?: unknown; readonly text?: string; readonly headers?: Readonly<Record<string, string>> }
  /** Does the work; the client never hears of it. */
  | { readonly type: 'lose-reply' }
  /** The connection breaks after so many bytes of the request's body. */
  | { readonly type: 'cut-request'; readonly afterBytes: number }
  /** The connection breaks after so many bytes of the reply's body. */
  | { readonly type: 'cut-reply'; readonly afterBytes: number }
  /** Takes the request and never answers. */
  | { readonly type: 'hang' }
  /** Does the work, and says something else. */
  | { readonly type: 'lie'; readonly change: (answer: WebAnswer) => WebAnswer }
  /** Flips a bit of the body before the work sees it. */
  | { readonly type: 'garble' }
  /** Goes on then. */
  | { readonly type: 'hold'; readonly until: Promise<void> }

export interface SeenRequest {
  readonly method: string
  /** Path and query. */
  readonly url: string
  readonly headers: IncomingMessage['headers']
}

export interface WebAnswer {
  readonly status: number
  readonly json?: unknown
  readonly bytes?: Buffer
  readonly headers?: Readonly<Record<string, string>>
}

/** Thrown by handlers: an answer that refuses. */
export class Refusal extends Error {
  readonly answer: WebAnswer

  constructor(answer: WebAnswer) {
    super(`HTTP ${answer.status}`)
    this.answer = answer
  }
}

export interface WebExchange extends SeenRequest {
  readonly url: string
  readonly path: string
  readonly query: URLSearchParams
  readonly body: Buffer
}

/** HTTP on loopback, faults and a record of requests: what stand-ins of web services share. Objects live in memory. */
export abstract class WebService implements AsyncDisposable {
  /** Called for every request; `undefined` serves it faithfully. */
  choose: (request: SeenRequest) => WebFault | undefined = () => undefined
  readonly requests: SeenRequest[] = []
  /** Access tokens that are good. */
  readonly tokens = new Set(['token-1'])
  /** Whose tokens are good is somebody else's to say where an authorization server gives them out. */
  isGood = (token: string): boolean => this.tokens.has(token)
  /** Bytes of request bodies that arrived. */
  receivedBytes = 0
  readonly #server: Server

  constructor() {
    this.#server = createServer({ requestTimeout: 0 }, (request, reply) => { void this.#serve(request, reply) })
  }

  async listen(): Promise<this> {
    await new Promise<void>((resolve) => { this.#server.listen(0, '127.0.0.1', resolve) })
    return this
  }

  /** For HOLDFAST_SERVICE_<ID>. */
  get origin(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  /** Breaks the next `times` requests that match. */
  breakNext(matches: (request: SeenRequest) => boolean, fault: WebFault, times = 1): void {
    let left = times
    this.choose = (request) => (left > 0 && matches(request) && left-- > 0 ? fault : undefined)
  }

  /** Loses the reply to every thirtieth request, and refuses another one in thirty. */
  failNowAndThen(): void {
    let count = 0
    this.choose = () => (++count % 30 === 0 ? { type: 'lose-reply' } : count % 30 === 15 ? { type: 'answer', status: 503, text: 'try again' } : undefined)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections()
    await new Promise((resolve) => this.#server.close(resolve))
  }

  protected abstract handle(exchange: WebExchange): WebAnswer | Promise<WebAnswer>

  /** Of a request without a good token; undefined where none is needed. */
  protected abstract refuseToken(request: SeenRequest, token: string | undefined): WebAnswer | undefined

  async #serve(request: IncomingMessage, reply: ServerResponse): Promise<void> {
    const seen = { method: request.method ?? '', url: request.url ?? '', headers: request.headers }
    this.requests.push(seen)
    const { socket } = request
    request.on('error', () => undefined)
    reply.on('error', () => undefined)
    const fault = this.choose(seen)
    if (fault?.type === 'hang') return void request.resume()
    if (fault?.type === 'hold') await fault.until
    const body = await this.#bodyOf(request, fault?.type === 'cut-request' ? fault.afterBytes : Infinity)
    // A broken-off request has no effect.
    if (!body) return void socket.destroy()
    if (fault?.type === 'garble' && body.length > 0) body[0] = (body[0] ?? 0) ^ 1
    const answer = fault?.type === 'answer' ? faultAnswer(fault) : await this.#answer(seen, body)
    if (fault?.type === 'lose-reply') return void socket.destroy()
    await send(socket, reply, fault?.type === 'lie' ? fault.change(answer) : answer, fault?.type === 'cut-reply' ? fault.afterBytes : undefined)
  }

  async #answer(seen: SeenRequest, body: Buffer): Promise<WebAnswer> {
    try {
      const token = /^Bearer (.+)$/.exec(seen.headers.authorization ?? '')?.[1]
      const refused = token !== undefined && this.isGood(token) ? undefined : this.refuseToken(seen, token)
      const url = new URL(seen.url, this.origin)
      return refused ?? await this.handle({ ...seen, path: url.pathname, query: url.searchParams, body })
    } catch (error) {
      if (error instanceof Refusal) return error.answer
      return { status: 500, bytes: Buffer.from(String(error)) }
    }
  }

  async #bodyOf(request: IncomingMessage, mostBytes: number): Promise<Buffer | undefined> {
    const chunks: Buffer[] = []
    let got = 0
    try {
      for await (const chunk of request as AsyncIterable<Buffer>) {
        this.receivedBytes += chunk.length
        chunks.push(chunk)
        if ((got += chunk.length) > mostBytes) return undefined
      }
    } catch {
      return undefined
    }
    return request.complete ? Buffer.concat(chunks) : undefined
  }
}

function faultAnswer({ status, json, text, headers }: Extract<WebFault, { type: 'answer' }>): WebAnswer {
  const type = { 'content-type': 'text/plain; charset=utf-8', ...headers }
  return text === undefined ? { status, json, ...(headers ? { headers } : {}) } : { status, bytes: Buffer.from(text), headers: type }
}

async function send(socket: Socket, reply: ServerResponse, { status, json, bytes, headers }: WebAnswer, cutAfter: number | undefined): Promise<void> {
  const body = bytes ?? (json === undefined ? Buffer.alloc(0) : Buffer.from(JSON.stringify(json)))
  reply.writeHead(status, { ...(json === undefined ? {} : { 'content-type': 'application/json' }), 'content-length': body.length, ...headers })
  if (cutAfter === undefined) return void reply.end(body)
  await new Promise((resolve) => reply.write(body.subarray(0, cutAfter), resolve))
  // What was written is on its way before the connection breaks.
  await wait(20)
  socket.destroy()
}

/** The part of an object that a Range header asks for: 206 and its place, 416 past the end. */
export function rangeOf(bytes: Buffer, range: string | undefined): WebAnswer {
  const match = /^bytes=(\d+)-(\d*)$/.exec(range ?? '')
  if (!match) return { status: 200, bytes }
  const first = Number(match[1])
  const last = Math.min(match[2] ? Number(match[2]) : Infinity, bytes.length - 1)
  if (first >= bytes.length) return { status: 416, bytes: Buffer.alloc(0), headers: { 'content-range': `bytes */${bytes.length}` } }
  return { status: 206, bytes: bytes.subarray(first, last + 1), headers: { 'content-range': `bytes ${first}-${last}/${bytes.length}` } }
}
