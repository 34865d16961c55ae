import { Agent as HttpAgent, request as httpRequest, type ClientRequest, type IncomingMessage } from 'node:http'
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https'
import type { Socket } from 'node:net'
import type { Readable } from 'node:stream'
import { HoldfastError } from '../../base/errors.ts'
import type { Watch } from './watch.ts'

/** Each write tells when it left; at 1 kB/s this many bytes take 16 s. */
const sliceBytes = 16 * 1024

export interface HttpRequest {
  readonly method: string
  readonly protocol: 'http:' | 'https:'
  readonly hostname: string
  readonly port?: number
  /** Path and query. */
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly body?: Uint8Array | Readable
}

export interface HttpReply {
  readonly status: number
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string>>
  /** As it came: nothing is unpacked, so a small reply cannot become a large one. */
  readonly body: IncomingMessage
}

/**
 * Requests over HTTP(S) with the limits of a Watch each. A redirect is a reply like any other and never followed: what is signed or
 * carries credentials goes where the user said and nowhere else. Proxies are those of the environment.
 */
export class HttpClient implements Disposable {
  readonly #agents: { readonly 'http:': HttpAgent; readonly 'https:': HttpsAgent }

  constructor(connections: number) {
    const sockets = { keepAlive: true, maxSockets: connections, proxyEnv: process.env }
    this.#agents = { 'http:': new HttpAgent(sockets), 'https:': new HttpsAgent(sockets) }
  }

  /** Resolves when the reply's headers are there, though the request's body may not be out. Errors: those of node:http and of the watch. */
  send(request: HttpRequest, watch: Watch): Promise<HttpReply> {
    const { protocol, hostname, port, method, path, headers } = request
    const options = {
      method, path, headers, host: hostname, agent: this.#agents[protocol], maxHeaderSize: watch.limits.headerBytes, ...(port === undefined ? {} : { port }),
    }
    return new Promise((resolve, reject) => {
      const outgoing = protocol === 'https:' ? httpsRequest(options) : httpRequest(options)
      const onAbort = (): void => { outgoing.destroy(asError(watch.signal.reason)) }
      if (watch.signal.aborted) onAbort()
      watch.signal.addEventListener('abort', onAbort, { once: true })
      outgoing.on('close', () => { watch.signal.removeEventListener('abort', onAbort) })
      outgoing.on('error', reject)
      outgoing.on('socket', (socket: Socket) => { watchConnection(socket, protocol, watch) })
      limitInterims(outgoing, watch)
      outgoing.on('response', (reply: IncomingMessage) => {
        watch.answered()
        resolve({ status: reply.statusCode ?? 0, headers: flat(reply.headers), body: reply })
      })
      sendBody(outgoing, request.body, watch).catch((error: unknown) => { outgoing.destroy(asError(error)) })
    })
  }

  [Symbol.dispose](): void {
    this.#agents['http:'].destroy()
    this.#agents['https:'].destroy()
  }
}

function watchConnection(socket: Socket, protocol: HttpRequest['protocol'], watch: Watch): void {
  if (!socket.connecting) return
  watch.connecting()
  socket.once(protocol === 'https:' ? 'secureConnect' : 'connect', () => { watch.stepped() })
}

function limitInterims(outgoing: ClientRequest, watch: Watch): void {
  let left = watch.limits.interimReplies
  outgoing.on('information', () => {
    if (--left < 0) outgoing.destroy(new HoldfastError('unavailable', 'The storage announces an answer again and again and gives none.'))
  })
}

/** Stops without a word when the reply comes early; the connection is not used again then. */
async function sendBody(outgoing: ClientRequest, body: Uint8Array | Readable | undefined, watch: Watch): Promise<void> {
  let answered = false
  outgoing.once('response', (reply: IncomingMessage) => {
    answered = true
    if (!outgoing.writableEnded) reply.once('close', () => { outgoing.destroy() })
  })
  const chunks = body === undefined || body instanceof Uint8Array ? [body ?? new Uint8Array(0)] : (body as AsyncIterable<Uint8Array>)
  for await (const chunk of chunks) {
    for (let sent = 0; sent < chunk.length; sent += sliceBytes) {
      const slice = chunk.subarray(sent, sent + sliceBytes)
      if (answered || outgoing.destroyed) return
      await written(outgoing, slice)
      watch.moved(slice.length)
    }
  }
  if (answered || outgoing.destroyed) return
  outgoing.end()
  watch.stepped()
}

/** Also resolves when the request is over: then there is nobody to write to. */
function written(outgoing: ClientRequest, slice: Uint8Array): Promise<void> {
  return new Promise((resolve) => {
    outgoing.once('close', resolve)
    outgoing.once('response', resolve)
    outgoing.write(slice, () => {
      outgoing.off('close', resolve)
      outgoing.off('response', resolve)
      resolve()
    })
  })
}

function flat(headers: IncomingMessage['headers']): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, Array.isArray(value) ? value.join(', ') : (value ?? '')]))
}

function asError(reason: unknown): Error {
  return reason instanceof Error ? reason : new Error(String(reason))
}
