import { Client, FTPError, type FTPResponse } from 'basic-ftp'
import { once } from 'node:events'
import type { Socket } from 'node:net'
import { finished } from 'node:stream/promises'
import { TLSSocket } from 'node:tls'
import { HoldfastError } from '../../base/errors.ts'
import type { Watch } from '../http/watch.ts'
import { shownAddress, type FtpAddress } from './address.ts'
import { ftpError, noTlsError } from './errors.ts'
import { expectTrusted, tlsOptions } from './trust.ts'

/** How long the server's word on a transfer that broke is waited for; it says more than the broken connection does. */
const lastWordMs = 3_000
/** Bytes that are handed on at once; each time tells that the transfer moves. */
const sliceBytes = 16 * 1024

/** Whose features are used; FEAT tells (RFC 3659, draft-bryan-ftp-hash). */
export interface Features {
  /** Lists that machines read: MLSD. */
  readonly machineLists: boolean
  readonly hash: boolean
}

/**
 * One control connection, for one exchange at a time. What fails in an unexpected way, or is given up, closes it: the answers that are still
 * to come would be taken for those to the next command.
 */
export class FtpConnection implements Disposable {
  readonly features: Features
  /** The folder in which the login begins; undefined where the server does not say. */
  readonly home: string | undefined
  /** The certificate's, where the connection is encrypted. */
  readonly fingerprint: string | undefined
  readonly #client: Client
  readonly #server: string
  readonly #pinned: string | undefined
  #usedMs = performance.now()

  private constructor(client: Client, server: string, pinned: string | undefined, fingerprint: string | undefined, features: Features, home: string | undefined) {
    this.home = home
    this.#client = client
    this.#server = server
    this.#pinned = pinned
    this.fingerprint = fingerprint
    this.features = features
  }

  /** Connects and logs in. Errors: offline, denied (the certificate), credentials, unsupported, unavailable (too many connections). */
  static async open(address: FtpAddress, password: string, watch: Watch): Promise<FtpConnection> {
    const { host, port, tls, user, fingerprint: pinned } = address
    const server = new URL(shownAddress(address)).host
    // Time is the watch's matter.
    const client = new Client(0)
    try {
      watch.connecting()
      const begin = async (): Promise<string | undefined> => {
        if (tls === 'implicit') await client.connectImplicitTLS(host, port, tlsOptions(host))
        else await client.connect(host, port)
        watch.stepped()
        if (tls === 'explicit') {
          await client.useTLS(tlsOptions(host)).catch((error: unknown) => { throw error instanceof FTPError ? noTlsError(server, error) : error })
          watch.stepped()
        }
        return client.ftp.socket instanceof TLSSocket ? expectTrusted(client.ftp.socket, server, pinned) : undefined
      }
      const fingerprint = await unlessOver(begin(), client, watch)
      await unlessOver(client.login(user, password), client, watch)
      const connection = new FtpConnection(client, server, pinned, fingerprint, await unlessOver(featuresOf(client), client, watch), await unlessOver(homeOf(client), client, watch))
      await connection.#prepare(watch)
      return connection
    } catch (error) {
      client.close()
      throw ftpError(error, server)
    }
  }

  get closed(): boolean {
    return this.#client.closed
  }

  get idleMs(): number {
    return performance.now() - this.#usedMs
  }

  /** The reply to a command, which is positive. Errors: FTPError, those that end the watch; the connection is closed where it was no answer. */
  async command(text: string, watch: Watch): Promise<string> {
    const { message } = await this.#settled(this.#client.ftp.request(text), watch)
    watch.answered()
    return message
  }

