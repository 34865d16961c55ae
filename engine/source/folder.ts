import { closeSync, constants, existsSync, fstatSync, lstatSync, openSync, readdirSync, readlinkSync, statSync } from 'node:fs'
import { type ByteString, toFilePath } from '../base/byte-string.ts'
import { AttributeReader, type ExtendedAttributes } from '../base/extended-attributes.ts'
import { entryStat, statxBytes, statxMask, statxStat, type EntryStat } from '../base/entry-stat.ts'
import { libc } from '../base/libc.ts'
import type { DiskResult } from './disk.ts'
import { attempt, systemError } from './failure.ts'

/**
 * A folder of a source. It is reached through the folder above it, one name at a time and never through a symlink, so that nobody who
 * swaps folders meanwhile leads the walk elsewhere, and so that no path is too long. A failure is an answer.
 */
export interface Folder {
  /** Absolute, as people know it. */
  readonly path: ByteString
  readonly stat: EntryStat
  /** Metadata of an entry, of the entry itself where it is a symlink. */
  entry(name: ByteString): DiskResult<EntryStat>
  /**
   * Names in byte order, without `.` and `..`. They are the one thing held whole for a folder: about 60 bytes each, so a million files in
   * one folder take 60 MB for as long as it is walked.
   */
  names(): DiskResult<ByteString[]>
  link(name: ByteString): DiskResult<Uint8Array>
  /** Of the folder itself, or of an entry. */
  attributes(name?: ByteString): ExtendedAttributes
  /** A folder in this one. ELOOP or ENOTDIR: something else has taken its place. */
  folder(name: ByteString): DiskResult<Folder>
  /** What an entry is to be opened by; holds while the folder is held. */
  address(name: ByteString): DiskResult<ByteString>
  /** Keeps addresses good until `release` was called as often. */
  hold(): void
  release(): void
  /** The walk needs it no more; it closes when nobody holds it. */
  leave(): void
}

/** Folders kept open beyond those that are held; the walk comes back to a deeper one's parents. */
const openFolders = 64

/** O_PATH: only names below are looked up, which asks for the right to search, not to read. */
const openPath = 0x20_0000
const openFlags = openPath | constants.O_DIRECTORY | constants.O_NOFOLLOW
/** Of a path given to the system at once, below PATH_MAX. */
const pieceBytes = 4000

const emptyPath = 0x1000
const noFollow = 0x100
const noAutomount = 0x800

/** What all folders of a thread share. */
class System {
  readonly byDescriptor = process.platform === 'linux' && existsSync('/proc/self/fd')
  readonly calls = this.byDescriptor ? libc() : undefined
  readonly attributes = AttributeReader.load()
  readonly result = Buffer.alloc(statxBytes)
  readonly view = new DataView(this.result.buffer, this.result.byteOffset, statxBytes)
  /** Open, and held by nobody; least recently used first. */
  readonly idle = new Set<SystemFolder>()
}

let shared: System | undefined

/** A folder by its absolute path. Symlinks are followed: it is what a person named. */
export function openSystemFolder(path: ByteString): DiskResult<Folder> {
  shared ??= new System()
  const system = shared
  return attempt(() => SystemFolder.top(system, path))
}

/**
 * Linux: every call goes through a descriptor. Elsewhere, where no descriptor stands for a path, calls go by path, and the folder is
 * looked at again after its names were read.
 */
class SystemFolder implements Folder {
  readonly path: ByteString
  readonly stat: EntryStat
  readonly #system: System
  readonly #parent: SystemFolder | undefined
  readonly #name: ByteString
  #descriptor: number | undefined
  #holds = 0
  #left = false

  private constructor(system: System, parent: SystemFolder | undefined, name: ByteString, descriptor: number | undefined) {
    this.#system = system
    this.#parent = parent
    this.#name = name
    this.path = parent ? join(parent.path, name) : name
    this.#descriptor = descriptor
    try {
      this.stat = this.#look()
    } catch (error) {
      this.#close()
      throw error
    }
    this.#opened()
  }

  static top(system: System, path: ByteString): SystemFolder {
    return new SystemFolder(system, undefined, path, system.byDescriptor ? openTop(path) : undefined)
  }

