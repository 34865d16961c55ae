import { createServer, request, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Transform } from 'node:stream'

/** What the proxy does with one request instead of passing it on faithfully. */
export type HttpFault =
  | { readonly type: 'answer'; readonly status: number; readonly code: string; readonly headers?: Readonly<Record<string, string>> }
  /** The server does the work, the client never hears of it. */
  | { readonly type: 'lose-reply'; readonly onLost?: () => void }
  /** The connection breaks after so many bytes of the reply's body. */
  | { readonly type: 'cut-reply'; readonly afterBytes: number }
  /** The connection breaks after so many bytes of the request's body. */
  | { readonly type: 'cut-request'; readonly afterBytes: number }
  /** The request is taken and never answered. */
  | { readonly type: 'hang' }
  /** The request is read no further until then, and passed on faithfully afterwards. */
  | { readonly type: 'hold'; readonly until: Promise<void> }
  | { readonly type: 'drop-header'; readonly header: string }
  /** A page that is not S3's, as a captive portal sends. */
  | { readonly type: 'portal' }

export interface ProxiedRequest {
  readonly method: string
  /** Path and query. */
  readonly url: string
  readonly headers: IncomingMessage['headers']
}

/** An HTTP proxy in front of a real S3 server that breaks what a test wants broken, and counts what passes. */
export class FaultProxy implements AsyncDisposable {
  /** Called for every request; `undefined` passes it on. */
  choose: (request: ProxiedRequest) => HttpFault | undefined = () => undefined
  /** Told when a request is over: its reply is out, or its connection broken. */
  ended: (request: ProxiedRequest) => void = () => undefined
  /** Body bytes that reached the server, of all requests. */
  uploadedBytes = 0
  readonly requests: ProxiedRequest[] = []
  readonly #server: Server
  readonly #target: URL

  private constructor(target: string) {
    this.#target = new URL(target)
    this.#server = createServer((incoming, reply) => { this.#handle(incoming, reply) })
  }

  static async start(target: string): Promise<FaultProxy> {
    const proxy = new FaultProxy(target)
    await new Promise<void>((resolve) => { proxy.#server.listen(0, '127.0.0.1', resolve) })
    return proxy
  }

  get endpoint(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections()
    await new Promise((resolve) => this.#server.close(resolve))
  }

  /** Breaks the next `times` requests that match. */
  breakNext(matches: (request: ProxiedRequest) => boolean, fault: HttpFault, times = 1): void {
    let left = times
    this.choose = (one) => (left > 0 && matches(one) && left-- > 0 ? fault : undefined)
  }

  #handle(incoming: IncomingMessage, reply: ServerResponse): void {
    const seen = { method: incoming.method ?? '', url: incoming.url ?? '', headers: incoming.headers }
    this.requests.push(seen)
    const fault = this.choose(seen)
    // Sockets that a test breaks report it; that is no error of the proxy.
    incoming.on('error', () => undefined)
    reply.on('error', () => undefined)
    reply.on('close', () => { this.ended(seen) })
    if (fault?.type === 'answer') this.#answer(incoming, reply, fault)
    else if (fault?.type === 'portal') reply.writeHead(200, { 'content-type': 'text/html' }).end('<html><body>Please log in</html>')
    else if (fault?.type === 'hang') incoming.resume()
    else if (fault?.type === 'hold') void fault.until.then(() => { if (!incoming.destroyed) this.#passOn(incoming, reply, undefined) })
    else this.#passOn(incoming, reply, fault)
  }

  #answer(incoming: IncomingMessage, reply: ServerResponse, fault: Extract<HttpFault, { type: 'answer' }>): void {
    incoming.resume()
    const text = incoming.method === 'HEAD' ? '' : `<?xml version="1.0"?><Error><Code>${fault.code}</Code><Message>planned</Message></Error>`
    reply.writeHead(fault.status, { 'content-type': 'application/xml', ...fault.headers }).end(text)
  }

  #passOn(incoming: IncomingMessage, reply: ServerResponse, fault: HttpFault | undefined): void {
    const headers = { ...incoming.headers }
    if (fault?.type === 'drop-header') Reflect.deleteProperty(headers, fault.header)
    const onward = request({
      host: this.#target.hostname, port: this.#target.port, method: incoming.method, path: incoming.url, headers,
    }, (answer) => {
      if (fault?.type === 'lose-reply') {
        answer.resume().on('end', () => {
          fault.onLost?.()
          reply.destroy()
        })
        return
      }
      reply.writeHead(answer.statusCode ?? 500, answer.headers)
      if (fault?.type === 'cut-reply') answer.pipe(cutAfter(fault.afterBytes, () => reply.destroy())).pipe(reply)
      else answer.pipe(reply)
    })
    onward.on('error', () => reply.destroy())
    incoming.on('close', () => { if (!incoming.complete) onward.destroy() })
    const counted = new Transform({
      transform: (chunk: Buffer, _encoding, done) => {
        this.uploadedBytes += chunk.length
        done(null, chunk)
      },
    })
    if (fault?.type === 'cut-request') incoming.pipe(cutAfter(fault.afterBytes, () => { incoming.destroy(); onward.destroy() })).pipe(counted).pipe(onward)
    else incoming.pipe(counted).pipe(onward)
  }
}

function cutAfter(bytes: number, cut: () => void): Transform {
  let left = bytes
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      const part = chunk.subarray(0, left)
      left -= part.length
      done(null, part)
      if (left <= 0) setImmediate(cut)
    },
  })
}
