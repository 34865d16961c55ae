import { Socket } from 'node:net'
import ssh2, { type AuthenticationType, type Client, type SFTPWrapper } from 'ssh2'
import { HoldfastError } from '../../base/errors.ts'
import type { Watch } from '../http/watch.ts'
import { hostAndPort, type SftpAddress } from './address.ts'
import { connectError, sessionError } from './errors.ts'
import { expectHostKey, hostKeyOf, type HostKey, type HostKeys } from './host-keys.ts'
import { nextMethod, type Login } from './login.ts'

/** For TCP, key exchange and login together; a password is checked slowly on purpose. */
const connectMs = 30_000
/** Keeps the way through firewalls open. The answer may wait behind much that is on its way: what stands still is the watches' matter. */
const keepAliveMs = 15_000
const keepAlivesUnanswered = 40
const pulseMs = 1_000

/** As OpenSSH, the kind that is known is asked for first: a server that got one more key is not taken for another. */
const hostKeyAlgorithms = ['ssh-ed25519', 'ecdsa-sha2-nistp256', 'ecdsa-sha2-nistp384', 'ecdsa-sha2-nistp521', 'rsa-sha2-512', 'rsa-sha2-256', 'ssh-rsa'] as const

/** One SSH connection that somebody is logged in to. What waits on it fails when it ends (ssh2 #289: promises that never settle). */
export class Connection implements Disposable {
  readonly hostKey: HostKey
  readonly #client: Client
  readonly #socket: Socket
  readonly #server: string
  readonly #watches = new Set<Watch>()
  readonly #pulse: NodeJS.Timeout
  #ended: HoldfastError | undefined

  private constructor(client: Client, socket: Socket, server: string, hostKey: HostKey) {
    this.#client = client
    this.#socket = socket
    this.#server = server
    this.hostKey = hostKey
    let moved = movedBytes(socket)
    this.#pulse = setInterval(() => {
      const now = movedBytes(socket)
      if (now > moved) for (const watch of this.#watches) watch.moved(now - moved)
      moved = now
    }, pulseMs).unref()
    client.on('error', (error) => { this.#end(error) })
    client.on('close', () => { this.#end(new Error('The connection was closed.')) })
  }

  /** Errors: offline, denied (the key of the server), credentials, unsupported. */
  static async open(address: SftpAddress, login: Login, keys: HostKeys, onHostKey: (key: HostKey) => void): Promise<Connection> {
    const server = hostAndPort(address)
    const client = new ssh2.Client()
    const socket = new Socket()
    const known = address.hostKey === undefined ? await keys.known(address) : undefined
    const methods = [...login.methods]
    let takes: readonly AuthenticationType[] | undefined
    let shown: HostKey | undefined
    let refusal: unknown
    try {
      await new Promise<void>((resolve, reject) => {
        client.once('ready', resolve)
        client.on('error', reject)
        client.once('close', () => { reject(new Error('Connection lost before handshake')) })
        socket.setNoDelay(true)
        socket.connect({ host: address.host, port: address.port })
        client.connect({
          sock: socket, username: address.user, readyTimeout: connectMs, keepaliveInterval: keepAliveMs, keepaliveCountMax: keepAlivesUnanswered,
          algorithms: { serverHostKey: [...hostKeyAlgorithms].sort((a, b) => Number(isOf(known, b)) - Number(isOf(known, a))) },
          authHandler: (left, _partial, next) => {
            takes = left ?? takes
            const method = nextMethod(methods, left)
            // The types know no `false`, which is how ssh2 is told that there is no other method.
            next((method ?? false) as Parameters<typeof next>[0])
          },
          hostVerifier: (raw: Buffer, verify: (good: boolean) => void) => {
            verifyHost(address, keys, raw, shown).then((key) => {
              onHostKey((shown = key))
              verify(true)
            }, (error: unknown) => {
              refusal = error
              verify(false)
            })
          },
        })
      })
      if (!shown) throw new HoldfastError('unavailable', `The server ${server} showed no key.`)
      // Only now has the server proven that the key is its own.
      if (address.hostKey === undefined && !known) await keys.meet(address, shown)
      await expectHostKey(keys, address, shown)
      return new Connection(client, socket, server, shown)
    } catch (error) {
      client.on('error', () => undefined)
      client.destroy()
      socket.destroy()
      throw connectError(refusal ?? error, server, takes, shown !== undefined)
    }
  }

  get ended(): HoldfastError | undefined {
    return this.#ended
  }

  /** What moves on the connection keeps this watch content while it runs: the answer to a request comes behind all that is on its way. */
  async watching<T>(watch: Watch, exchange: () => Promise<T>): Promise<T> {
    this.#watches.add(watch)
    try {
      return await exchange()
    } finally {
      this.#watches.delete(watch)
    }
  }

  /** Errors: offline, unsupported (no SFTP), unavailable (the server opens no more: MaxSessions). */
  async openSession(): Promise<SFTPWrapper> {
    if (this.#ended) throw this.#ended
    return new Promise((resolve, reject) => {
      this.#client.once('close', () => { reject(this.#ended ?? new Error('closed')) })
      this.#client.sftp((error, session) => {
        if (error) reject(sessionError(error, this.#server))
        else resolve(session)
      })
    })
  }

  [Symbol.dispose](): void {
    clearInterval(this.#pulse)
    this.#ended ??= new HoldfastError('offline', `The connection to ${this.#server} was closed.`)
    this.#client.end()
    this.#client.destroy()
    this.#socket.destroy()
  }

  #end(cause: unknown): void {
    clearInterval(this.#pulse)
    this.#ended ??= connectError(cause, this.#server, undefined)
    this.#client.destroy()
  }
}

/** What the system has taken for sending, and what has come. */
function movedBytes(socket: Socket): number {
  return socket.bytesRead + socket.bytesWritten - socket.writableLength
}

function isOf(key: HostKey | undefined, algorithm: string): boolean {
  return key !== undefined && (key.type === 'ssh-rsa' ? /rsa/.test(algorithm) : key.type === algorithm)
}

/** Also each time that the connection gets new keys. Errors: denied. */
async function verifyHost(address: SftpAddress, keys: HostKeys, raw: Buffer, before: HostKey | undefined): Promise<HostKey> {
  const key = hostKeyOf(raw)
  if (before && before.fingerprint !== key.fingerprint) throw new HoldfastError('denied', `The server ${hostAndPort(address)} changed its key in the middle of a connection.`)
  await expectHostKey(keys, address, key)
  return key
}
