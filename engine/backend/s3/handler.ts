import { Readable } from 'node:stream'
import type { HttpClient, HttpReply, HttpRequest } from '../http/client.ts'
import { causeError, foreign, notTheStorage, pageCause, redirectCause, type Cause } from '../http/failure.ts'
import { readSmall } from '../http/reply.ts'
import type { Watch } from '../http/watch.ts'
import { isParsable } from '../http/xml.ts'

/** What the SDK hands over and wants back, as far as it matters here. */
interface SdkRequest {
  readonly method: string
  readonly protocol: string
  readonly hostname: string
  readonly port?: number
  readonly path: string
  readonly query?: Readonly<Record<string, string | readonly string[] | null>>
  readonly headers: Readonly<Record<string, string>>
  readonly body?: unknown
}

interface SdkReply {
  readonly response: { statusCode: number; headers: Record<string, string>; body: Readable }
}

/**
 * The SDK's way to the network: every exchange under its watch, and nothing but the body of an object reaches the SDK unread, so that
 * what it parses is bounded and looks like S3.
 */
export class S3Handler {
  readonly metadata = { handlerProtocol: 'http/1.1' }
  readonly #client: HttpClient
  readonly #watches = new WeakMap<AbortSignal, Watch>()

  constructor(client: HttpClient) {
    this.#client = client
  }

  /** The signal to send a command with. */
  signalOf(watch: Watch): AbortSignal {
    this.#watches.set(watch.signal, watch)
    return watch.signal
  }

  async handle(request: SdkRequest, { abortSignal }: { readonly abortSignal?: unknown } = {}): Promise<SdkReply> {
    const watch = abortSignal instanceof AbortSignal ? this.#watches.get(abortSignal) : undefined
    if (!watch) throw new TypeError('A request without its watch.')
    const reply = await this.#client.send(plainRequest(request), watch)
    const { status: statusCode, headers } = reply
    const isObject = request.method === 'GET' && watch.kind === 'object' && (statusCode === 200 || statusCode === 206)
    if (isObject && !isPage(headers)) return { response: { statusCode, headers: { ...headers }, body: reply.body } }
    const body = bodyOfS3(request.method, reply, await readSmall(reply, watch))
    return { response: { statusCode, headers: { ...headers }, body: Readable.from([body]) } }
  }

  destroy(): void {
    // Whoever made the client closes it.
  }

  updateHttpClientConfig(): void {
    // It has no settings of the SDK's.
  }

  httpHandlerConfigs(): Record<string, never> {
    return {}
  }
}

function plainRequest({ method, protocol, hostname, port, path, query, headers, body }: SdkRequest): HttpRequest {
  return {
    method, protocol: protocol === 'http:' ? 'http:' : 'https:', hostname: hostname.replace(/^\[(.*)\]$/, '$1'), path: path + queryOf(query), headers,
    ...(port === undefined ? {} : { port }), ...bodyOf(body),
  }
}

function bodyOf(body: unknown): { readonly body?: Uint8Array | Readable } {
  if (body instanceof Uint8Array || body instanceof Readable) return { body }
  return typeof body === 'string' ? { body: Buffer.from(body) } : {}
}

/** As the SDK has signed it. */
function queryOf(query: SdkRequest['query']): string {
  const pairs = Object.entries(query ?? {}).sort(([a], [b]) => (a < b ? -1 : 1)).flatMap(([name, value]) =>
    (Array.isArray(value) ? value : [value]).map((one) => (typeof one === 'string' ? `${escapeUri(name)}=${escapeUri(one)}` : escapeUri(name))))
  return pairs.length === 0 ? '' : `?${pairs.join('&')}`
}

function escapeUri(text: string): string {
  return encodeURIComponent(text).replace(/[!'()*]/g, (one) => `%${one.charCodeAt(0).toString(16).toUpperCase()}`)
}

function isPage(headers: HttpReply['headers']): boolean {
  return /^\s*text\/html\b/i.test(headers['content-type'] ?? '')
}

/**
 * The body as far as it is S3's. Throws for what is no answer of S3: a page of HTML, a redirect without S3's reason, anything but XML. A
 * gateway's own words with a status that says enough are passed over, as is what a storage adds to an acknowledgement.
 */
function bodyOfS3(method: string, reply: HttpReply, body: Buffer): Buffer {
  const { status, headers } = reply
  const nothing = Buffer.alloc(0)
  const begin = body.subarray(0, 512).toString('latin1').replace(/^\xef\xbb\xbf/, '').trimStart()
  const document = begin.replace(/^<\?[^>]*>\s*/, '')
  // Of an error of HEAD, which has no body, the next request tells more.
  const page = (isPage(headers) && !(method === 'HEAD' && status >= 300)) || /^<(!|html\b)/i.test(document)
  if (!page && document.startsWith('<')) {
    if (!isParsable(body)) refuse(notTheStorage, reply)
    return body
  }
  if (!page && begin === '') {
    if (headers['x-amz-bucket-region'] === undefined) refuse(redirectCause(status), reply)
    return body
  }
  if (page || method !== 'PUT' || status >= 300) refuse(pageCause(status), reply)
  return nothing
}

function refuse(cause: Cause | undefined, { status, headers }: HttpReply): void {
  if (cause) throw causeError(cause, [`HTTP ${status}`, headers['server'] ?? '', targetOf(headers)], { status, reason: 'NotS3' })
}

/** Host of a redirect; the rest of the address may hold secrets. */
function targetOf({ location }: HttpReply['headers']): string {
  if (location === undefined || !URL.canParse(location)) return ''
  const { protocol, host } = new URL(location)
  return `to ${foreign(`${protocol}//${host}`, 100)}`
}
