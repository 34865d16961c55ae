import { closeSync, constants, fstatSync, ftruncateSync, writeSync } from 'node:fs'
import { HoldfastError } from '../base/errors.ts'
import type { Dresser, Loss } from './dress.ts'
import { errnoOf } from '../base/errno.ts'
import { tornMode } from './file-spec.ts'
import type { FileSpec } from './file-spec.ts'
import type { HeldFolder, TargetFolders } from './folders.ts'
import type { SystemCalls } from './system-calls.ts'

/** Zero runs of a sparse file become holes in units of this; smaller holes save nothing. */
const holeBytes = 4096
const zeros = Buffer.alloc(holeBytes)

/** Partly written files held open at a time. */
const openFiles = 4

const creating = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL

/**
 * Writes files beside their target and renames them when they are whole. Each is made new, and no one else's: nothing that stands in its
 * place is written through. Synchronous: belongs into worker threads. Errors are those of the file system, and unsafe-path.
 */
export class FileWriter implements Disposable {
  readonly #folders: TargetFolders
  readonly #calls: SystemCalls
  readonly #dresser: Dresser
  readonly #open = new Map<string, number>()

  constructor(folders: TargetFolders, calls: SystemCalls, dresser: Dresser) {
    this.#folders = folders
    this.#calls = calls
    this.#dresser = dresser
  }

  /** A whole file in one go. @returns what of its metadata the target did not take. */
  write(file: FileSpec, bytes: Uint8Array): readonly Loss[] {
    const folder = this.#folders.open(file.folder)
    const directly = file.direct ? this.#writeDirectly(folder, file, bytes) : undefined
    if (directly) return directly
    const descriptor = this.#create(folder, file)
    try {
      this.#fill(descriptor, file, 0, bytes)
      const losses = this.#seal(folder, descriptor, file)
      this.#calls.rename(folder, file.temporary, file.name)
      return losses
    } finally {
      closeSync(descriptor)
    }
  }

  /** A stretch of a file that comes in several; any order, repeatable. */
  writePart(file: FileSpec, offset: number, bytes: Uint8Array): void {
    this.#fill(this.#part(file), file, offset, bytes)
  }

  /** After the last part: size, owner, mode and time, then the rename. @returns as `write`. */
  finish(file: FileSpec): readonly Loss[] {
    if (!file.part) return this.write(file, new Uint8Array())
    this.release(file)
    const folder = this.#folders.open(file.folder)
    const descriptor = this.#openPart(folder, file)
    try {
      const losses = this.#seal(folder, descriptor, file)
      this.#calls.rename(folder, file.temporary, file.name)
      return losses
    } finally {
      closeSync(descriptor)
    }
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
    try {
      this.#calls.remove(this.#folders.open(file.folder), file.temporary)
    } catch (error) {
      if (errnoOf(error) !== 'ENOENT') throw error
    }
  }

  [Symbol.dispose](): void {
    for (const descriptor of this.#open.values()) closeSync(descriptor)
    this.#open.clear()
  }

  /** Under its own name, at half the price. @returns undefined when something stands there. */
  #writeDirectly(folder: HeldFolder, file: FileSpec, bytes: Uint8Array): readonly Loss[] | undefined {
    let descriptor: number
    try {
      descriptor = this.#calls.openFile(folder, file.name, creating, tornMode)
    } catch (error) {
      if (errnoOf(error) !== 'EEXIST') throw error
      return undefined
    }
    try {
      this.#fill(descriptor, file, 0, bytes)
      if (file.sparse) ftruncateSync(descriptor, file.size)
      return this.#dress(folder, descriptor, file)
    } catch (error) {
      this.#calls.remove(folder, file.name)
      throw error
    } finally {
      closeSync(descriptor)
    }
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
    const descriptor = this.#openPart(this.#folders.open(file.folder), file)
    this.#open.set(key, descriptor)
    return descriptor
  }

  /** Never made here: a part that somebody took away meanwhile must not come back as zeros. */
  #openPart(folder: HeldFolder, file: FileSpec): number {
    const descriptor = this.#calls.openFile(folder, file.temporary, constants.O_RDWR, 0)
    const stats = fstatSync(descriptor, { bigint: true })
    if (stats.isFile() && stats.nlink === 1n && stats.ino === file.part?.inode && Number(stats.uid) === file.part.owner) return descriptor
    closeSync(descriptor)
    throw new HoldfastError('unsafe-path', 'What stands in the place of the half-written file is none of ours.')
  }

  #create(folder: HeldFolder, file: FileSpec): number {
    try {
      return this.#calls.openFile(folder, file.temporary, creating, 0o600)
    } catch (error) {
      if (errnoOf(error) !== 'EEXIST') throw error
      this.#calls.remove(folder, file.temporary)
      return this.#calls.openFile(folder, file.temporary, creating, 0o600)
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

  #seal(folder: HeldFolder, descriptor: number, file: FileSpec): readonly Loss[] {
    if (file.sparse || fstatSync(descriptor).size !== file.size) ftruncateSync(descriptor, file.size)
    return this.#dress(folder, descriptor, file)
  }

  #dress(folder: HeldFolder, descriptor: number, file: FileSpec): readonly Loss[] {
    return this.#dresser.dress({ descriptor }, file, { type: 'file', state: folder.givesLists ? 'inherits' : 'made' })
  }
}

function partKey(file: FileSpec): string {
  return `${file.folder.path}/${file.temporary}`
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
