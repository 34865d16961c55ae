import { randomBytes } from 'node:crypto'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { isSameText } from '../../accounts/pkce.ts'
import { errnoOf } from '../../base/errno.ts'
import { HoldfastError } from '../../base/errors.ts'
import { sendStatus } from './handler.ts'

/** Where programs of this machine find the files, and what they say to be let in. */
export interface DoorAddress {
  readonly port: number
  readonly user: string
  /** 128 bits by chance, for this door alone. */
  readonly password: string
}

export interface Door extends AsyncDisposable {
  readonly address: DoorAddress
  /** Resolves when nobody has asked anything for `idleMs`. */
  readonly idle: Promise<void>
}

export interface DoorOptions {
  /** 0: any that is free. */
  readonly port: number
  /** Absent: never idle. */
  readonly idleMs?: number
  readonly serve: (request: IncomingMessage, reply: ServerResponse) => Promise<void>
}

/** The longest path that a system knows, percent-encoded. */
const mostHeaderBytes = 64 * 1024
const headersMs = 30_000
/** Of a connection on which nothing moves: a video that is paused, a storage that is waited for. */
const stillMs = 30 * 60_000
/** Each may hold a chunk (repository/config.ts). */
const mostConnections = 48
const user = 'holdfast'

/** Opens a door for programs of this machine, by loopback and password. Errors: busy, denied (the port), unavailable. */
export async function openDoor({ port, idleMs, serve }: DoorOptions): Promise<Door> {
  const password = randomBytes(16).toString('hex')
  const watch = new IdleWatch(idleMs)
  const server = createServer({ maxHeaderSize: mostHeaderBytes, headersTimeout: headersMs, requestTimeout: headersMs, keepAliveTimeout: 60_000 }, (request, reply) => {
    const status = refusal(request, addressOf(server).port, password)
    if (status !== undefined) {
      refuse(request, reply, status)
      return
    }
    const ended = watch.begin()
    void serve(request, reply).finally(ended)
  })
  server.maxConnections = mostConnections
  server.setTimeout(stillMs)
  server.on('clientError', (_error, socket) => { socket.destroy() })
  await listen(server, port)
  return {
    address: { port: addressOf(server).port, user, password },
    idle: watch.idle,
    [Symbol.asyncDispose]: () => {
      watch.end()
      return closed(server)
    },
  }
}

/** Why a request is not served; undefined: it is. A page in a browser may bring the browser here under a name of its own, but not under ours. */
function refusal({ headers }: IncomingMessage, port: number, password: string): number | undefined {
  const isHere = [`127.0.0.1:${port}`, `localhost:${port}`].includes(headers.host?.toLowerCase() ?? '')
  if (!isHere || headers.origin !== undefined) return 403
  const expected = `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`
  return isSameText((headers.authorization ?? '').replace(/^basic +/i, 'Basic '), expected) ? undefined : 401
}

function refuse(request: IncomingMessage, reply: ServerResponse, status: number): void {
  request.resume()
  sendStatus(reply, status, { ...(status === 401 ? { 'www-authenticate': 'Basic realm="Holdfast", charset="UTF-8"' } : { connection: 'close' }) })
}

class IdleWatch {
  readonly idle: Promise<void>
  readonly #afterMs: number | undefined
  #resolve: () => void = () => undefined
  #running = 0
  #timer: NodeJS.Timeout | undefined

  constructor(afterMs: number | undefined) {
    this.#afterMs = afterMs
    this.idle = new Promise((resolve) => { this.#resolve = resolve })
    this.#wait()
  }

  begin(): () => void {
    this.#running++
    this.end()
    return () => {
      this.#running--
      this.#wait()
    }
  }

  end(): void {
    clearTimeout(this.#timer)
  }

  #wait(): void {
    if (this.#afterMs !== undefined && this.#running === 0) this.#timer = setTimeout(this.#resolve, this.#afterMs)
  }
}

function addressOf(server: Server): AddressInfo {
  return server.address() as AddressInfo
}

function listen(server: Server, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (cause) => {
      const code = ({ EADDRINUSE: 'busy', EACCES: 'denied' } as const)[errnoOf(cause) ?? ''] ?? 'unavailable'
      reject(new HoldfastError(code, `Port ${port} of this machine cannot be opened: ${cause.message}.`, { cause, data: { advice: 'Choose another port, or none.' } }))
    })
    server.listen({ host: '127.0.0.1', port, exclusive: true }, resolve)
  })
}

function closed(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => { resolve() })
    server.closeAllConnections()
  })
}
