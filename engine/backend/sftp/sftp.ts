import { throwIfAborted, unlessAborted } from '../../base/abort.ts'
import type { Clock } from '../../base/clock.ts'
import { HoldfastError } from '../../base/errors.ts'
import {
  maximumWholeBytes, type BackendTraits, type Body, type ByteRange, type ObjectInfo, type Pace, type PutOptions, type StorageBackend, type UploadJournal,
} from '../backend.ts'
import { expectEnd, walkFolders, type FolderEntry } from '../flow/folder-walk.ts'
import { split } from '../flow/server-folder.ts'
import { temporaryFolder, temporaryName, temporaryPattern } from '../flow/unfinished.ts'
import { standardLimits, type HttpLimits } from '../http/limits.ts'
import { sizeOf as bodySize } from '../http/parts.ts'
import { Responsiveness, Watch, type ExchangeKind } from '../http/watch.ts'
import type { SpaceLeft } from '../../protocol/space.ts'
import { requireObjectName, requirePrefix } from '../name.ts'
import { shownAddress, type SftpAddress } from './address.ts'
import { Connection } from './connection.ts'
import { fullError, isStatus, sftpError, status } from './errors.ts'
import { linksExclusively } from './exclusive.ts'
import { Ground, notInPlace } from './ground.ts'
import { shownHostKey, type HostKey, type HostKeys } from './host-keys.ts'
import type { Login } from './login.ts'
import { expectOwnFolder, makeRootFor } from './new-root.ts'
import { folderEntry, type Info, type Session } from './session.ts'
import { Sessions } from './sessions.ts'
import { pieceBytes, readRange, type Writing } from './transfer.ts'
import { create, noExclusiveCreate, orFull, replace, upload, type UploadPlace } from './upload.ts'

const maximumConnections = 8
/** What goes in the session for small things. */
const smallBytes = 64 * 1024

export interface SftpOptions {
  readonly login: Login
  readonly hostKeys: HostKeys
  readonly clock: Clock
  readonly uploadJournal?: UploadJournal | undefined
  /** A repository is about to be made: a missing folder is made, and one that holds other things is refused. */
  readonly create?: boolean
  readonly limits?: HttpLimits
}

type Work<T> = (session: Session, watch: Watch, ground: Ground) => Promise<T>

/** A repository in a folder of a server: an object is a file of its name. Beside the objects lies `.tmp/` with files that are being written. */
export class SftpBackend implements StorageBackend {
  readonly label: string
  readonly traits: BackendTraits
  readonly #address: SftpAddress
  readonly #options: SftpOptions
  readonly #sessions: Sessions
  readonly #watching: { readonly clock: Clock; readonly limits: HttpLimits; readonly host: Responsiveness }
  #ground: Promise<Ground> | undefined
  #hostKey: HostKey | undefined
  /** What each connection was seen to do: behind the address may be another server each time. */
  readonly #proofs = new WeakMap<Connection, Promise<boolean>>()
  #exclusive = true
  #writing: Writing = 'side by side'

  constructor(address: SftpAddress, options: SftpOptions) {
    this.#address = address
    this.#options = options
    this.#watching = { clock: options.clock, limits: options.limits ?? standardLimits, host: new Responsiveness() }
    this.#sessions = new Sessions(() => this.#connect())
    this.label = shownAddress(address)
    const isExclusive = (): boolean => this.#exclusive
    this.traits = {
      maxConnections: maximumConnections, resumable: options.uploadJournal !== undefined, distance: 'far', listing: { order: 'ascending', cost: 'prefix' },
      largestPut: Number.MAX_SAFE_INTEGER, account: `sftp:${address.host}:${address.port}:${address.user}`,
      /** False once a connection stood that lacks the extension of OpenSSH, or was seen to do something else by it. */
      get exclusiveCreate() { return isExclusive() },
    }
  }

  serverKey(): string | undefined {
    return this.#hostKey && shownHostKey(this.#hostKey)
  }

