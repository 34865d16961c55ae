import { closeSync, constants, fchmodSync, fchownSync, fstatSync, openSync, readdirSync } from 'node:fs'
import type { BigIntStats } from 'node:fs'
import type { ByteString } from '../base/byte-string.ts'
import { errnoOf } from '../base/errno.ts'
import { ForeignAttributes } from './foreign-attributes.ts'
import { loadForeignFunctions } from './foreign-functions.ts'
import type { ForeignFunctions } from './foreign-functions.ts'
import { lookByPath } from './path-calls.ts'
import type { AttributeCalls, OpenEntry, OpenFolder, SystemCalls } from './system-calls.ts'

/** What the headers of the 64-bit systems say whose `struct timespec` is two 64-bit numbers. */
interface Numbers {
  readonly currentFolder: number
  readonly closeOnExec: number
  /** Opens an entry itself, be it a symbolic link. */
  readonly itself: number
  /** Leaves a time as it is. */
  readonly omit: bigint
}

const numbersOf: Readonly<Partial<Record<NodeJS.Platform, Numbers>>> = {
  linux: { currentFolder: -100, closeOnExec: 0x8_0000, itself: 0x20_0000 | constants.O_NOFOLLOW, omit: 0x3fff_fffen },
  darwin: { currentFolder: -2, closeOnExec: 0x100_0000, itself: 0x20_0000 | constants.O_NONBLOCK, omit: -2n },
}

const longestTarget = 65_536
const folderFlags = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW

/** The system's own calls; undefined where its numbers are not known here. Rejects where they do not load. */
export async function foreignCalls(): Promise<SystemCalls | undefined> {
  const numbers = numbersOf[process.platform]
  if (!numbers || !['x64', 'arm64'].includes(process.arch)) return undefined
  return new ForeignCalls(await loadForeignFunctions(), numbers)
}

class ForeignCalls implements SystemCalls {
  readonly exactTimes = true
  readonly attributes: AttributeCalls
  readonly #functions: ForeignFunctions
  readonly #numbers: Numbers
  readonly #linux = process.platform === 'linux'
  readonly #times = Buffer.alloc(32)

  constructor(functions: ForeignFunctions, numbers: Numbers) {
    this.#functions = functions
    this.#numbers = numbers
    this.attributes = new ForeignAttributes(functions)
    this.#times.writeBigInt64LE(numbers.omit, 8)
  }

  openRoot(path: Buffer): OpenFolder {
    return this.#held(openSync(path, constants.O_RDONLY | constants.O_DIRECTORY), path)
  }