  entry(name: ByteString): DiskResult<EntryStat> {
    return attempt(() => this.#stat(name))
  }

  names(): DiskResult<ByteString[]> {
    return attempt(() => {
      const names = readdirSync(toFilePath(this.#prefix()), 'latin1').sort()
      if (!this.#system.byDescriptor && !isSame(this.#look(), this.stat)) throw systemError('ESTALE')
      return names
    })
  }

  link(name: ByteString): DiskResult<Uint8Array> {
    return attempt(() => readlinkSync(toFilePath(join(this.#prefix(), name)), 'buffer'))
  }

  attributes(name?: ByteString): ExtendedAttributes {
    const { attributes } = this.#system
    if (!attributes) return { found: [] }
    const prefix = attempt(() => this.#prefix())
    if (!prefix.ok) return { found: [], failure: prefix.failure.reason }
    return name === undefined ? attributes.ofPath(prefix.value, this.stat.device, true) : attributes.ofPath(join(prefix.value, name), this.stat.device, false)
  }

  folder(name: ByteString): DiskResult<Folder> {
    return attempt(() => new SystemFolder(this.#system, this, name, this.#openBelow(name)))
  }

  address(name: ByteString): DiskResult<ByteString> {
    return attempt(() => join(this.#prefix(), name))
  }

  hold(): void {
    this.#holds++
    this.#system.idle.delete(this)
  }

  release(): void {
    this.#holds--
    if (this.#holds === 0 && !this.#left) this.#opened()
    this.#closeUnused()
  }

  leave(): void {
    this.#left = true
    this.#closeUnused()
  }

  #stat(name: ByteString): EntryStat {
    const { calls, result, view } = this.#system
    const prefix = this.#prefix()
    if (!calls || this.#descriptor === undefined) return entryStat(lstatSync(toFilePath(join(prefix, name)), { bigint: true }))
    if (calls.statx(this.#descriptor, terminated(name), noFollow | noAutomount, statxMask, result) !== 0) throw systemError(calls.errno())
    return statxStat(view)
  }

  /** The folder itself, as it is open. */
  #look(): EntryStat {
    const { calls, result, view } = this.#system
    if (this.#descriptor === undefined) {
      // What a person named may be a symlink.
      const stat = entryStat((this.#parent ? lstatSync : statSync)(toFilePath(this.path), { bigint: true }))
      if (stat.type !== 'directory') throw systemError('ENOTDIR')
      return stat
    }
    if (calls?.statx(this.#descriptor, '', emptyPath | noAutomount, statxMask, result) === 0) return statxStat(view)
    return entryStat(fstatSync(this.#descriptor, { bigint: true }))
  }

  #openBelow(name: ByteString): number | undefined {
    const prefix = this.#prefix()
    return this.#system.byDescriptor ? openSync(toFilePath(join(prefix, name)), openFlags) : undefined
  }

  /** What names are put behind. Opens the folder again, from above, where it was closed meanwhile. */
  #prefix(): ByteString {
    if (!this.#system.byDescriptor) return this.path
    if (this.#descriptor === undefined) this.#reopen()
    return `/proc/self/fd/${String(this.#descriptor)}`
  }

  #reopen(): void {
    const closed: SystemFolder[] = [this]
    for (let above = this.#parent; above && above.#descriptor === undefined; above = above.#parent) closed.push(above)
    for (const folder of closed.reverse()) {
      const descriptor = folder.#parent ? folder.#parent.#openBelow(folder.#name) : openTop(folder.path)
      folder.#descriptor = descriptor
      const same = isSame(folder.#look(), folder.stat)
      if (same) {
        folder.#opened()
        continue
      }
      folder.#close()
      throw systemError('ESTALE')
    }
  }

  #opened(): void {
    const { idle } = this.#system
    if (this.#descriptor === undefined || this.#holds > 0) return
    idle.add(this)
    if (idle.size <= openFolders) return
    for (const folder of idle) {
      if (folder === this || folder === this.#parent) continue
      folder.#close()
      return
    }
  }

  #closeUnused(): void {
    if (this.#left && this.#holds === 0) this.#close()
  }

  #close(): void {
    this.#system.idle.delete(this)
    if (this.#descriptor !== undefined) closeSync(this.#descriptor)
    this.#descriptor = undefined
  }
}

/** A path of any length, piece by piece. */
function openTop(path: ByteString): number {
  let descriptor: number | undefined
  let rest = path
  for (;;) {
    const cut = rest.length <= pieceBytes ? -1 : rest.lastIndexOf('/', pieceBytes)
    const piece = cut <= 0 ? rest : rest.slice(0, cut)
    const above: number | undefined = descriptor
    try {
      descriptor = openSync(toFilePath(above === undefined ? piece : `/proc/self/fd/${String(above)}/${piece}`), openPath | constants.O_DIRECTORY)
    } finally {
      if (above !== undefined) closeSync(above)
    }
    if (cut <= 0) return descriptor
    rest = rest.slice(cut + 1)
  }
}

function isSame(a: EntryStat, b: EntryStat): boolean {
  return a.inode === b.inode && a.device === b.device
}

function join(folder: ByteString, name: ByteString): ByteString {
  return folder.endsWith('/') ? folder + name : `${folder}/${name}`
}

const ascii = /^[^\x80-\xff]*$/

function terminated(name: ByteString): string | Buffer {
  return ascii.test(name) ? name : Buffer.from(`${name}\0`, 'latin1')
}
