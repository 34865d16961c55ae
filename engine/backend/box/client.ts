import { Readable } from 'node:stream'
import type { GenericSchema, InferOutput } from 'valibot'
import { HoldfastError } from '../../base/errors.ts'
import type { Pace } from '../backend.ts'
import { BearerClient, jsonAnswer, type BearerOptions, type Send } from '../http/bearer.ts'
import type { HttpReply } from '../http/client.ts'
import { retryAfterMs } from '../http/failure.ts'
import { partBody, type Part } from '../http/parts.ts'
import { readSmall } from '../http/reply.ts'
import type { ExchangeKind, Watch } from '../http/watch.ts'
import { boxError } from './errors.ts'

/** Until it is asked again whether a file was put together. */
const longestWaitMs = 60_000

export interface BoxRequest {
  readonly method: string
  /** From the API's root (`/2.0`). */
  readonly path: string
  /** At the host that takes files. */
  readonly upload?: boolean
  readonly json?: unknown
  readonly headers?: Readonly<Record<string, string>>
  readonly contents?: Contents
  readonly moves?: ExchangeKind
}

/** Bytes of an object in a request, and what stands around them in a form. */
export interface Contents {
  readonly part: Part
  readonly pace: Pace | undefined
  readonly onSent: (bytes: number) => void
  readonly head?: Buffer
  readonly tail?: Buffer
}

/** Requests to Box, with our errors and limits. The SDK (37 MB, an HTTP client, retries and buffers of its own) would take all of that away again. */
export class BoxClient implements Disposable {
  readonly #client: BearerClient
  readonly #api: string
  readonly #upload: string
  readonly #origin: string | undefined

  /** @param origin stands for all of Box's hosts (tests) */
  constructor(options: BearerOptions, origin: string | undefined) {
    this.#client = new BearerClient(options)
    this.#origin = origin
    this.#api = `${origin ?? 'https://api.box.com'}/2.0`
    this.#upload = `${origin ?? 'https://upload.box.com'}/api/2.0`
  }

  [Symbol.dispose](): void {
    this.#client[Symbol.dispose]()
  }

  get clock(): BearerClient['clock'] {
    return this.#client.clock
  }

  /** @param what names the object in errors. Errors: also unavailable (another answer) */
  json<S extends GenericSchema>(what: string, request: BoxRequest, schema: S, signal: AbortSignal): Promise<InferOutput<S>> {
    return this.#exchange(what, request, async (reply, watch) => jsonAnswer(what, schema, await readSmall(reply, watch)), signal)
  }

  /** The same where the answer says nothing. */
  async perform(what: string, request: BoxRequest, signal: AbortSignal): Promise<void> {
    await this.#exchange(what, request, readSmall, signal)
  }

  /** undefined: it takes its time (202), and was waited for as long as it asked. */
  async jsonWhenReady<S extends GenericSchema>(what: string, request: BoxRequest, schema: S, signal: AbortSignal): Promise<InferOutput<S> | undefined> {
    const answer = await this.#exchange(what, request, async (reply, watch) => {
      const text = await readSmall(reply, watch)
      return reply.status === 202 ? { waitMs: Math.min(longestWaitMs, retryAfterMs(reply.headers['retry-after'], this.clock.now()) ?? 1000) } : { json: jsonAnswer(what, schema, text) }
    }, signal)
    if ('json' in answer) return answer.json
    await this.clock.sleep(answer.waitMs, signal)
    return undefined
  }

  /**
   * A file's bytes. They lie at another host, at an address that is its own key for some minutes: the token does not go there.
   * https://developer.box.com/guides/downloads/file
   */
  download<T>(what: string, id: string, range: string | undefined, bytes: number, read: (reply: HttpReply, watch: Watch) => Promise<T>, signal: AbortSignal): Promise<T> {
    const headers: Record<string, string> = range === undefined ? {} : { range }
    return this.#client.exchange(what, bytes, async (send, watch) => {
      const reply = await send({ method: 'GET', url: `${this.#api}/files/${id}/content`, headers })
      const { location } = reply.headers
      if (reply.status !== 302 || location === undefined) return this.#object(what, reply, watch, read)
      await readSmall(reply, watch)
      if (!this.#isBoxes(location)) throw new HoldfastError('unavailable', 'Box says that the file lies with somebody else.', { data: { reason: 'NotBox' } })
      return this.#object(what, await send({ method: 'GET', url: location, headers }, 'bare'), watch, read)
    }, signal)
  }

  async #object<T>(what: string, reply: HttpReply, watch: Watch, read: (reply: HttpReply, watch: Watch) => Promise<T>): Promise<T> {
    const isObject = (reply.status === 200 || reply.status === 206) && !/^\s*text\/html\b/i.test(reply.headers['content-type'] ?? '')
    if (isObject) return read(reply, watch)
    // 202: just uploaded, and not ready to be read.
    throw reply.status === 202 ? notReady(what, reply) : boxError(what, reply, await readSmall({ ...reply, status: Math.max(300, reply.status) }, watch))
  }

  #isBoxes(address: string): boolean {
    if (!URL.canParse(address)) return false
    const { origin, protocol, hostname } = new URL(address)
    return this.#origin === undefined ? protocol === 'https:' && /\.(boxcloud|box)\.com$/.test(hostname) : origin === this.#origin
  }

  #exchange<T>(what: string, request: BoxRequest, read: (reply: HttpReply, watch: Watch) => Promise<T>, signal: AbortSignal): Promise<T> {
    const moves = request.contents ? request.contents.part.length : (request.moves ?? 'small')
    return this.#client.exchange(what, moves, async (send, watch) => {
      const reply = await this.#send(request, send, watch)
      const ok = reply.status >= 200 && reply.status < 300 && !/^\s*text\/html\b/i.test(reply.headers['content-type'] ?? '')
      if (!ok) throw boxError(what, reply, await readSmall({ ...reply, status: Math.max(300, reply.status) }, watch))
      return read(reply, watch)
    }, signal)
  }

  async #send({ method, path, upload, json, headers, contents }: BoxRequest, send: Send, watch: Watch): Promise<HttpReply> {
    const url = (upload ? this.#upload : this.#api) + path
    if (!contents) {
      const text = json === undefined ? undefined : Buffer.from(JSON.stringify(json))
      const type = text ? { 'content-type': 'application/json', 'content-length': String(text.length) } : method === 'GET' ? {} : { 'content-length': '0' }
      return send({ method, url, headers: { ...type, ...headers }, ...(text ? { body: text } : {}) })
    }
    const { part, pace, onSent, head = Buffer.alloc(0), tail = Buffer.alloc(0) } = contents
    const media = partBody(part, watch, pace, onSent)
    const body = Readable.from(pieces(head, media, tail), { objectMode: false })
    try {
      return await send({ method, url, headers: { ...headers, 'content-length': String(head.length + part.length + tail.length) }, body })
    } finally {
      body.destroy()
      media.destroy()
    }
  }
}

function notReady(what: string, { headers }: HttpReply): HoldfastError {
  const asked = retryAfterMs(headers['retry-after'], Date.now())
  return new HoldfastError('unavailable', `Box is not ready yet to give ${what}.`, { data: { status: 202, ...(asked === undefined ? {} : { retryAfterMs: asked }) } })
}

async function* pieces(head: Buffer, media: Readable, tail: Buffer): AsyncGenerator<Buffer> {
  yield head
  for await (const chunk of media as AsyncIterable<Buffer>) yield chunk
  yield tail
}
