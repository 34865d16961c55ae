import { closeSync, constants, fchmodSync, fchownSync, fstatSync, ftruncateSync, openSync, renameSync, rmSync, writeSync } from 'node:fs'
import { HoldfastError } from '../base/errors.ts'
import { tornMode } from './file-spec.ts'
import type { FileSpec } from './file-spec.ts'
import type { TargetFolders } from './folders.ts'
import type { NativeCalls } from './native.ts'

/** Zero runs of a sparse file become holes in units of this; smaller holes save nothing. */
const holeBytes = 4096
const zeros = Buffer.alloc(holeBytes)

/** Partly written files held open at a time. */
const openFiles = 4

/** Never through a symlink that somebody put in the way, and never into a FIFO's endless wait. */
const safely = constants.O_NOFOLLOW | constants.O_NONBLOCK
const creating = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | safely

/**
 * Writes files beside their target and renames them when they are whole. Synchronous: belongs into worker threads. Errors are those
 * of the file system, and unsafe-path.
 */
export class FileWriter implements Disposable {
  readonly #folders: TargetFolders
  readonly #native: NativeCalls
  readonly #asRoot: boolean
  readonly #open = new Map<string, number>()

  /** @param asRoot owners can be restored. */
  constructor(folders: TargetFolders, native: NativeCalls, asRoot: boolean) {
    this.#folders = folders
    this.#native = native
    this.#asRoot = asRoot
  }

  /** A whole file in one go. */
  write(file: FileSpec, bytes: Uint8Array): void {
    if (file.direct && this.#writeDirectly(file, bytes)) return
    const path = this.#folders.entry(file.folder, file.temporary)
    const descriptor = this.#create(path, file.mode)
    try {
      this.#fill(descriptor, file, 0, bytes)
      this.#seal(descriptor, file)
    } finally {
      closeSync(descriptor)
    }
    this.#publish(path, file)
  }

  /** A stretch of a file that comes in several; any order, repeatable. */
  writePart(file: FileSpec, offset: number, bytes: Uint8Array): void {
    this.#fill(this.#part(file), file, offset, bytes)
  }

  /** After the last part: size, owner, mode and time, then the rename. */
  finish(file: FileSpec): void {
    this.release(file)
    const path = this.#folders.entry(file.folder, file.temporary)
    // A part that somebody took away meanwhile must not come back as zeros.
    const descriptor = this.#openPart(path, file.size === 0)
    try {
      this.#seal(descriptor, file)
    } finally {
      closeSync(descriptor)
    }
    this.#publish(path, file)
  }

  /** Closes a partly written file here; others may go on with it. */
  release(file: FileSpec): void {
    const key = partKey(file)
    const descriptor = this.#open.get(key)
    this.#open.delete(key)
    if (descriptor !== undefined) closeSync(descriptor)
  }

  /** Takes away what was written of a file that cannot be finished. */
  discard(file: FileSpec): void {
    this.release(file)
    rmSync(this.#folders.entry(file.folder, file.temporary), { force: true })
  }

  [Symbol.dispose](): void {
    for (const descriptor of this.#open.values()) closeSync(descriptor)
    this.#open.clear()
  }

  /** Under its own name, at half the price. @returns false when something stands there. */
  #writeDirectly(file: FileSpec, bytes: Uint8Array): boolean {
    const path = this.#folders.entry(file.folder, file.name)
    let descriptor: number
    try {
      descriptor = openSync(path, creating, tornMode)
    } catch (error) {
      if (!(error instanceof Error) || Reflect.get(error, 'code') !== 'EEXIST') throw error
      return false
    }
    try {
      this.#fill(descriptor, file, 0, bytes)
      if (file.sparse) ftruncateSync(descriptor, file.size)
      this.#dress(descriptor, file)
    } catch (error) {
      rmSync(path, { force: true })
      throw error
    } finally {
      closeSync(descriptor)
    }
    return true
  }

  #part(file: FileSpec): number {
    const key = partKey(file)
    const known = this.#open.get(key)
    if (known !== undefined) return known
    const [oldest] = this.#open
    if (oldest && this.#open.size >= openFiles) {
      this.#open.delete(oldest[0])
      closeSync(oldest[1])
    }
    const descriptor = this.#openPart(this.#folders.entry(file.folder, file.temporary), true)
    this.#open.set(key, descriptor)
    return descriptor
  }

  /** What an earlier run left is continued only when it is a plain file of nobody else's: a hard link could lead outside. */
  #openPart(path: string | Buffer, create: boolean): number {
    const descriptor = openSync(path, constants.O_RDWR | (create ? constants.O_CREAT : 0) | safely, 0o600)
    const stats = fstatSync(descriptor)
    if (stats.isFile() && stats.nlink === 1) return descriptor
    closeSync(descriptor)
    throw new HoldfastError('unsafe-path', 'What stands in the place of a half-written file is none of ours.')
  }

  #create(path: string | Buffer, mode: number): number {
    try {
      return openSync(path, creating, mode & 0o777)
    } catch (error) {
      if (!(error instanceof Error) || Reflect.get(error, 'code') !== 'EEXIST') throw error
      rmSync(path)
      return openSync(path, creating, mode & 0o777)
    }
  }

  #fill(descriptor: number, file: FileSpec, offset: number, bytes: Uint8Array): void {
    if (!file.sparse) {
      writeAll(descriptor, bytes, offset)
      return
    }
    let from = 0
    while (from < bytes.length) {
      const hole = zeroRun(bytes, from)
      from += hole
      let end = from
      while (end < bytes.length && zeroRun(bytes, end, holeBytes) === 0) end += holeBytes
      if (end > from) writeAll(descriptor, bytes.subarray(from, Math.min(end, bytes.length)), offset + from)
      from = end
    }
  }

  #seal(descriptor: number, file: FileSpec): void {
    if (file.sparse || fstatSync(descriptor).size !== file.size) ftruncateSync(descriptor, file.size)
    this.#dress(descriptor, file)
  }

  #dress(descriptor: number, file: FileSpec): void {
    if (this.#asRoot) fchownSync(descriptor, file.uid, file.gid)
    this.#native.setModifiedOf(descriptor, file.mtimeNs)
    // After the owner, because a change of owner takes the set-id bits away; last, because it tells that the file is whole.
    fchmodSync(descriptor, file.mode)
  }

  #publish(path: string | Buffer, file: FileSpec): void {
    renameSync(path, this.#folders.entry(file.folder, file.name))
  }
}

function partKey(file: FileSpec): string {
  return `${file.folder}/${file.temporary}`
}

function writeAll(descriptor: number, bytes: Uint8Array, offset: number): void {
  for (let done = 0; done < bytes.length; ) done += writeSync(descriptor, bytes, done, bytes.length - done, offset + done)
}

/** Length of the run of zeros at `from`, in whole units (the last may be shorter), up to `limit`. */
function zeroRun(bytes: Uint8Array, from: number, limit = Infinity): number {
  let at = from
  while (at < bytes.length && at - from < limit) {
    const unit = bytes.subarray(at, at + holeBytes)
    if (Buffer.compare(unit, unit.length === holeBytes ? zeros : zeros.subarray(0, unit.length)) !== 0) break
    at += unit.length
  }
  return at - from
}
