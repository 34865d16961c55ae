import type { BigIntStats } from 'node:fs'
import { HoldfastError } from '../base/errors.ts'
import { toShown } from '../base/byte-string.ts'
import type { ByteString } from '../base/byte-string.ts'
import { givesLists } from './attributes.ts'
import { errnoOf } from '../base/errno.ts'
import type { OpenFolder, SystemCalls } from './system-calls.ts'

/** Folders held open at a time, besides the target; each costs a descriptor. */
const openFolders = 48
/** Of a chain of folders that is walked from the target anew, the last ones stay open: whoever comes up again needs them next. */
const keptOfChain = 24

/** A folder below the target as the run first met it. Whatever else stands there later is not written to. */
export interface FolderPlace {
  /** Relative to the target, `/`-separated; '' is the target itself. */
  readonly path: ByteString
  readonly device: bigint
  readonly inode: bigint
  /** Who may own it meanwhile: who did at first, and who shall at the end. A removed folder's number can come back, not its owner. */
  readonly owners: readonly [number, number]
}

/** A place in the target where an entry goes. */
export interface EntryPlace {
  readonly folder: FolderPlace
  readonly name: ByteString
}

/** A folder as `open` gives it. */
export interface HeldFolder extends OpenFolder {
  readonly inode: bigint
  /** What is made in it gets an access list from it. */
  readonly givesLists: boolean
}

/**
 * The folders below a restore's target, each reached one name at a time from a descriptor of the target without following a symbolic
 * link. However deep they are, a bounded number is open. A folder that somebody moves away while it is open takes what is written to it
 * along: that is a folder of the target's tree in a place that this somebody could write to anyway; nothing else is reached through it.
 */
export class TargetFolders implements Disposable {
  readonly #calls: SystemCalls
  readonly #root: HeldFolder
  /** By path, least recently used first. */
  readonly #open = new Map<ByteString, HeldFolder>()

  /** @param root the target, open; it stays open. Errors: those of the file system. */
  constructor(root: OpenFolder, calls: SystemCalls) {
    this.#calls = calls
    this.#root = this.#held(root)
  }

  /** The target itself. */
  rootPlace(): FolderPlace {
    return placeOf('', this.#calls.statFolder(this.#root), undefined)
  }

  /**
   * The folder, open for the next calls; with another folder after it, it is still open.
   * @throws unsafe-path when a symbolic link, what is no folder, or another folder stands there or on the way; errno errors.
   */
  open(place: FolderPlace): HeldFolder {
    if (place.path === '') return this.#root
    const known = this.#open.get(place.path)
    if (known?.inode === place.inode) {
      this.#open.delete(place.path)
      this.#open.set(place.path, known)
      return known
    }
    if (known) this.forget(place.path)
    const folder = this.#reach(place.path)
    const stats = this.#calls.statFolder(folder)
    if (stats.ino === place.inode && stats.dev === place.device && place.owners.includes(Number(stats.uid))) return folder
    this.forget(place.path)
    throw new HoldfastError('unsafe-path', `Another folder stands in the place of ${toShown(place.path)} than when the restore came there; nothing is written to it.`)
  }

  /** A folder that is entered for the first time. Errors: as `open`. */
  enter(parent: FolderPlace, name: ByteString, finalOwner: number | undefined): FolderPlace {
    const path = parent.path === '' ? name : `${parent.path}/${name}`
    this.forget(path)
    const folder = this.#keep(path, this.#step(this.open(parent), name, path))
    return placeOf(path, this.#calls.statFolder(folder), finalOwner)
  }

  /** Closes a folder that was replaced, with those below. */
  forget(path: ByteString): void {
    for (const [open, folder] of this.#open) {
      if (open !== path && !open.startsWith(`${path}/`)) continue
      this.#open.delete(open)
      this.#calls.closeFolder(folder)
    }
  }

  [Symbol.dispose](): void {
    for (const folder of this.#open.values()) this.#calls.closeFolder(folder)
    this.#open.clear()
  }

  /** From the nearest folder that is open; a loop, since folders nest deeper than a stack. */
  #reach(path: ByteString): HeldFolder {
    let at = this.#nearest(path)
    let folder = this.#open.get(at) ?? this.#root
    const names = path.slice(at === '' ? 0 : at.length + 1).split('/')
    const passed = names.splice(0, Math.max(0, names.length - keptOfChain))
    const passing = passed.length > 0 ? this.#pass(folder, passed, at) : undefined
    if (passed.length > 0) at = at === '' ? passed.join('/') : `${at}/${passed.join('/')}`
    let parent: OpenFolder = passing ?? folder
    for (const name of names) {
      at = at === '' ? name : `${at}/${name}`
      folder = this.#keep(at, this.#step(parent, name, at, parent === passing))
      parent = folder
    }
    return folder
  }

  /** Folders on the way that need not stay open. @returns the last, which is the caller's to close. */
  #pass(from: OpenFolder, names: readonly ByteString[], start: ByteString): OpenFolder {
    let folder = from
    for (const name of names) folder = this.#step(folder, name, `${start}/…/${name}`, folder !== from)
    return folder
  }

  #nearest(path: ByteString): ByteString {
    let nearest = ''
    for (const open of this.#open.keys()) {
      if (open.length > nearest.length && path[open.length] === '/' && path.startsWith(open)) nearest = open
    }
    return nearest
  }

  /** @param passing the parent is nobody else's and is closed. */
  #step(parent: OpenFolder, name: ByteString, path: ByteString, passing = false): OpenFolder {
    try {
      checkName(name)
      return this.#calls.openFolder(parent, name)
    } catch (error) {
      const code = errnoOf(error)
      throw code === 'ELOOP' || code === 'ENOTDIR' || code === 'EMLINK' ? notAFolder(path) : error
    } finally {
      if (passing) this.#calls.closeFolder(parent)
    }
  }

  #keep(path: ByteString, folder: OpenFolder): HeldFolder {
    const held = this.#held(folder)
    this.#open.set(path, held)
    const [oldest] = this.#open
    if (oldest && this.#open.size > openFolders) {
      this.#open.delete(oldest[0])
      this.#calls.closeFolder(oldest[1])
    }
    return held
  }

  #held(folder: OpenFolder): HeldFolder {
    return { ...folder, inode: this.#calls.statFolder(folder).ino, givesLists: givesLists(this.#calls.attributes, this.#calls.asEntry(folder)) }
  }
}

/** As in the snapshot's format; what a file system takes less of, it refuses itself. */
const longestName = 1023

/** A name that stays in its folder. @throws unsafe-path */
export function checkName(name: ByteString): void {
  if (name === '' || name === '.' || name === '..' || name.includes('/') || name.includes('\0') || name.length > longestName) {
    throw new HoldfastError('unsafe-path', `The snapshot holds an entry with a name that would leave its folder: ${toShown(name)}`)
  }
}

function placeOf(path: ByteString, { dev, ino, uid }: BigIntStats, finalOwner: number | undefined): FolderPlace {
  return { path, device: dev, inode: ino, owners: [Number(uid), finalOwner ?? Number(uid)] }
}

function notAFolder(folder: ByteString): HoldfastError {
  return new HoldfastError('unsafe-path', `A symbolic link or a file stands where the folder ${toShown(folder)} belongs; nothing is written through it.`)
}
