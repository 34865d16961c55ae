import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

/** What a stand-in does with one request instead of its work, or with its reply. */
export type GoogleFault =
  /** Refuses as Google's APIs do; with `text` as its front ends do, without JSON. */
  | { readonly type: 'refuse'; readonly status: number; readonly reason?: string; readonly message?: string; readonly headers?: Readonly<Record<string, string>>; readonly text?: string }
  /** Does the work; the client never hears of it. */
  | { readonly type: 'lose-reply' }
  /** The connection breaks after so many bytes of the request's body. */
  | { readonly type: 'cut-request'; readonly afterBytes: number }
  /** The connection breaks after so many bytes of the reply's body. */
  | { readonly type: 'cut-reply'; readonly afterBytes: number }
  /** Takes the request and never answers. */
  | { readonly type: 'hang' }
  /** Answers this, with 200, whatever was asked. */
  | { readonly type: 'say'; readonly body: string; readonly contentType?: string; readonly headers?: Readonly<Record<string, string>> }
  /** Takes the whole request, and does the work only then: also when the client has long gone. */
  | { readonly type: 'late'; readonly until: Promise<void> }

export interface SeenRequest {
  readonly method: string
  /** Path and query. */
  readonly url: string
  readonly headers: IncomingMessage['headers']
}

/** What is sent back, when the work is done. */
export interface Answer {
  readonly status: number
  readonly json?: unknown
  readonly bytes?: Buffer
  readonly headers?: Readonly<Record<string, string>>
}

/** Thrown by handlers: a reply that refuses. */
export class Refusal extends Error {
  readonly answer: Answer

  constructor(status: number, reason: string, message = reason, domain = 'global') {
    super(message)
    // The shape of all of Google's JSON APIs: https://developers.google.com/workspace/drive/api/guides/handle-errors
    this.answer = { status, json: { error: { code: status, message, errors: [{ message, domain, reason }] } } }
  }
}

export class Exchange {
  readonly request: IncomingMessage
  readonly url: URL
  /** Stops the body early; see `cut-request`. */
  readonly #cutAfter: number
  #read = 0
  #taken: Buffer | undefined

  constructor(request: IncomingMessage, cutAfter: number) {
    this.request = request
    this.url = new URL(request.url ?? '', 'http://google')
    this.#cutAfter = cutAfter
  }

  get method(): string {
    return this.request.method ?? ''
  }

  query(name: string): string | undefined {
    return this.url.searchParams.get(name) ?? undefined
  }

  /** Reads the body now; it is there for whoever asks later. */
  async take(): Promise<void> {
    const chunks: Buffer[] = []
    for await (const chunk of this.chunks()) chunks.push(chunk)
    this.#taken = Buffer.concat(chunks)
  }

  /** Chunks of the body as they come; ends with an error when the client goes away. */
  async *chunks(): AsyncGenerator<Buffer> {
    if (this.#taken) {
      yield this.#taken
      return
    }
    for await (const chunk of this.request as AsyncIterable<Buffer>) {
      const part = chunk.subarray(0, Math.max(0, this.#cutAfter - this.#read))
      this.#read += part.length
      if (part.length > 0) yield part
      if (part.length < chunk.length) {
        this.request.destroy()
        throw new Error('cut')
      }
    }
    if (!this.request.complete) throw new Error('broken off')
  }

  async body(): Promise<Buffer> {
    const chunks: Buffer[] = []
    for await (const chunk of this.chunks()) chunks.push(chunk)
    const bytes = Buffer.concat(chunks)
    // Google asks for a length: https://developers.google.com/workspace/drive/api/guides/manage-uploads
    if (this.method !== 'GET' && this.request.headers['content-length'] !== String(bytes.length)) throw new Refusal(411, 'contentLengthRequired', 'Length Required')
    return bytes
  }

  async json(): Promise<Record<string, unknown>> {
    const text = (await this.body()).toString()
    if (text === '') return {}
    if (!(this.request.headers['content-type'] ?? '').startsWith('application/json')) throw new Refusal(400, 'badContent', 'The content type is not JSON.')
    return JSON.parse(text) as Record<string, unknown>
  }
}

/** HTTP, tokens, faults and a record of requests: what the stand-ins of Google's services share. Objects live in memory. */
export abstract class GoogleService implements AsyncDisposable {
  /** Called for every request; `undefined` serves it faithfully. */
  choose: (request: SeenRequest) => GoogleFault | undefined = () => undefined
  readonly requests: SeenRequest[] = []
  /** Access tokens that are good. An hour is their life: https://developers.google.com/identity/protocols/oauth2 */
  readonly tokens = new Set(['token-1'])
  /** Body bytes that arrived. */
  uploadedBytes = 0
  /** Replies come in chunks, without a length. */
  inChunks = false
  /** How many late requests have been taken, and how many done. */
  readonly late = { taken: 0, done: 0 }
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
  breakNext(matches: (request: SeenRequest) => boolean, fault: GoogleFault, times = 1): void {
    let left = times
    this.choose = (request) => (left > 0 && matches(request) && left-- > 0 ? fault : undefined)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections()
    await new Promise((resolve) => this.#server.close(resolve))
  }

  protected abstract handle(exchange: Exchange): Promise<Answer>

  /** Paths that need no token. */
  protected isOpen(_url: URL): boolean {
    return false
  }

  async #serve(request: IncomingMessage, reply: ServerResponse): Promise<void> {
    const seen = { method: request.method ?? '', url: request.url ?? '', headers: request.headers }
    this.requests.push(seen)
    request.on('error', () => undefined).on('data', (chunk: Buffer) => { this.uploadedBytes += chunk.length }).pause()
    reply.on('error', () => undefined)
    const fault = this.choose(seen)
    if (fault?.type === 'hang') return void request.resume()
    if (fault?.type === 'say') return this.#send(request, reply, { status: 200, bytes: Buffer.from(fault.body), headers: { 'content-type': fault.contentType ?? 'application/json', ...fault.headers } })
    const exchange = new Exchange(request, fault?.type === 'cut-request' ? fault.afterBytes : Infinity)
    if (fault?.type === 'late') {
      await exchange.take()
      this.late.taken++
      await fault.until
    }
    const answer = await this.#answer(exchange, fault).catch(() => undefined)
    if (fault?.type === 'late') this.late.done++
    if (!answer || fault?.type === 'lose-reply') reply.destroy()
    else this.#send(request, reply, answer, fault?.type === 'cut-reply' ? fault.afterBytes : undefined)
  }

  async #answer(exchange: Exchange, fault: GoogleFault | undefined): Promise<Answer | undefined> {
    try {
      if (fault?.type === 'refuse') {
        const { status, reason = 'planned', message = reason, headers = {}, text } = fault
        if (text !== undefined) return { status, bytes: Buffer.from(text), headers: { 'content-type': 'text/plain', ...headers } }
        return { ...new Refusal(status, reason, message, 'usageLimits').answer, headers }
      }
      const token = /^Bearer (.+)$/.exec(exchange.request.headers.authorization ?? '')?.[1]
      if (!this.isOpen(exchange.url) && !(token !== undefined && this.tokens.has(token))) throw new Refusal(401, 'authError', 'Invalid Credentials')
      return await this.handle(exchange)
    } catch (error) {
      return error instanceof Refusal ? error.answer : undefined
    }
  }

  #send(request: IncomingMessage, reply: ServerResponse, { status, json, bytes, headers = {} }: Answer, cutAfter?: number): void {
    request.resume()
    const body = bytes ?? (json === undefined ? Buffer.alloc(0) : Buffer.from(JSON.stringify(json)))
    reply.writeHead(status, { ...(this.inChunks ? {} : { 'content-length': String(body.length) }), ...(json === undefined ? {} : { 'content-type': 'application/json; charset=UTF-8' }), ...headers })
    if (cutAfter === undefined && this.inChunks) reply.write(body, () => reply.end())
    else if (cutAfter === undefined) reply.end(body)
    else reply.write(body.subarray(0, cutAfter), () => reply.destroy())
  }
}

