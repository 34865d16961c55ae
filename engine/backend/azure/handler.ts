import type { HttpOperationResponse, IHttpClient, WebResource } from '@azure/storage-blob'
import { Readable } from 'node:stream'
import type { HttpClient, HttpReply } from '../http/client.ts'
import { causeError, foreign, notTheStorage, pageCause, redirectCause, type Cause } from '../http/failure.ts'
import { readSmall } from '../http/reply.ts'
import type { Watch } from '../http/watch.ts'
import { isParsable } from '../http/xml.ts'

/** A page of five thousand names has about thirty tags for each. */
const mostTags = 400_000

/**
 * The SDK's way to the network: every exchange under its watch, and nothing but the body of an object reaches the SDK unread, so that
 * what it parses is bounded and looks like Azure's.
 */
export class AzureHandler implements IHttpClient {
  readonly #client: HttpClient
  readonly #watches = new WeakMap<AbortSignal, Watch>()

  constructor(client: HttpClient) {
    this.#client = client
  }

  /** The signal to send a request with. */
  signalOf(watch: Watch): AbortSignal {
    this.#watches.set(watch.signal, watch)
    return watch.signal
  }

  async sendRequest(request: WebResource): Promise<HttpOperationResponse> {
    const watch = request.abortSignal instanceof AbortSignal ? this.#watches.get(request.abortSignal) : undefined
    if (!watch) throw new TypeError('A request without its watch.')
    const { protocol, hostname, port, pathname, search } = new URL(request.url)
    const reply = await this.#client.send({
      method: request.method, protocol: protocol === 'http:' ? 'http:' : 'https:', hostname: hostname.replace(/^\[(.*)\]$/, '$1'), path: pathname + search,
      headers: request.headers.toJson(), ...(port === '' ? {} : { port: Number(port) }), ...bodyOf(request.body),
    }, watch)
    const { status } = reply
    const answer = { request, status, headers: headersOf(request, reply) }
    const isObject = request.method === 'GET' && watch.kind === 'object' && (status === 200 || status === 206)
    if (isObject && !isPage(reply)) return { ...answer, readableStreamBody: reply.body }
    return { ...answer, bodyAsText: textOfAzure(request.method, reply, await readSmall(reply, watch)) }
  }
}

/** The SDK has no way to make headers; those of the request are of the kind that it takes. */
function headersOf(request: WebResource, reply: HttpReply): WebResource['headers'] {
  const headers = request.headers.clone()
  for (const name of headers.headerNames()) headers.remove(name)
  for (const [name, value] of Object.entries(reply.headers)) headers.set(name, value)
  return headers
}

function bodyOf(body: WebResource['body']): { readonly body?: Uint8Array | Readable } {
  const given: unknown = typeof body === 'function' ? (body as () => unknown)() : body
  if (given instanceof Uint8Array || given instanceof Readable) return { body: given }
  return typeof given === 'string' ? { body: Buffer.from(given) } : {}
}

function isPage({ headers }: HttpReply): boolean {
  return /^\s*text\/html\b/i.test(headers['content-type'] ?? '')
}

/**
 * The body as far as it is Azure's. Throws for what is no answer of Azure: a page of HTML, a redirect, anything but XML where an answer
 * is wanted. A gateway's own words with a status that says enough are passed over.
 */
function textOfAzure(method: string, reply: HttpReply, body: Buffer): string {
  const { status } = reply
  const begin = body.subarray(0, 512).toString('latin1').replace(/^\xef\xbb\xbf/, '').trimStart()
  const document = begin.replace(/^<\?[^>]*>\s*/, '')
  const page = (isPage(reply) && !(method === 'HEAD' && status >= 300)) || /^<(!|html\b)/i.test(document)
  if (!page && document.startsWith('<')) {
    if (!isParsable(body, mostTags)) refuse(notTheStorage, reply)
    return new TextDecoder().decode(body)
  }
  if (page) refuse(pageCause(status), reply)
  else if (status < 300 && method === 'GET') refuse(notTheStorage, reply)
  else refuse(redirectCause(status), reply)
  return ''
}

function refuse(cause: Cause | undefined, { status, headers }: HttpReply): void {
  if (cause) throw causeError(cause, [`HTTP ${status}`, headers['server'] ?? '', targetOf(headers)], { status, reason: 'NotAzure' })
}

/** Host of a redirect; the rest of the address may hold secrets. */
function targetOf({ location }: HttpReply['headers']): string {
  if (location === undefined || !URL.canParse(location)) return ''
  const { protocol, host } = new URL(location)
  return `to ${foreign(`${protocol}//${host}`, 100)}`
}
