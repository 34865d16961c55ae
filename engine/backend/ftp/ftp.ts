import { throwIfAborted, unlessAborted } from '../../base/abort.ts'
import type { Clock } from '../../base/clock.ts'
import { HoldfastError } from '../../base/errors.ts'
import {
  maximumWholeBytes, type BackendTraits, type Body, type ByteRange, type ObjectInfo, type Pace, type PutOptions, type StorageBackend, type UploadJournal,
} from '../backend.ts'
import { walkFolders, type FolderEntry } from '../flow/folder-walk.ts'
import { split } from '../flow/server-folder.ts'
import { temporaryFolder, temporaryName, temporaryPattern } from '../flow/unfinished.ts'
import { standardLimits, type HttpLimits } from '../http/limits.ts'
import { sizeOf as bodySize } from '../http/parts.ts'
import { Responsiveness, Watch, type ExchangeKind } from '../http/watch.ts'
import { requireObjectName, requirePrefix } from '../name.ts'
import { shownAddress, type FtpAddress } from './address.ts'
import { FtpConnection } from './connection.ts'
import { ftpError } from './errors.ts'
import { entriesOf, infoOf, isFolder, sizeOf } from './files.ts'
import { Ground } from './ground.ts'
import { Pool } from './pool.ts'
import { giveName, remove, upload } from './upload.ts'

/** Many servers allow two to eight for each user, or for each address. */
const maximumConnections = 4
/** What a cancelled upload left is removed, if that is done at once. */
const cleanUpMs = 500

export interface FtpOptions {
  readonly password: string
  readonly clock: Clock
  readonly uploadJournal?: UploadJournal | undefined
  /** A repository is about to be made: a missing folder is made, and one that holds other things is refused. */
  readonly create?: boolean
  readonly limits?: HttpLimits
}

type Work<T> = (connection: FtpConnection, watch: Watch, ground: Ground) => Promise<T>

/**
 * A repository in a folder of a server: an object is a file of its name. Beside the objects lies `.tmp/` with files that are being written. No FTP
 * server creates exclusively: STOR and RNTO replace.
 */
export class FtpBackend implements StorageBackend {
  readonly label: string
  readonly traits: BackendTraits
  readonly #address: FtpAddress
  readonly #options: FtpOptions
  readonly #pool: Pool
  readonly #watching: { readonly clock: Clock; readonly limits: HttpLimits; readonly host: Responsiveness }
  #ground: Promise<Ground> | undefined
  #fingerprint: string | undefined

  constructor(address: FtpAddress, options: FtpOptions) {
    this.#address = address
    this.#options = options
    this.#watching = { clock: options.clock, limits: options.limits ?? standardLimits, host: new Responsiveness() }
    this.#pool = new Pool(maximumConnections, (watch) => this.#open(watch))
    this.label = shownAddress(address)
    this.traits = {
      maxConnections: maximumConnections, exclusiveCreate: false, resumable: options.uploadJournal !== undefined, distance: 'far',
      listing: { order: 'ascending', cost: 'prefix' }, largestPut: Number.MAX_SAFE_INTEGER, account: `ftp:${address.host}:${address.port}:${address.user}`,
      readableOnTheWay: address.tls === 'none' && !/^(?:localhost|127\.\d+\.\d+\.\d+|::1)$/.test(address.host),
    }
  }

  serverKey(): string | undefined {
    return this.#fingerprint
  }