  async put(name: string, body: Body, options: PutOptions, signal: AbortSignal): Promise<void> {
    requireObjectName(name)
    const size = bodySize(body)
    await this.#object(name, size, signal, async (session, watch, ground) => {
      if (options.ifAbsent) await this.#expectExclusive(session, ground, signal)
      const place: UploadPlace = { ground, object: name, session, watch, journal: this.#options.uploadJournal }
      try {
        const temporary = await this.#upload(place, body, options)
        if (temporary !== undefined) await this.#giveName(place, temporary, options)
      } catch (error) {
        throw await orFull(error, place)
      }
      this.#options.uploadJournal?.delete(name)
    })
    options.onProgress?.(size)
  }

  async get(name: string, range: ByteRange | 'all', signal: AbortSignal, pace?: Pace): Promise<Uint8Array> {
    requireObjectName(name)
    return this.#object(name, range === 'all' ? maximumWholeBytes : range.length, signal, async (session, watch, ground) => {
      const { size } = await this.#lookAt(name, session, watch, ground)
      const { offset, length } = range === 'all' ? { offset: 0, length: size } : range
      if (offset + length > size) throw new HoldfastError('damaged', `${name} ends before the bytes that were asked for.`)
      if (range === 'all' && size > maximumWholeBytes) throw new HoldfastError('damaged', `${name} is too large to be read whole.`)
      if (length === 0) return new Uint8Array(0)
      const handle = await session.openToRead(ground.pathOf(name), watch)
      try {
        return await readRange(name, session, handle, offset, length, pace, watch)
      } finally {
        session.closeSoon(handle)
      }
    })
  }

  async stat(name: string, signal: AbortSignal): Promise<ObjectInfo> {
    requireObjectName(name)
    return this.#small(name, signal, async (session, watch, ground) => {
      const { size, modifiedMs } = await this.#lookAt(name, session, watch, ground)
      return { name, size, modifiedMs }
    })
  }

  async *list(prefix: string, signal: AbortSignal): AsyncIterable<ObjectInfo> {
    requirePrefix(prefix)
    const ground = await this.#ready(signal)
    const read = (folder: string): Promise<readonly FolderEntry[] | undefined> => this.#small(prefix, signal, (session, watch) => entriesOf(folder, session, watch, ground))
    const meet = (name: string): Promise<void> => this.#small(prefix, signal, (session, watch) => expectNoFolder(ground.pathOf(name), session, watch))
    for await (const info of walkFolders(prefix, { read, meet })) {
      throwIfAborted(signal)
      yield info
    }
    // A disk that is no longer mounted looks like an empty folder.
    await this.#small(prefix, signal, async (session, watch) => {
      if (!(await session.lookThrough(ground.root, watch))) throw ground.noRoot()
    })
  }

  async remove(name: string, signal: AbortSignal): Promise<void> {
    requireObjectName(name)
    await this.#small(name, signal, async (session, watch, ground) => {
      if (!(await ground.enter(split(name)[0], session, watch))) return
      await session.remove(ground.pathOf(name), watch).catch(async (error: unknown) => {
        const found = isStatus(error, status.failure, status.denied) ? await session.lookAt(ground.pathOf(name), watch) : undefined
        throw found?.kind === 'folder' ? notInPlace('file', ground.pathOf(name), found) : error
      })
    })
  }

  async abortStaleUploads(olderThanMs: number, signal: AbortSignal): Promise<number> {
    const beforeMs = this.#options.clock.now() - olderThanMs
    return this.#small(temporaryFolder, signal, async (session, watch, ground) => {
      if (!(await ground.enter(temporaryFolder, session, watch))) return 0
      const handle = await session.openFolder(ground.pathOf(temporaryFolder), watch)
      const stale: string[] = []
      try {
        for (let more = await session.nextEntries(handle, watch); more; more = await session.nextEntries(handle, watch)) {
          for (const { name, kind, modifiedMs } of more) if (kind === 'file' && temporaryPattern.test(name) && modifiedMs <= beforeMs) stale.push(name)
        }
      } finally {
        session.closeSoon(handle)
      }
      let removed = 0
      for (const name of stale) if (await session.remove(ground.pathOf(`${temporaryFolder}/${name}`), watch)) removed++
      return removed
    })
  }

  space(signal: AbortSignal): Promise<SpaceLeft | undefined> {
    return this.#small(this.label, signal, (session, watch, ground) => session.spaceOf(ground.root, watch))
  }

  async tryWriting(signal: AbortSignal): Promise<boolean> {
    return this.#small(this.label, signal, async (session, watch, ground) => {
      if (!(await expectOwnFolder(ground, session, watch))) return true
      const path = ground.pathOf(temporaryName())
      // Both are on their way before the first is answered: nothing stays, whatever happens to the connection.
      const opened = session.openToWrite(path, 'new', watch)
      session.removeSoon(path)
      session.closeSoon(await opened.catch(async (error: unknown) => { throw await orFull(error, { ground, object: this.label, session, watch }) }))
      return true
    })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#sessions[Symbol.dispose]()
  }

  #connect(): Promise<Connection> {
    this.#ground?.then((ground) => { ground.forget() }, () => undefined)
    return Connection.open(this.#address, this.#options.login, this.#options.hostKeys, (key) => { this.#hostKey = key })
  }

  /**
   * A server that hands on what comes (rclone, to a storage that takes a file from its beginning to its end only) fails where a write comes while it
   * has another. What fails side by side is tried one by one, and so is all that follows where that went well.
   */
  async #upload(place: UploadPlace, body: Body, options: PutOptions): Promise<string | undefined> {
    const writing = this.#writing
    try {
      return await upload(place, body, options, writing)
    } catch (error) {
      const isOrder = writing === 'side by side' && bodySize(body) > pieceBytes && isStatus(error, status.failure) && sftpError(error, place.object).code === 'unavailable'
      if (!isOrder) throw error
    }
    const temporary = await upload(place, body, options, 'one by one')
    this.#writing = 'one by one'
    return temporary
  }

  /** Nothing is created exclusively on a server's word: each connection is tried once. Errors: unsupported, those of the trial. */
  async #expectExclusive(session: Session, ground: Ground, signal: AbortSignal): Promise<void> {
    this.#exclusive &&= session.hasHardLinks
    if (!this.#exclusive) throw noExclusiveCreate()
    const { connection } = session
    let proof = this.#proofs.get(connection)
    if (!proof) {
      this.#proofs.set(connection, (proof = this.#tryLinks(ground)))
      proof.catch(() => this.#proofs.delete(connection))
    }
    if (await unlessAborted(proof, signal)) return
    this.#exclusive = false
    throw noExclusiveCreate()
  }

  async #tryLinks(ground: Ground): Promise<boolean> {
    // Several wait for it: none of them ends it.
    const { signal } = new AbortController()
    return this.#exchange(this.label, 'small', signal, async (session, watch) => {
      const proven = await linksExclusively(ground, session, watch, (work) => this.#exchange(this.label, 'small', signal, work, 'object'))
        .catch(async (error: unknown) => { throw await orFull(error, { ground, object: this.label, session, watch }) })
      if (!proven && (await session.isFull(ground.root, watch).catch(() => false))) throw fullError(this.label, undefined)
      return proven
    })
  }

  async #giveName(place: UploadPlace, temporary: string, options: PutOptions): Promise<void> {
    const { ground, object, session } = place
    if (!options.ifAbsent) return replace(place, temporary)
    try {
      if (await create(place, temporary)) return
      throw new HoldfastError('exists', `${object} exists already.`)
    } catch (error) {
      session.removeSoon(ground.pathOf(temporary))
      throw error
    }
  }

  async #lookAt(name: string, session: Session, watch: Watch, ground: Ground): Promise<Info> {
    const found = (await ground.enter(split(name)[0], session, watch)) ? await session.lookAt(ground.pathOf(name), watch) : undefined
    if (!found) throw new HoldfastError('not-found', `${name} does not exist.`)
    if (found.kind !== 'file') throw notInPlace('file', ground.pathOf(name), found)
    return found
  }

  #small<T>(what: string, signal: AbortSignal, work: Work<T>): Promise<T> {
    return this.#exchange(what, 'small', signal, async (session, watch) => work(session, watch, await this.#ready(signal)))
  }

  #object<T>(name: string, bytes: number, signal: AbortSignal, work: Work<T>): Promise<T> {
    return this.#exchange(name, bytes, signal, async (session, watch) => work(session, watch, await this.#ready(signal)))
  }

  /** Where the repository is, found out once. */
  async #ready(signal: AbortSignal): Promise<Ground> {
    throwIfAborted(signal)
    const ground = (this.#ground ??= this.#find())
    ground.catch(() => { if (this.#ground === ground) this.#ground = undefined })
    return unlessAborted(ground, signal)
  }

  async #find(): Promise<Ground> {
    const { path } = this.#address
    return this.#exchange(this.label, 'small', new AbortController().signal, async (session, watch) => {
      const ground = new Ground(path, path.startsWith('~') ? await session.realPath('.', watch) : undefined)
      this.#exclusive &&= session.hasHardLinks
      if (this.#options.create) await makeRootFor(ground, session, watch)
      return ground
    })
  }

  async #exchange<T>(
    what: string, moves: ExchangeKind | number, signal: AbortSignal, work: (session: Session, watch: Watch) => Promise<T>,
    lane: 'small' | 'object' = typeof moves === 'number' && moves > smallBytes ? 'object' : 'small',
  ): Promise<T> {
    throwIfAborted(signal)
    const kind = typeof moves === 'number' ? { kind: 'object' as const, bytes: moves } : { kind: moves }
    try {
      return await this.#sessions.use(lane, signal, (session) =>
        Watch.run({ ...kind, ...this.#watching }, signal, (watch) => session.connection.watching(watch, () => work(session, watch))))
    } catch (error) {
      if (this.#watching.host.silent) this.#sessions.reset()
      throw sftpError(error, what)
    }
  }
}

/** Undefined where there is no such folder. */
async function entriesOf(folder: string, session: Session, watch: Watch, ground: Ground): Promise<readonly FolderEntry[] | undefined> {
  if (!(await ground.enter(folder, session, watch))) return undefined
  const entries: FolderEntry[] = []
  let handle: Buffer | undefined
  try {
    handle = await session.openFolder(ground.pathOf(folder), watch)
    let seen = 0
    for (let more = await session.nextEntries(handle, watch); more; more = await session.nextEntries(handle, watch)) {
      expectEnd((seen += Math.max(1, more.length)))
      for (const entry of more) entries.push(folderEntry(entry))
    }
    return entries
  } catch (error) {
    if (isStatus(error, status.noSuchFile, status.noSuchPath)) return undefined
    throw error
  } finally {
    if (handle) session.closeSoon(handle)
  }
}

/** Only looks: nothing is opened or listed through a link. Errors: damaged (a link in the place of a folder). */
async function expectNoFolder(path: string, session: Session, watch: Watch): Promise<void> {
  const target = await session.lookThrough(path, watch)
  if (target?.kind === 'folder') throw notInPlace('folder', path, { ...target, kind: 'link' })
}
