import { closeSync, constants } from 'node:fs'
import type { BigIntStats } from 'node:fs'
import { fromBytes } from '../base/byte-string.ts'
import type { ByteString } from '../base/byte-string.ts'
import { HoldfastError } from '../base/errors.ts'
import { hasAttributes } from './attributes.ts'
import { noLosses } from './dress.ts'
import type { Dresser, Loss, Metadata } from './dress.ts'
import { errnoOf } from '../base/errno.ts'
import { isTemporaryName, partMode, passingName } from './file-spec.ts'
import type { PartFile } from './file-spec.ts'
import { checkName } from './folders.ts'
import type { EntryPlace, FolderPlace, HeldFolder, TargetFolders } from './folders.ts'
import type { OpenEntry, SystemCalls } from './system-calls.ts'

/** While a folder is being filled only this user may enter; its own mode comes last. */
const fillingMode = 0o700
const permissionBits = 0o7777

/** What a folder's or other entry's making came to. */
export interface Made {
  /** False: it was as it should be. */
  readonly made: boolean
  readonly losses: readonly Loss[]
}

/**
 * Makes everything but the contents of files: folders, symbolic links, FIFOs, hard links, and metadata. Metadata is set on entries that
 * are held and proven to be the one that is meant; what belongs to somebody else or has other names is replaced, not changed, since
 * whoever may write to a folder can put any file that he may name into it. Synchronous, for the main thread: these are few and short.
 * Errors are those of the file system, and unsafe-path.
 */
export class EntryWriter {
  readonly #folders: TargetFolders
  readonly #calls: SystemCalls
  readonly #dresser: Dresser
  readonly #asRoot: boolean
  readonly #user = process.geteuid?.() ?? 0
  /** Who owns what is made on a device, where its file system says another than this user (FAT, a share). */
  readonly #makers = new Map<bigint, number>()

  constructor(folders: TargetFolders, calls: SystemCalls, dresser: Dresser, asRoot: boolean) {
    this.#folders = folders
    this.#calls = calls
    this.#dresser = dresser
    this.#asRoot = asRoot
  }

  /** What stands in an entry's place; never follows a symbolic link. For decisions only. */
  look(folder: FolderPlace, name: ByteString): BigIntStats | undefined {
    checkName(name)
    return this.#calls.look(this.#folders.open(folder), name)
  }

  /** What a symbolic link points to. @throws EINVAL where there is none */
  readLink({ folder, name }: EntryPlace): Buffer {
    return this.#calls.readLink(this.#folders.open(folder), name)
  }