  /** Stores what comes as a file from an offset on. Resolves when the server has said that it has all of it. */
  async store(path: string, offset: number, source: AsyncIterable<Buffer>, watch: Watch): Promise<void> {
    await this.#transfer(`STOR ${path}`, offset, watch, async (socket) => {
      const flushed = finished(socket, { readable: false })
      flushed.catch(() => undefined)
      for await (const bytes of source) {
        for (let at = 0; at < bytes.length; at += sliceBytes) {
          const slice = bytes.subarray(at, at + sliceBytes)
          await new Promise<void>((resolve, reject) => socket.write(slice, (error) => { if (error) reject(error); else resolve() }))
          watch.moved(slice.length)
        }
      }
      socket.end()
      await flushed
      return 'whole'
    })
  }

  /** Tells what a command sends over a data connection, until `onBytes` has enough (false). */
  async fetch(command: string, offset: number, onBytes: (bytes: Buffer) => Promise<boolean> | boolean, watch: Watch): Promise<void> {
    await this.#transfer(command, offset, watch, async (socket) => {
      for await (const bytes of socket as AsyncIterable<Buffer>) {
        watch.moved(bytes.length)
        if (!(await onBytes(bytes))) return 'enough'
      }
      return 'whole'
    })
  }

  [Symbol.dispose](): void {
    this.#client.close()
  }

  async #prepare(watch: Watch): Promise<void> {
    await this.command('TYPE I', watch)
    if (this.#client.ftp.hasTLS) {
      await this.command('PBSZ 0', watch)
      await this.command('PROT P', watch)
    }
    if (this.features.hash) await this.command('OPTS HASH SHA-256', watch)
  }

  /** @param move works with the data connection; `enough`: the rest is not wanted. */
  async #transfer(command: string, offset: number, watch: Watch, move: (socket: Socket) => Promise<'whole' | 'enough'>): Promise<void> {
    const { ftp } = this.#client
    await this.#settled(this.#client.prepareTransfer(ftp), watch)
    const socket = ftp.dataSocket
    if (!socket) throw this.#unexpected('no data connection')
    // What the data connection suffers is told by `move`; the library would close the control connection, and with it the server's own words.
    for (const event of ['error', 'close', 'timeout']) socket.removeAllListeners(event)
    socket.on('error', () => undefined)
    // The server begins its part of the handshake when it has the command.
    const secured = socket instanceof TLSSocket ? once(socket, 'secureConnect') : Promise.resolve()
    secured.catch(() => undefined)
    if (offset > 0) await this.command(`REST ${offset}`, watch)
    const begun = Promise.withResolvers<void>()
    const finished = ftp.handle(command, (reply: Error | FTPResponse, task) => {
      if (reply instanceof Error) task.reject(reply)
      else if (reply.code < 200) begun.resolve()
      else if (reply.code < 300) task.resolve(reply)
      else task.reject(new FTPError(reply))
    })
    const ended = this.#settled(finished, watch).finally(() => { begun.resolve() })
    ended.catch(() => undefined)
    await begun.promise
    await this.#moved(socket, ended, watch, async () => {
      await secured
      if (socket instanceof TLSSocket) expectTrusted(socket, this.#server, this.#pinned)
      else if (this.#client.ftp.hasTLS) throw this.#unexpected('a data connection without encryption')
      return move(socket)
    })
    ftp.dataSocket = undefined
    this.#usedMs = performance.now()
  }

  async #moved(socket: Socket, ended: Promise<unknown>, watch: Watch, move: () => Promise<'whole' | 'enough'>): Promise<void> {
    // The server may refuse in the middle, and let the data connection stand.
    const refusal = new Promise<never>((_, reject) => { ended.catch(reject) })
    try {
      const how = await unlessOver(Promise.race([move(), refusal]), this.#client, watch)
      if (how === 'whole') await ended
      else {
        socket.destroy()
        // Whatever the server says to that has to be out of the way; proftpd with TLS now and then ends the connection instead.
        await inTime(ended).catch((error: unknown) => { if (!(error instanceof FTPError)) this.#client.close() })
      }
    } catch (error) {
      socket.destroy()
      const refused: unknown = watch.signal.aborted ? undefined : await inTime(ended).then(() => undefined, (reason: unknown) => reason)
      if (refused instanceof FTPError) throw refused
      this.#client.close()
      throw error
    }
  }

  async #settled<T>(work: Promise<T>, watch: Watch): Promise<T> {
    try {
      return await unlessOver(work, this.#client, watch)
    } catch (error) {
      if (!(error instanceof FTPError)) this.#client.close()
      throw error
    } finally {
      this.#usedMs = performance.now()
    }
  }

  #unexpected(what: string): HoldfastError {
    this.#client.close()
    return new HoldfastError('unavailable', `The server answered what makes no sense: ${what}.`)
  }
}

async function featuresOf(client: Client): Promise<Features> {
  const features = await client.features()
  const hash = /(?:^|;)SHA-256\*?(?:;|$)/.test(features.get('HASH') ?? '')
  return { machineLists: features.has('MLST') || features.has('MLSD'), hash }
}

/** PWD (RFC 959, appendix II): a quote in the name is doubled. */
async function homeOf(client: Client): Promise<string | undefined> {
  const { message } = await client.sendIgnoringError('PWD')
  const path = /^257 "((?:[^"]|"")*)"/.exec(message)?.[1]?.replaceAll('""', '"')
  return path?.startsWith('/') ? path : undefined
}

/** Errors: those that end the watch; then the connection is closed, and what waits on it with it. */
async function unlessOver<T>(work: Promise<T>, client: Client, watch: Watch): Promise<T> {
  return new Promise((resolve, reject) => {
    const onAbort = (): void => {
      reject(watch.signal.reason instanceof Error ? watch.signal.reason : new Error(String(watch.signal.reason)))
      client.close()
    }
    if (watch.signal.aborted) onAbort()
    watch.signal.addEventListener('abort', onAbort, { once: true })
    void work.then(resolve, reject).finally(() => { watch.signal.removeEventListener('abort', onAbort) })
  })
}

async function inTime<T>(work: Promise<T>): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>()
  const timer = setTimeout(() => { reject(new Error('The server says nothing more.')) }, lastWordMs)
  try {
    return await Promise.race([work, promise])
  } finally {
    clearTimeout(timer)
  }
}