  openFolder(parent: OpenFolder, name: ByteString): OpenFolder {
    if (!this.#linux) return this.#held(this.#open(parent, name, folderFlags, 0), Buffer.concat([parent.path, Buffer.from(`/${name}`, 'latin1')]))
    try {
      return this.#held(this.#open(parent, name, folderFlags, 0), parent.path)
    } catch (error) {
      if (errnoOf(error) !== 'EACCES') throw error
      // One that may be entered, not read.
      return this.#held(this.#open(parent, name, folderFlags | this.#numbers.itself, 0), parent.path)
    }
  }

  closeFolder({ descriptor }: OpenFolder): void {
    closeSync(descriptor)
  }

  statFolder({ descriptor }: OpenFolder): BigIntStats {
    return fstatSync(descriptor, { bigint: true })
  }

  asEntry(folder: OpenFolder): OpenEntry {
    return this.#linux ? folder : { descriptor: folder.descriptor }
  }

  names({ path }: OpenFolder): Buffer[] {
    return readdirSync(path, { encoding: 'buffer' })
  }

  openFile(folder: OpenFolder, name: ByteString, flags: number, mode: number): number {
    return this.#open(folder, name, flags | constants.O_NOFOLLOW | constants.O_NONBLOCK, mode)
  }

  openEntry(folder: OpenFolder, name: ByteString): OpenEntry {
    const descriptor = this.#open(folder, name, this.#numbers.itself, 0)
    // Linux: what is only held by its path takes no call on metadata; what this leads to cannot be swapped.
    return this.#linux ? { descriptor, path: `/proc/self/fd/${String(descriptor)}` } : { descriptor }
  }

  closeEntry({ descriptor }: OpenEntry): void {
    closeSync(descriptor)
  }

  statEntry({ descriptor }: OpenEntry): BigIntStats {
    return fstatSync(descriptor, { bigint: true })
  }

  look(folder: OpenFolder, name: ByteString): BigIntStats | undefined {
    // To open an entry itself takes the right to read it on macOS.
    if (!this.#linux) return lookByPath(folder, name)
    let descriptor: number
    try {
      descriptor = this.#open(folder, name, this.#numbers.itself, 0)
    } catch (error) {
      if (errnoOf(error) === 'ENOENT') return undefined
      throw error
    }
    try {
      return fstatSync(descriptor, { bigint: true })
    } finally {
      closeSync(descriptor)
    }
  }

  readLink(folder: OpenFolder, name: ByteString): Buffer {
    const target = Buffer.alloc(longestTarget)
    return target.subarray(0, this.#functions.readlinkat(folder.descriptor, terminated(name), target, target.length))
  }

  makeFolder(folder: OpenFolder, name: ByteString, mode: number): void {
    this.#functions.mkdirat(folder.descriptor, terminated(name), mode)
  }

  makeSymlink(target: Uint8Array, folder: OpenFolder, name: ByteString): void {
    this.#functions.symlinkat(Buffer.concat([target, Buffer.of(0)]), folder.descriptor, terminated(name))
  }

  makeFifo(folder: OpenFolder, name: ByteString, mode: number): void {
    this.#functions.mkfifoat(folder.descriptor, terminated(name), mode)
  }

  makeLink(from: OpenFolder, original: ByteString, folder: OpenFolder, name: ByteString): void {
    this.#functions.linkat(from.descriptor, terminated(original), folder.descriptor, terminated(name), 0)
  }

  rename(folder: OpenFolder, from: ByteString, to: ByteString): void {
    this.#functions.renameat(folder.descriptor, terminated(from), folder.descriptor, terminated(to))
  }

  remove(folder: OpenFolder, name: ByteString): void {
    this.#functions.unlinkat(folder.descriptor, terminated(name), 0)
  }

  setOwner({ descriptor, path }: OpenEntry, uid: number, gid: number): void {
    if (path === undefined) fchownSync(descriptor, uid, gid)
    else this.#functions.chown(terminated(path), uid >>> 0, gid >>> 0)
  }

  setMode({ descriptor, path }: OpenEntry, mode: number): void {
    if (path === undefined) fchmodSync(descriptor, mode)
    else this.#functions.chmod(terminated(path), mode)
  }

  setModified({ descriptor, path }: OpenEntry, mtimeNs: bigint): void {
    const seconds = floorSeconds(mtimeNs)
    this.#times.writeBigInt64LE(seconds, 16)
    this.#times.writeBigInt64LE(mtimeNs - seconds * 1_000_000_000n, 24)
    if (path === undefined) this.#functions.futimens(descriptor, this.#times)
    else this.#functions.utimensat(this.#numbers.currentFolder, terminated(path), this.#times, 0)
  }

  #open(folder: OpenFolder, name: ByteString, flags: number, mode: number): number {
    const all = flags | this.#numbers.closeOnExec
    if (this.#linux) return this.#functions.openat(folder.descriptor, terminated(name), all, mode)
    return this.#functions.openat(folder.descriptor, terminated(name), all, 'uint32_t', mode)
  }

  #held(descriptor: number, path: Buffer): OpenFolder {
    return { descriptor, path: this.#linux ? Buffer.from(`/proc/self/fd/${String(descriptor)}`) : path }
  }
}

/** Rounds down, also before 1970. */
function floorSeconds(ns: bigint): bigint {
  return ns >= 0n ? ns / 1_000_000_000n : -((-ns + 999_999_999n) / 1_000_000_000n)
}

function terminated(name: string | Buffer): Buffer {
  return typeof name === 'string' ? Buffer.from(`${name}\0`, 'latin1') : Buffer.concat([name, Buffer.of(0)])
}