  /** Whether a folder stands there already; else it is made, in place of whatever else stood there when `replace` allows that. */
  makeFolder(parent: FolderPlace, name: ByteString, replace: boolean): 'made' | 'there' | 'in the way' {
    checkName(name)
    const folder = this.#folders.open(parent)
    if (this.#tryMakeFolder(folder, name)) return 'made'
    if (this.#calls.look(folder, name)?.isDirectory() === true) return 'there'
    if (!replace) return 'in the way'
    this.#calls.remove(folder, name)
    this.#calls.makeFolder(folder, name, fillingMode)
    return 'made'
  }

  /**
   * Goes into a folder that was made or was there, and lets this user fill it; finishFolder gives it its own mode.
   * @param finalOwner who shall own it, where owners are restored.
   */
  enterFolder(parent: FolderPlace, name: ByteString, made: boolean, finalOwner: number): FolderPlace {
    const place = this.#folders.enter(parent, name, this.#asRoot ? finalOwner : undefined)
    const folder = this.#folders.open(place)
    const stats = this.#calls.statFolder(folder)
    const mode = Number(stats.mode) & permissionBits
    if (made && !this.#isOwn(folder, stats)) throw new HoldfastError('unsafe-path', 'Another folder was put in the place of the one that was just made; nothing is written to it.')
    if ((mode & fillingMode) !== fillingMode) this.#calls.setMode(this.#calls.asEntry(folder), mode | fillingMode)
    return place
  }

  /**
   * Takes away half-written files that runs before `beforeMs` left behind and nothing goes on with.
   * @param keep entries of the snapshot that are only named like one.
   */
  removeLeftovers(place: FolderPlace, keep: ReadonlySet<ByteString>, beforeMs: number): void {
    const folder = this.#folders.open(place)
    for (const bytes of this.#calls.names(folder)) {
      const name = fromBytes(bytes)
      if (!isTemporaryName(name) || keep.has(name)) continue
      const stats = this.#calls.look(folder, name)
      if (stats && !stats.isDirectory() && Number(stats.mtimeMs) < beforeMs) this.#remove(folder, name)
    }
  }

  /** Owner, attributes, mode and time, after all that changes the folder. */
  finishFolder(place: FolderPlace, metadata: Metadata, made: boolean): readonly Loss[] {
    const folder = this.#folders.open(place)
    const parentGives = made && folder.givesLists
    return this.#dresser.dress(this.#calls.asEntry(folder), metadata, { type: 'directory', state: made && !parentGives ? 'made' : 'there' })
  }

  /**
   * Whether a file belongs to whom a restored one does. Another's is never changed nor trusted: it could still be written to by that
   * other, or be one that was never theirs to change.
   */
  isOwners(folder: FolderPlace, there: BigIntStats, { uid, gid }: Metadata): boolean {
    return this.#isOwners(this.#folders.open(folder), there, uid, gid)
  }

  /** Whether mode and time are as they should be; of the attributes only a look at the file itself tells. */
  hasMetadata(there: BigIntStats, metadata: Metadata): boolean {
    const mode = this.#dresser.modeFor(metadata, Number(there.uid), Number(there.gid), 'file')
    return there.mtimeNs === metadata.mtimeNs && (Number(there.mode) & permissionBits) === mode
  }

  /**
   * Metadata of a file whose content is as it should be.
   * @returns undefined when it is another file than `there`, or must not be changed and is not as it should be: it is to be written anew.
   */
  finishFile({ folder: place, name }: EntryPlace, there: BigIntStats, metadata: Metadata): readonly Loss[] | undefined {
    const folder = this.#folders.open(place)
    const entry = this.#calls.openEntry(folder, name)
    try {
      const now = this.#calls.statEntry(entry)
      if (!now.isFile() || now.ino !== there.ino || now.dev !== there.dev || !this.#isOwners(folder, now, metadata.uid, metadata.gid)) return undefined
      if (this.hasMetadata(now, metadata) && hasAttributes(this.#calls.attributes, entry, metadata.attributes ?? [])) return noLosses
      if (now.nlink > 1n) return undefined
      return this.#dresser.dress(entry, metadata, { type: 'file', state: 'there' })
    } finally {
      this.#calls.closeEntry(entry)
    }
  }

  makeSymlink(place: EntryPlace, target: Uint8Array, metadata: Metadata): Made {
    const folder = this.#folders.open(place.folder)
    const same = this.#isSame(folder, place.name, metadata, 'symlink') && this.#calls.readLink(folder, place.name).equals(target)
    return same ? { made: false, losses: noLosses } : this.#make(place, metadata, 'symlink', (name) => { this.#calls.makeSymlink(target, folder, name) })
  }

  makeFifo(place: EntryPlace, metadata: Metadata): Made {
    const folder = this.#folders.open(place.folder)
    if (this.#isSame(folder, place.name, metadata, 'fifo')) return { made: false, losses: noLosses }
    return this.#make(place, metadata, 'fifo', (name) => { this.#calls.makeFifo(folder, name, 0o600) })
  }

  /** Another name for a file that this run restored. @returns false when it was one already. */
  makeLink(first: EntryPlace, { folder, name }: EntryPlace): boolean {
    const original = this.look(first.folder, first.name)
    const there = this.look(folder, name)
    if (original && there?.ino === original.ino && there.dev === original.dev) return false
    const from = this.#folders.open(first.folder)
    const to = this.#folders.open(folder)
    const passing = passingName()
    this.#calls.makeLink(from, first.name, to, passing)
    this.#publish(to, passing, name)
    return true
  }

  /**
   * The file that the parts of a larger one go to: what an earlier run left, or a new one. Whatever else has its name is removed.
   * @returns it, and whether it is an earlier run's.
   */
  openPart(place: FolderPlace, temporary: ByteString): { readonly part: PartFile; readonly continued: boolean } {
    const folder = this.#folders.open(place)
    const there = this.#calls.look(folder, temporary)
    if (there?.isFile() === true && there.nlink === 1n && this.#isPart(folder, there)) return { part: partOf(there), continued: true }
    if (there) this.#calls.remove(folder, temporary)
    const descriptor = this.#calls.openFile(folder, temporary, constants.O_RDWR | constants.O_CREAT | constants.O_EXCL, partMode)
    try {
      return { part: partOf(this.#calls.statEntry({ descriptor })), continued: false }
    } finally {
      closeSync(descriptor)
    }
  }

  #tryMakeFolder(folder: HeldFolder, name: ByteString): boolean {
    try {
      this.#calls.makeFolder(folder, name, fillingMode)
      return true
    } catch (error) {
      if (errnoOf(error) !== 'EEXIST') throw error
      return false
    }
  }

  /** Whether what stands there needs nothing. */
  #isSame(folder: HeldFolder, name: ByteString, metadata: Metadata, type: 'symlink' | 'fifo'): boolean {
    checkName(name)
    const there = this.#calls.look(folder, name)
    if (!there || there.mtimeNs !== metadata.mtimeNs || !(type === 'symlink' ? there.isSymbolicLink() : there.isFIFO())) return false
    if (!this.#isOwners(folder, there, metadata.uid, metadata.gid)) return false
    if (type === 'fifo' && (Number(there.mode) & permissionBits) !== this.#dresser.modeFor(metadata, Number(there.uid), Number(there.gid), type)) return false
    return metadata.attributes === undefined
  }

  #make({ folder: place, name }: EntryPlace, metadata: Metadata, type: 'symlink' | 'fifo', make: (name: ByteString) => void): Made {
    const folder = this.#folders.open(place)
    const passing = passingName()
    make(passing)
    let losses: readonly Loss[]
    try {
      losses = this.#dressNew(folder, passing, metadata, type)
    } catch (error) {
      this.#remove(folder, passing)
      throw error
    }
    this.#publish(folder, passing, name)
    return { made: true, losses }
  }

  #dressNew(folder: HeldFolder, name: ByteString, metadata: Metadata, type: 'symlink' | 'fifo'): readonly Loss[] {
    const entry: OpenEntry = this.#calls.openEntry(folder, name)
    try {
      const now = this.#calls.statEntry(entry)
      const isIt = (type === 'symlink' ? now.isSymbolicLink() : now.isFIFO()) && now.nlink === 1n && this.#isOwn(folder, now)
      if (!isIt) throw new HoldfastError('unsafe-path', 'Something else was put in the place of what was just made; it is left alone.')
      return this.#dresser.dress(entry, metadata, { type, state: folder.givesLists ? 'inherits' : 'made' })
    } finally {
      this.#calls.closeEntry(entry)
    }
  }

  #publish(folder: HeldFolder, passing: ByteString, name: ByteString): void {
    try {
      this.#calls.rename(folder, passing, name)
    } catch (error) {
      this.#remove(folder, passing)
      throw error
    }
  }

  #remove(folder: HeldFolder, name: ByteString): void {
    try {
      this.#calls.remove(folder, name)
    } catch (error) {
      if (errnoOf(error) !== 'ENOENT') throw error
    }
  }

  #isOwners(folder: HeldFolder, there: BigIntStats, uid: number, gid: number): boolean {
    if (this.#asRoot && Number(there.uid) === uid && Number(there.gid) === gid) return true
    // Where the file system says who owns all files, owners mean nothing.
    return this.#isOwn(folder, there) && (!this.#asRoot || Number(there.uid) !== this.#user)
  }

  /** Whether it belongs to whom all belongs that this user makes there. */
  #isOwn(folder: HeldFolder, { uid, dev }: BigIntStats): boolean {
    if (process.platform === 'win32' || Number(uid) === this.#user) return true
    let maker = this.#makers.get(dev)
    if (maker === undefined) this.#makers.set(dev, (maker = this.#askForMaker(folder)))
    return Number(uid) === maker
  }

  /** Where the file system says who owns a file, it says its mode, too. */
  #isPart(folder: HeldFolder, there: BigIntStats): boolean {
    return this.#isOwn(folder, there) && ((Number(there.mode) & permissionBits) === partMode || Number(there.uid) !== this.#user)
  }

  #askForMaker(folder: HeldFolder): number {
    const name = passingName()
    const descriptor = this.#calls.openFile(folder, name, constants.O_RDWR | constants.O_CREAT | constants.O_EXCL, 0o600)
    try {
      this.#remove(folder, name)
      return Number(this.#calls.statEntry({ descriptor }).uid)
    } finally {
      closeSync(descriptor)
    }
  }
}

function partOf({ ino, uid }: BigIntStats): PartFile {
  return { inode: ino, owner: Number(uid) }
}
