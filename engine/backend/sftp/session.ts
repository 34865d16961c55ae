import type { Attributes, SFTPWrapper } from 'ssh2'
import ssh2 from 'ssh2'
import { number, object, optional, safeParse, type InferOutput } from 'valibot'
import { HoldfastError } from '../../base/errors.ts'
import type { SpaceLeft } from '../../protocol/space.ts'
import type { FolderEntry } from '../flow/folder-walk.ts'
import type { Watch } from '../http/watch.ts'
import type { Connection } from './connection.ts'
import { isStatus, status } from './errors.ts'

const { OPEN_MODE } = ssh2.utils.sftp
/** RFC draft: version 3 has no time zone and no fraction. */
const attributes = object({ size: optional(number()), mode: optional(number()), mtime: optional(number()) })
const space = object({ f_frsize: number(), f_blocks: number(), f_bavail: number(), f_files: number(), f_favail: number() })
const formatBits = 0o170000
const leastRoom = 1024 * 1024
const syncMs = 5 * 60_000
const syncStepMs = 10_000
/** End of file, or of a folder's entries. */
const endOfFile = 1

type Kind = 'file' | 'folder' | 'link' | 'other'

export interface Info {
  readonly kind: Kind
  readonly size: number
  readonly modifiedMs: number
}

interface Entry extends Info {
  readonly name: string
}

type Done<T> = (error: Error | undefined | null, value: T) => void

/** An open file or folder of a session. */
export type Handle = Buffer

/** One SFTP session of a connection; any number of requests may be on their way in it. */
export class Session {
  readonly connection: Connection
  readonly #sftp: SFTPWrapper
  readonly #failing = new Set<(error: unknown) => void>()
  #closed = false

