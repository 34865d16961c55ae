import { chmodSync, lchownSync, linkSync, lstatSync, mkdirSync, readdirSync, readlinkSync, renameSync, rmSync, symlinkSync } from 'node:fs'
import type { BigIntStats } from 'node:fs'
import { fromBytes } from '../base/byte-string.ts'
import type { ByteString } from '../base/byte-string.ts'
import type { DirectoryNode, FifoNode, SymlinkNode, TreeNode } from '../snapshot/node.ts'
import { isTemporaryName } from './file-spec.ts'
import type { TargetFolders } from './folders.ts'
import type { NativeCalls } from './native.ts'

/** While a folder is being filled only this user may enter; its own mode comes last. */
const fillingMode = 0o700

/** A name beside the target for what is renamed into place; of this process, since nothing goes on with it. */
const temporary: ByteString = `.holdfast-${String(process.pid)}.new`

/**
 * Makes everything but the contents of files: folders, symlinks, FIFOs, hard links, and metadata. Synchronous, for the main thread:
 * these are few and short. Errors are those of the file system, and unsafe-path.
 */
export class EntryWriter {
  readonly #folders: TargetFolders
  readonly #native: NativeCalls
  readonly #asRoot: boolean

  constructor(folders: TargetFolders, native: NativeCalls, asRoot: boolean) {
    this.#folders = folders
    this.#native = native
    this.#asRoot = asRoot
  }

  /** What stands in an entry's place; never follows a symlink. */
  look(folder: ByteString, name: ByteString): BigIntStats | undefined {
    return lstatSync(this.#folders.entry(folder, name), { bigint: true, throwIfNoEntry: false })
  }

  /** Whether a folder stands there already; else it is made, in place of whatever else stood there when `replace` allows that. */
  makeFolder(folder: ByteString, name: ByteString, replace: boolean): 'made' | 'there' | 'in the way' {
    const path = this.#folders.entry(folder, name)
    try {
      mkdirSync(path, fillingMode)
      return 'made'
    } catch (error) {
      if (!(error instanceof Error) || Reflect.get(error, 'code') !== 'EEXIST') throw error
    }
    if (lstatSync(path).isDirectory()) return 'there'
    if (!replace) return 'in the way'
    rmSync(path)
    mkdirSync(path, fillingMode)
    return 'made'
  }

  /** Lets this user fill a folder that was there before; finishFolder gives it its own mode. @returns its device. */
  openFolder(folder: ByteString): number {
    const path = this.#folders.folder(folder)
    const { mode, dev } = lstatSync(path)
    if ((mode & fillingMode) !== fillingMode) chmodSync(path, (mode & 0o7777) | fillingMode)
    return dev
  }

  /**
   * Takes away half-written files that runs before `beforeMs` left behind and nothing goes on with.
   * @param keep entries of the snapshot that are only named like one.
   */
  removeLeftovers(folder: ByteString, keep: ReadonlySet<ByteString>, beforeMs: number): void {
    for (const bytes of readdirSync(this.#folders.folder(folder), { encoding: 'buffer' })) {
      const name = fromBytes(bytes)
      if (!isTemporaryName(name) || keep.has(name)) continue
      const stats = this.look(folder, name)
      if (stats?.isFile() && Number(stats.mtimeMs) < beforeMs) rmSync(this.#folders.entry(folder, name), { force: true })
    }
  }

  /** Owner, mode and time, after all that changes the folder. */
  finishFolder(folder: ByteString, node: DirectoryNode): void {
    const path = this.#folders.folder(folder)
    if (!lstatSync(path).isDirectory()) return
    if (this.#asRoot) lchownSync(path, node.uid, node.gid)
    chmodSync(path, node.mode)
    this.#native.setModified(bufferOf(path), node.mtimeNs)
  }

  /** Metadata of a file whose content is as it should be. */
  finishFile(folder: ByteString, name: ByteString, node: TreeNode): void {
    const path = this.#folders.entry(folder, name)
    const stats = lstatSync(path, { bigint: true })
    if (!stats.isFile()) return
    if (this.#asRoot && (Number(stats.uid) !== node.uid || Number(stats.gid) !== node.gid)) lchownSync(path, node.uid, node.gid)
    if ((Number(stats.mode) & 0o7777) !== node.mode) chmodSync(path, node.mode)
    if (stats.mtimeNs !== node.mtimeNs) this.#native.setModified(bufferOf(path), node.mtimeNs)
  }

  /** @returns false when the same symlink stood there already. */
  makeSymlink(folder: ByteString, node: SymlinkNode): boolean {
    const name = fromBytes(node.name)
    const path = this.#folders.entry(folder, name)
    const target = Buffer.from(node.target)
    const there = lstatSync(path, { throwIfNoEntry: false })
    const same = there?.isSymbolicLink() === true && readlinkSync(path, 'buffer').equals(target)
    if (!same) this.#replace(folder, name, (at) => { symlinkSync(target, at) })
    if (this.#asRoot) lchownSync(path, node.uid, node.gid)
    this.#native.setModified(bufferOf(path), node.mtimeNs)
    return !same
  }

  /** @returns false when a FIFO stood there already. */
  makeFifo(folder: ByteString, node: FifoNode): boolean {
    const name = fromBytes(node.name)
    const path = this.#folders.entry(folder, name)
    const same = lstatSync(path, { throwIfNoEntry: false })?.isFIFO() === true
    if (!same) this.#replace(folder, name, (at) => { this.#native.makeFifo(bufferOf(at), fillingMode) })
    if (this.#asRoot) lchownSync(path, node.uid, node.gid)
    chmodSync(path, node.mode)
    this.#native.setModified(bufferOf(path), node.mtimeNs)
    return !same
  }

  /** Another name for a file that this run restored. @returns false when it was one already. */
  makeLink(first: { readonly folder: ByteString; readonly name: ByteString }, folder: ByteString, name: ByteString): boolean {
    const original = this.look(first.folder, first.name)
    const there = this.look(folder, name)
    if (original && there?.ino === original.ino && there.dev === original.dev) return false
    // Each path is asked for right before its use; linkat of the first follows no symlink.
    const from = bufferOf(this.#folders.entry(first.folder, first.name))
    this.#replace(folder, name, (at) => { linkSync(from, at) })
    return true
  }

  #replace(folder: ByteString, name: ByteString, make: (path: string | Buffer) => void): void {
    const path = this.#folders.entry(folder, temporary)
    rmSync(path, { force: true })
    make(path)
    try {
      renameSync(path, this.#folders.entry(folder, name))
    } catch (error) {
      rmSync(path, { force: true })
      throw error
    }
  }
}

/** For calls that take exact bytes only; a text path here is ASCII. */
function bufferOf(path: string | Buffer): Buffer {
  return typeof path === 'string' ? Buffer.from(path, 'latin1') : path
}