/** A part of a stored object: 206, or 416 past its end. https://cloud.google.com/storage/docs/json_api/v1/parameters#range */
export function ranged(content: Buffer, header: string | undefined, headers: Readonly<Record<string, string>>): Answer {
  const type = { 'content-type': 'application/octet-stream', ...headers }
  if (header === undefined) return { status: 200, bytes: content, headers: type }
  const match = /^bytes=(\d+)-(\d+)$/.exec(header)
  if (!match) throw new Refusal(400, 'invalid', 'Invalid Range')
  const [first, last] = [Number(match[1]), Number(match[2])]
  if (first >= content.length) throw new Refusal(416, 'requestedRangeNotSatisfiable', 'Request range not satisfiable')
  const part = content.subarray(first, last + 1)
  return { status: 206, bytes: part, headers: { ...type, 'content-range': `bytes ${first}-${first + part.length - 1}/${content.length}` } }
}

/** The two parts of `uploadType=multipart`: what is said of the object, and its bytes. */
export function relatedParts(contentType: string | undefined, body: Buffer): { readonly metadata: Record<string, unknown>; readonly content: Buffer } {
  const boundary = /^multipart\/related;\s*boundary=("?)([^";]+)\1$/.exec(contentType ?? '')?.[2]
  const wrong = new Refusal(400, 'badContent', 'Malformed multipart body.')
  if (boundary === undefined) throw wrong
  const end = body.lastIndexOf(`\r\n--${boundary}--`)
  const second = body.indexOf(`\r\n--${boundary}\r\n`, boundary.length)
  const first = partOf(body.subarray(0, second), `--${boundary}\r\n`)
  const media = partOf(body.subarray(second + 2, end), `--${boundary}\r\n`)
  if (end < 0 || second < 0 || !first || !media) throw wrong
  return { metadata: JSON.parse(first.toString()) as Record<string, unknown>, content: media }
}

function partOf(bytes: Buffer, start: string): Buffer | undefined {
  const headersEnd = bytes.indexOf('\r\n\r\n')
  if (headersEnd < 0 || !bytes.subarray(0, start.length).equals(Buffer.from(start))) return undefined
  return bytes.subarray(headersEnd + 4)
}

/** Only what was asked for is told: https://developers.google.com/workspace/drive/api/guides/fields-parameter */
export function picked(resource: Record<string, unknown>, fields: string): Record<string, unknown> {
  return chosen(resource, [...fields.matchAll(/([a-zA-Z0-9]+)(?:\(([^)]*)\))?/g)].map(([, name = '', inner]) => ({ name, inner: inner?.split(',').map((one) => ({ name: one, inner: undefined })) })))
}

interface Wanted {
  readonly name: string
  readonly inner: readonly Wanted[] | undefined
}

/** Long lists are told again and again: the fields are read once. */
function chosen(resource: Record<string, unknown>, wanted: readonly Wanted[]): Record<string, unknown> {
  const told: Record<string, unknown> = {}
  for (const { name, inner } of wanted) {
    const value = resource[name]
    if (value !== undefined) told[name] = inner && Array.isArray(value) ? value.map((one) => chosen(one as Record<string, unknown>, inner)) : value
  }
  return told
}
