import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { HoldfastError } from '../base/errors.ts'
import { isSameText, randomText } from './pkce.ts'
import { callbackPage, type Page } from './pages.ts'
import type { RedirectRule } from './services.ts'

/** What the browser brought back. */
export type Callback = { readonly type: 'code'; readonly code: string } | { readonly type: 'refused'; readonly error: string }

/** One sign-in's door for the browser: on this machine alone, open for one answer. */
export interface Loopback extends AsyncDisposable {
  readonly redirectUri: string
  /** What came with the right state. Pending until then; never rejects. */
  readonly callback: Promise<Callback>
  /** An address on this machine that leads one browser to a page, once. */
  leadTo(page: string): string
  /** What the browser shows from now on; it waits for that. */
  show(page: Page): void
}

const mostHeaderBytes = 16 * 1024
const requestMs = 10_000
/** Browsers open some ahead of need. */
const mostConnections = 64

/** Errors: busy (every address that the service takes is in use). */
export async function openLoopback(rule: RedirectRule, state: string): Promise<Loopback> {
  const door = new Door(rule.path, state)
  const { servers, port } = await listenByRule(rule, (request, reply) => { door.serve(request, reply) })
  return {
    redirectUri: `http://${rule.host}:${port}${rule.path}`,
    callback: door.callback,
    leadTo: (page) => `http://127.0.0.1:${port}${door.leadTo(page)}`,
    show: (page) => { door.show(page) },
    [Symbol.asyncDispose]: async () => { await Promise.all(servers.map(closed)) },
  }
}

class Door {
  readonly callback: Promise<Callback>
  readonly #path: string
  readonly #state: string
  #settle: (callback: Callback) => void = () => undefined
  #used = false
  #begin: { readonly path: string; page: string | undefined } | undefined
  #waiting: ServerResponse | undefined
  #page: Page | undefined

  constructor(path: string, state: string) {
    this.#path = path === '' ? '/' : path
    this.#state = state
    this.callback = new Promise((resolve) => { this.#settle = resolve })
  }

  serve(request: IncomingMessage, reply: ServerResponse): void {
    request.resume()
    const url = urlOf(request)
    if (!url) send(reply, 404, 'unknown')
    else if (request.method === 'GET' && this.#begin && isSameText(url.pathname, this.#begin.path)) this.#lead(this.#begin, reply)
    else if (url.pathname !== this.#path) send(reply, 404, 'unknown')
    else if (request.method !== 'GET') send(reply, 405, 'unknown')
    // Anybody on this machine, and any page in the browser, can come here: what does not know the state changes nothing.
    else if (!isSameText(url.searchParams.get('state') ?? '', this.#state)) send(reply, 400, 'unknown')
    else if (this.#used) send(reply, 200, this.#page ?? 'used')
    else this.#take(url.searchParams, reply)
  }

  leadTo(page: string): string {
    const path = `/begin/${randomText()}`
    this.#begin = { path, page }
    return path
  }

  show(page: Page): void {
    this.#page = page
    if (this.#waiting) send(this.#waiting, 200, page)
    this.#waiting = undefined
  }

  #lead(begin: { page: string | undefined }, reply: ServerResponse): void {
    const { page } = begin
    begin.page = undefined
    if (page === undefined) send(reply, 410, 'used')
    else reply.writeHead(302, { location: page, 'cache-control': 'no-store', 'referrer-policy': 'no-referrer', connection: 'close' }).end()
  }

  #take(query: URLSearchParams, reply: ServerResponse): void {
    const error = query.get('error')
    const code = query.get('code')
    if (error === null && (code === null || !/^[\x21-\x7e]{1,4096}$/.test(code))) {
      send(reply, 400, 'unknown')
      return
    }
    this.#used = true
    if (this.#page) send(reply, 200, this.#page)
    else this.#waiting = reply
    this.#settle(error === null ? { type: 'code', code: code ?? '' } : { type: 'refused', error: error.slice(0, 200) })
  }
}

/** Undefined for what is none: anybody on this machine can send anything. */
function urlOf({ url }: IncomingMessage): URL | undefined {
  try {
    return new URL(url ?? '/', 'http://127.0.0.1')
  } catch {
    return undefined
  }
}

function send(reply: ServerResponse, status: number, page: Page): void {
  reply.writeHead(status, {
    'content-type': 'text/html; charset=utf-8',
    'cache-control': 'no-store',
    'content-security-policy': "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
    'referrer-policy': 'no-referrer',
    connection: 'close',
  }).end(callbackPage(page))
}

type Listener = (request: IncomingMessage, reply: ServerResponse) => void

/** A port that is free on every address that the host's name stands for: nobody else on this machine is to get what comes for us. */
async function listenByRule({ host, ports }: RedirectRule, listener: Listener): Promise<{ readonly servers: readonly Server[]; readonly port: number }> {
  for (const port of ports === 'any' ? [0, 0, 0] : ports) {
    const servers = await listenOn(host, port, listener)
    if (servers) return { servers, port: (servers[0]?.address() as AddressInfo).port }
  }
  const which = ports === 'any' ? '' : ` (${ports.join(', ')})`
  throw new HoldfastError('busy', `No port on this machine is free for the browser's answer${which}.`, { data: { reason: 'ports', advice: 'Another sign-in may be open: end it. Otherwise end the program that uses these ports.' } })
}

async function listenOn(host: RedirectRule['host'], wanted: number, listener: Listener): Promise<readonly Server[] | undefined> {
  const first = await listen('127.0.0.1', wanted, listener)
  if (typeof first === 'string') return undefined
  if (host === '127.0.0.1') return [first]
  const second = await listen('::1', (first.address() as AddressInfo).port, listener)
  if (typeof second !== 'string') return [first, second]
  // A machine without IPv6 has no other address to lose an answer to.
  if (second !== 'EADDRINUSE' && second !== 'EACCES') return [first]
  await closed(first)
  return undefined
}

/** @returns the server, or why there is none. */
function listen(address: string, port: number, listener: Listener): Promise<Server | string> {
  const server = createServer({ maxHeaderSize: mostHeaderBytes, headersTimeout: requestMs, requestTimeout: requestMs, connectionsCheckingInterval: 1000, keepAlive: false }, listener)
  server.maxConnections = mostConnections
  server.on('clientError', (_error, socket) => { socket.destroy() })
  return new Promise((resolve) => {
    server.on('error', (error: NodeJS.ErrnoException) => { resolve(error.code ?? 'UNKNOWN') })
    server.listen({ host: address, port, exclusive: true }, () => { resolve(server) })
  })
}

/** Lets an answer that is on its way arrive, but nobody hold the door open. */
function closed(server: Server): Promise<void> {
  return new Promise((resolve) => {
    const force = setTimeout(() => { server.closeAllConnections() }, 500)
    server.close(() => {
      clearTimeout(force)
      resolve()
    })
    server.closeIdleConnections()
  })
}
