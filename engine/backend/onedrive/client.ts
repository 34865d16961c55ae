import type { GenericSchema, InferOutput } from 'valibot'
import { HoldfastError } from '../../base/errors.ts'
import type { Pace } from '../backend.ts'
import { BearerClient, jsonAnswer, type BearerOptions, type Send } from '../http/bearer.ts'
import type { HttpReply } from '../http/client.ts'
import { partBody, type Part } from '../http/parts.ts'
import { readSmall } from '../http/reply.ts'
import type { Watch } from '../http/watch.ts'
import { oneDriveError } from './errors.ts'

export interface OneDriveRequest {
  readonly method: string
  /** From the interface's root (`/v1.0`), or a whole address of it. */
  readonly path: string
  readonly json?: unknown
  readonly headers?: Readonly<Record<string, string>>
  readonly contents?: Contents
  /** An address that is its own key for some time and lies at another host: the token does not go there. */
  readonly bare?: boolean
}

/** Bytes of an object in a request. */
export interface Contents {
  readonly part: Part
  readonly pace: Pace | undefined
  readonly onSent: (bytes: number) => void
}

type Read<T> = (reply: HttpReply, watch: Watch) => Promise<T>

/** Requests to Microsoft Graph, with our errors and limits. */
export class OneDriveClient implements Disposable {
  readonly #client: BearerClient
  readonly #root: string
  readonly #service: string | undefined

  /** @param service stands for Microsoft's hosts (tests) */
  constructor(options: BearerOptions, service: string | undefined) {
    this.#client = new BearerClient(options)
    this.#service = service
    this.#root = `${service ?? 'https://graph.microsoft.com'}/v1.0`
  }

  [Symbol.dispose](): void {
    this.#client[Symbol.dispose]()
  }

  get clock(): BearerClient['clock'] {
    return this.#client.clock
  }

  /** @param what names the object in errors. Errors: also unavailable (another answer) */
  json<S extends GenericSchema>(what: string, request: OneDriveRequest, schema: S, signal: AbortSignal): Promise<InferOutput<S>> {
    return this.#exchange(what, request, async (reply, watch) => jsonAnswer(what, schema, await readSmall(reply, watch)), signal)
  }

  /** The same where the answer says nothing. */
  async perform(what: string, request: OneDriveRequest, signal: AbortSignal): Promise<void> {
    await this.#exchange(what, request, readSmall, signal)
  }

  /** A file's bytes: a redirect leads to them. https://learn.microsoft.com/graph/api/driveitem-get-content */
  download<T>(what: string, path: string, range: string | undefined, bytes: number, read: Read<T>, signal: AbortSignal): Promise<T> {
    const headers: Record<string, string> = range === undefined ? {} : { range }
    return this.#client.exchange(what, bytes, async (send, watch) => {
      const reply = await send({ method: 'GET', url: this.#root + path, headers })
      const { location } = reply.headers
      if (reply.status !== 302 || location === undefined) return objectOf(what, reply, watch, read)
      await readSmall(reply, watch)
      this.requireElsewhere(what, location)
      const found = await send({ method: 'GET', url: location, headers }, 'bare')
      return objectOf(what, found, watch, read, true).catch((error: unknown) => { throw withoutToken(error) })
    }, signal)
  }

  /** That the token may go to an address: only where this client's own requests go. Errors: unavailable. */
  requireOwn(what: string, address: string): void {
    if (address.startsWith(`${this.#root}/`) && URL.canParse(address) && new URL(address).origin === new URL(this.#root).origin) return
    throw new HoldfastError('unavailable', `OneDrive says that ${what} goes on with somebody else.`, { data: { reason: 'NotOneDrive' } })
  }

  /** That bytes may go to an address, or come from it: those of OneDrive's files change with time and country, and are always https. Errors: unavailable. */
  requireElsewhere(what: string, address: string): void {
    if (this.isElsewhere(address)) return
    throw new HoldfastError('unavailable', `OneDrive says that ${what} lies at an address that nothing is sent to.`, { data: { reason: 'NotOneDrive' } })
  }

  isElsewhere(address: string): boolean {
    if (!URL.canParse(address)) return false
    const { protocol, username, hostname } = new URL(address)
    return username === '' && (this.#service === undefined ? protocol === 'https:' : protocol === 'http:' && hostname === '127.0.0.1')
  }

  #exchange<T>(what: string, request: OneDriveRequest, read: Read<T>, signal: AbortSignal): Promise<T> {
    return this.#client.exchange(what, request.contents ? request.contents.part.length : 'small', async (send, watch) => {
      const reply = await this.#send(request, send, watch)
      const ok = reply.status >= 200 && reply.status < 300 && !isPage(reply)
      if (ok) return read(reply, watch)
      const error = oneDriveError(what, reply, await readSmall({ ...reply, status: Math.max(300, reply.status) }, watch), request.bare)
      throw request.bare ? withoutToken(error) : error
    }, signal)
  }

  async #send({ method, path, json, headers, contents, bare }: OneDriveRequest, send: Send, watch: Watch): Promise<HttpReply> {
    const url = path.startsWith('/') ? this.#root + path : path
    const mode = bare ? 'bare' as const : undefined
    if (!contents) {
      const text = json === undefined ? undefined : Buffer.from(JSON.stringify(json))
      const type = text ? { 'content-type': 'application/json', 'content-length': String(text.length) } : method === 'POST' ? { 'content-length': '0' } : {}
      return send({ method, url, headers: { ...type, ...headers }, ...(text ? { body: text } : {}) }, mode)
    }
    const body = partBody(contents.part, watch, contents.pace, contents.onSent)
    try {
      const type = { 'content-type': 'application/octet-stream', 'content-length': String(contents.part.length) }
      return await send({ method, url, headers: { ...type, ...headers }, body }, mode)
    } finally {
      body.destroy()
    }
  }
}

async function objectOf<T>(what: string, reply: HttpReply, watch: Watch, read: Read<T>, bare = false): Promise<T> {
  if ((reply.status === 200 || reply.status === 206) && !isPage(reply)) return read(reply, watch)
  throw oneDriveError(what, reply, await readSmall({ ...reply, status: Math.max(300, reply.status) }, watch), bare)
}

/** An address that is its own key and is refused has ended: no other token opens it. */
function withoutToken(error: unknown): unknown {
  if (!(error instanceof HoldfastError) || error.code !== 'credentials') return error
  const data = { ...error.data, advice: 'Run the command again.' }
  return new HoldfastError('unavailable', 'OneDrive does not know the address any more that it gave.', { cause: error.cause, data })
}

function isPage({ headers }: HttpReply): boolean {
  return /^\s*text\/html\b/i.test(headers['content-type'] ?? '')
}