  constructor(connection: Connection, sftp: SFTPWrapper) {
    this.connection = connection
    this.#sftp = sftp
    sftp.on('error', (error: unknown) => { this.#fail(error) })
    sftp.on('close', () => { this.#fail(undefined) })
    sftp.on('end', () => { this.#fail(undefined) })
  }

  get closed(): boolean {
    return this.#closed || this.connection.ended !== undefined
  }

  /** Exclusive creation may rest on it: a second name for a file is given by one step of the file system. */
  get hasHardLinks(): boolean {
    return this.#has('hardlink@openssh.com')
  }

  get replacesByRename(): boolean {
    return this.#has('posix-rename@openssh.com')
  }

  /** The attributes of what has the name itself; undefined where nothing has. */
  async lookAt(path: string, watch: Watch): Promise<Info | undefined> {
    return this.#orNothing(this.#ask<unknown>(watch, (done) => { this.#sftp.lstat(path, done) }).then(infoOf))
  }

  /** The same of what a link leads to. */
  async lookThrough(path: string, watch: Watch): Promise<Info | undefined> {
    return this.#orNothing(this.#ask<unknown>(watch, (done) => { this.#sftp.stat(path, done) }).then(infoOf))
  }

  async sizeOf(handle: Handle, watch: Watch): Promise<number> {
    return infoOf(await this.#ask<unknown>(watch, (done) => { this.#sftp.fstat(handle, done) })).size
  }

  realPath(path: string, watch: Watch): Promise<string> {
    return this.#ask(watch, (done) => { this.#sftp.realpath(path, done) })
  }

  openToRead(path: string, watch: Watch): Promise<Handle> {
    return this.#ask(watch, (done) => { this.#sftp.open(path, OPEN_MODE.READ, {}, done) })
  }

  /** For the user alone, as far as the server lets that be chosen. A new file has a name that nothing else has. */
  openToWrite(path: string, how: 'new' | 'there', watch: Watch): Promise<Handle> {
    const flags = OPEN_MODE.WRITE | OPEN_MODE.READ | (how === 'new' ? OPEN_MODE.CREAT | OPEN_MODE.EXCL : 0)
    return this.#ask(watch, (done) => { this.#sftp.open(path, flags, how === 'new' ? ownFile : {}, done) })
  }

  close(handle: Handle, watch: Watch): Promise<void> {
    return this.#ask(watch, (done) => { this.#sftp.close(handle, done) })
  }

  /** Nobody need wait for the end of what was only read. */
  closeSoon(handle: Handle): void {
    if (!this.closed) this.#sftp.close(handle, () => undefined)
  }

  /** Reads into `into`; fewer bytes than it holds where the server wants to give no more at once, and 0 at the end of the file. */
  read(handle: Handle, into: Buffer, position: number, watch: Watch): Promise<number> {
    return this.#ask(watch, (done) => {
      this.#sftp.read(handle, into, 0, into.length, position, (error, count) => { done(error, count) })
    }, (count) => { watch.moved(count) })
  }

  write(handle: Handle, bytes: Buffer, position: number, watch: Watch): Promise<void> {
    return this.#ask(watch, (done) => { this.#sftp.write(handle, bytes, 0, bytes.length, position, done) }, () => { watch.moved(bytes.length) })
  }

  /** Makes what was written durable, where the server can. */
  async sync(handle: Handle, watch: Watch): Promise<void> {
    if (!this.#has('fsync@openssh.com')) return
    // A disk that has much to write says nothing meanwhile.
    let patience = syncMs / syncStepMs
    const timer = setInterval(() => { if (patience-- > 0) watch.stepped() }, syncStepMs)
    try {
      await this.#ask<unknown>(watch, (done) => { this.#sftp.ext_openssh_fsync(handle, done) })
    } finally {
      clearInterval(timer)
    }
  }

  /** False: it is there. */
  async makeFolder(path: string, watch: Watch): Promise<boolean> {
    try {
      await this.#ask(watch, (done) => { this.#sftp.mkdir(path, ownFolder, (error) => { done(error, undefined) }) })
      return true
    } catch (error) {
      if (!isStatus(error, status.failure, status.exists) || (await this.lookAt(path, watch))?.kind !== 'folder') throw error
      return false
    }
  }

  /** False: it was not there. */
  async remove(path: string, watch: Watch): Promise<boolean> {
    return (await this.#orNothing(this.#ask(watch, (done) => { this.#sftp.unlink(path, (error) => { done(error, undefined) }) }).then(() => true))) ?? false
  }

  /** Tells the server to remove a file, and waits for no answer. */
  removeSoon(path: string): void {
    if (!this.closed) this.#sftp.unlink(path, () => undefined)
  }

  link(from: string, to: string, watch: Watch): Promise<void> {
    return this.#ask(watch, (done) => { this.#sftp.ext_openssh_hardlink(from, to, done) })
  }

  /** Over whatever has the name, where `replacesByRename`; else servers differ. */
  rename(from: string, to: string, watch: Watch): Promise<void> {
    return this.#ask(watch, (done) => {
      if (this.replacesByRename) this.#sftp.ext_openssh_rename(from, to, done)
      else this.#sftp.rename(from, to, done)
    })
  }

  openFolder(path: string, watch: Watch): Promise<Handle> {
    return this.#ask(watch, (done) => { this.#sftp.opendir(path, done) })
  }

  /** The next entries of an open folder, without `.` and `..`; undefined at their end. */
  async nextEntries(handle: Handle, watch: Watch): Promise<readonly Entry[] | undefined> {
    try {
      const list = await this.#ask<readonly { readonly filename: string; readonly attrs: unknown }[]>(watch, (done) => { this.#sftp.readdir(handle, done) })
      return list.map(({ filename, attrs }) => ({ name: filename, ...infoOf(attrs) }))
    } catch (error) {
      if (isStatus(error, endOfFile)) return undefined
      throw error
    }
  }

  /** Whether the file system has no room for more; false also where the server does not say. */
  async isFull(path: string, watch: Watch): Promise<boolean> {
    const found = await this.#spaceOf(path, watch)
    // Some file systems (btrfs) count no files at all.
    return found !== undefined && (found.f_bavail * found.f_frsize < leastRoom || (found.f_files > 0 && found.f_favail === 0))
  }

  /** What the file system has left for this user; undefined where the server does not say. */
  async spaceOf(path: string, watch: Watch): Promise<SpaceLeft | undefined> {
    const found = await this.#spaceOf(path, watch)
    return found && found.f_blocks > 0 ? { freeBytes: found.f_bavail * found.f_frsize, totalBytes: found.f_blocks * found.f_frsize } : undefined
  }

  async #spaceOf(path: string, watch: Watch): Promise<InferOutput<typeof space> | undefined> {
    if (!this.#has('statvfs@openssh.com', '2')) return undefined
    const { success, output } = safeParse(space, await this.#ask<unknown>(watch, (done) => { this.#sftp.ext_openssh_statvfs(path, done) }))
    return success ? output : undefined
  }

  #has(extension: string, version = '1'): boolean {
    // The types do not know what the server said of itself.
    const extensions: unknown = Reflect.get(this.#sftp, '_extensions')
    return typeof extensions === 'object' && extensions !== null && Reflect.get(extensions, extension) === version
  }

  /** Errors: what the server answered, and `offline` where no answer can come any more; what ends the watch. */
  #ask<T>(watch: Watch, start: (done: Done<T>) => void, onAnswer: (value: T) => void = () => { watch.answered() }): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      if (watch.signal.aborted) throw asError(watch.signal.reason)
      if (this.closed) throw this.#gone()
      const onAbort = (): void => { settle(() => { reject(asError(watch.signal.reason)) }) }
      const onFail = (error: unknown): void => { settle(() => { reject(asError(error)) }) }
      const settle = (end: () => void): void => {
        watch.signal.removeEventListener('abort', onAbort)
        this.#failing.delete(onFail)
        end()
      }
      watch.signal.addEventListener('abort', onAbort, { once: true })
      this.#failing.add(onFail)
      start((error, value) => {
        settle(() => {
          if (error) reject(this.closed ? this.#gone() : error)
          else {
            onAnswer(value)
            resolve(value)
          }
        })
      })
    })
  }

  async #orNothing<T>(asked: Promise<T>): Promise<T | undefined> {
    try {
      return await asked
    } catch (error) {
      if (isStatus(error, status.noSuchFile, status.noSuchPath)) return undefined
      throw error
    }
  }

  #gone(): HoldfastError {
    return this.connection.ended ?? new HoldfastError('offline', 'The server ended the SFTP session.')
  }

  #fail(error: unknown): void {
    this.#closed = true
    const reason = error === undefined ? this.#gone() : new HoldfastError('unavailable', 'The server broke off, or answered what makes no sense.', { cause: error })
    for (const fail of [...this.#failing]) fail(reason)
  }
}

/** As storages with folders show it. */
export function folderEntry(entry: Entry): FolderEntry {
  return { ...entry, kind: entry.kind === 'link' ? 'other' : entry.kind }
}

const ownFile = { mode: 0o600 } as Attributes
const ownFolder = { mode: 0o700 } as Attributes

/** Errors: unsupported (the server says too little to tell files from folders). */
function infoOf(attrs: unknown): Info {
  const { success, output } = safeParse(attributes, attrs)
  if (!success || output.mode === undefined) throw new HoldfastError('unsupported', 'The server does not say what is a file and what a folder.')
  const { size = 0, mtime = 0 } = output
  if (!Number.isSafeInteger(size) || size < 0) throw new HoldfastError('unavailable', 'The server tells a size that no file has.')
  return { kind: kinds[output.mode & formatBits] ?? 'other', size, modifiedMs: mtime * 1000 }
}

/** As stat(2) has them. */
const kinds: Readonly<Record<number, Kind>> = { 0o100000: 'file', 0o040000: 'folder', 0o120000: 'link' }

function asError(reason: unknown): Error {
  return reason instanceof Error ? reason : new Error(String(reason))
}