  async put(name: string, body: Body, options: PutOptions, signal: AbortSignal): Promise<void> {
    requireObjectName(name)
    throwIfAborted(signal)
    if (options.ifAbsent) throw new HoldfastError('unsupported', 'FTP cannot create a file only if there is none of its name.')
    const { uploadJournal: journal } = this.#options
    const fresh = temporaryName()
    try {
      await this.#exchange(name, bodySize(body), signal, async (connection, watch, ground) => {
        const place = { ground, object: name, connection, watch, journal }
        const temporary = await upload(place, fresh, body, options)
        if (temporary !== undefined) await giveName(place, temporary)
      })
    } catch (error) {
      if (journal?.get(name) === undefined) await this.#discard(fresh)
      throw error
    }
    journal?.delete(name)
    options.onProgress?.(bodySize(body))
  }

  async get(name: string, range: ByteRange | 'all', signal: AbortSignal, pace?: Pace): Promise<Uint8Array> {
    requireObjectName(name)
    return this.#exchange(name, range === 'all' ? maximumWholeBytes : range.length, signal, async (connection, watch, ground) => {
      const path = ground.pathOf(name)
      const size = (await sizeOf(path, connection, watch)) ?? (await this.#absent(name, connection, watch, ground))
      const { offset, length } = range === 'all' ? { offset: 0, length: size } : range
      if (offset + length > size) throw new HoldfastError('damaged', `${name} ends before the bytes that were asked for.`)
      if (range === 'all' && size > maximumWholeBytes) throw new HoldfastError('damaged', `${name} is too large to be read whole.`)
      return length === 0 ? new Uint8Array(0) : readRange(name, path, offset, length, pace, connection, watch)
    })
  }

  async stat(name: string, signal: AbortSignal): Promise<ObjectInfo> {
    requireObjectName(name)
    return this.#exchange(name, 'small', signal, async (connection, watch, ground) => {
      const info = (await infoOf(ground.pathOf(name), connection, watch)) ?? (await this.#absent(name, connection, watch, ground))
      return { name, ...info }
    })
  }

  async *list(prefix: string, signal: AbortSignal): AsyncIterable<ObjectInfo> {
    requirePrefix(prefix)
    const read = (folder: string): Promise<readonly FolderEntry[] | undefined> => this.#exchange(prefix, 'small', signal, async (connection, watch, ground) => {
      const entries = await entriesOf(ground.pathOf(folder), this.#options.clock.now(), connection, watch)
      if (!entries && folder !== '') await this.#expectAbsent(folder, connection, watch, ground)
      return entries
    })
    for await (const info of walkFolders(prefix, { read })) {
      throwIfAborted(signal)
      yield info
    }
    // A disk that is no longer mounted looks like an empty folder.
    await this.#exchange(prefix, 'small', signal, async (connection, watch, ground) => {
      if (!(await isFolder(ground.root, connection, watch))) throw ground.noRoot()
    })
  }

  async remove(name: string, signal: AbortSignal): Promise<void> {
    requireObjectName(name)
    await this.#exchange(name, 'small', signal, async (connection, watch, ground) => {
      if (!(await remove(ground.pathOf(name), connection, watch))) await this.#expectAbsent(name, connection, watch, ground)
    })
  }

  async abortStaleUploads(olderThanMs: number, signal: AbortSignal): Promise<number> {
    const nowMs = this.#options.clock.now()
    return this.#exchange(temporaryFolder, 'small', signal, async (connection, watch, ground) => {
      const path = ground.pathOf(temporaryFolder)
      let removed = 0
      for (const { name, kind, modifiedMs } of (await entriesOf(path, nowMs, connection, watch)) ?? []) {
        if (kind !== 'file' || !temporaryPattern.test(name) || modifiedMs > nowMs - olderThanMs) continue
        if (await remove(`${path}/${name}`, connection, watch)) removed++
      }
      return removed
    })
  }

  async tryWriting(signal: AbortSignal): Promise<boolean> {
    return this.#exchange(this.label, 'small', signal, async (connection, watch, ground) => {
      if (!(await ground.expectOwnFolder(this.#options.clock.now(), connection, watch))) return true
      // A folder is made and removed in one round trip each, and holds nothing in between.
      const path = ground.pathOf(temporaryName())
      await connection.command(`MKD ${path}`, watch)
      await connection.command(`RMD ${path}`, watch)
      return true
    })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#pool[Symbol.dispose]()
  }

  async #open(watch: Watch): Promise<FtpConnection> {
    const connection = await FtpConnection.open(this.#address, this.#options.password, watch)
    this.#fingerprint ??= connection.fingerprint
    return connection
  }

  /** 550 has many reasons: what its folder lists is there, and refused. Errors: not-found, denied. */
  async #absent(name: string, connection: FtpConnection, watch: Watch, ground: Ground): Promise<never> {
    await this.#expectAbsent(name, connection, watch, ground)
    throw new HoldfastError('not-found', `${name} does not exist.`)
  }

  async #expectAbsent(name: string, connection: FtpConnection, watch: Watch, ground: Ground): Promise<void> {
    const [folder, last] = split(name)
    const entry = (await entriesOf(ground.pathOf(folder), this.#options.clock.now(), connection, watch))?.find((one) => one.name === last)
    if (!entry) return
    const what = entry.kind === 'file' ? 'is there, but the server refuses access to it' : 'is there, and it is no file'
    throw new HoldfastError(entry.kind === 'file' ? 'denied' : 'damaged', `${ground.pathOf(name)} ${what}.`)
  }

  async #discard(temporary: string): Promise<void> {
    const signal = AbortSignal.timeout(cleanUpMs)
    await this.#exchange(temporaryFolder, 'small', signal, (connection, watch, ground) => remove(ground.pathOf(`${temporaryFolder}/${temporary}`), connection, watch)).catch(() => undefined)
  }

  /** Where the repository is, found out once. */
  async #ready(connection: FtpConnection, watch: Watch): Promise<Ground> {
    const ground = (this.#ground ??= this.#find(connection, watch))
    ground.catch(() => { if (this.#ground === ground) this.#ground = undefined })
    return unlessAborted(ground, watch.signal)
  }

  async #find(connection: FtpConnection, watch: Watch): Promise<Ground> {
    const ground = new Ground(this.#address.path, connection.home)
    if (this.#options.create) await ground.makeRoot(this.#options.clock.now(), connection, watch)
    return ground
  }

  async #exchange<T>(what: string, moves: ExchangeKind | number, signal: AbortSignal, work: Work<T>): Promise<T> {
    const kind = typeof moves === 'number' ? { kind: 'object' as const, bytes: moves } : { kind: moves }
    try {
      return await this.#pool.use(
        (exchange) => Watch.run({ ...kind, ...this.#watching }, signal, exchange), signal,
        async (connection, watch) => work(connection, watch, await this.#ready(connection, watch)),
      )
    } catch (error) {
      throw ftpError(error, what)
    }
  }
}

async function readRange(name: string, path: string, offset: number, length: number, pace: Pace | undefined, connection: FtpConnection, watch: Watch): Promise<Buffer> {
  const bytes = Buffer.allocUnsafeSlow(length)
  let got = 0
  await connection.fetch(`RETR ${path}`, offset, async (chunk) => {
    const taken = Math.min(chunk.length, length - got)
    chunk.copy(bytes, got, 0, taken)
    got += taken
    for (let left = taken; left > 0; ) left -= await watch.granted(left, pace)
    return got < length
  }, watch)
  if (got < length) throw new HoldfastError('unavailable', `The server broke off in the middle of ${name}.`)
  return bytes
}
