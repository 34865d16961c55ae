import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { access, constants, mkdir, realpath, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { HoldfastError } from '../../base/errors.ts'
import { hasErrno } from '../../base/errno.ts'
import { Folder, ownModes } from './folder.ts'

/** No config is larger. */
const maximumMarkBytes = 64 * 1024
/** Linux; an unnamed file in a folder, which nobody sees. Needs write access to the folder and room, as any file. */
const unnamedFile = 0o20000000

export interface GroundOptions {
  /** Only for tests: false acts as if the system could not address entries by the descriptor of their folder. */
  readonly byDescriptor?: boolean
}

/**
 * The ground that a repository folder stands on, which is taken to be hostile: others may swap folders for links, pipes and mounts at
 * any time. Everything that reads or writes there goes through here. A folder is reached from the root, one name at a time, by
 * descriptors that follow no link and stay on the root's device; see Folder for what holds for its entries. Only the root itself
 * may be named through links: they are resolved once. Nothing is held open between operations, so that a disk can be ejected.
 */
export class Ground {
  /** The root's real path. */
  readonly path: Buffer
  readonly #shown: string
  readonly #byDescriptor: boolean
  #identity: { readonly device: number; readonly inode: number }
  /** Digest of the repository's config: tells the repository's disk, plugged in again, from another one in its place. */
  #mark: string | undefined

  private constructor(path: Buffer, shown: string, byDescriptor: boolean, identity: Ground['identity']) {
    this.path = path
    this.#shown = shown
    this.#byDescriptor = byDescriptor
    this.#identity = identity
  }

  /** Errors: offline (it is not there), arguments (it is no folder), errno errors. */
  static async open(root: string, options: GroundOptions): Promise<Ground> {
    const path = await realpath(root, 'buffer').catch((error: unknown) => {
      throw hasErrno(error, 'ENOENT') ? offline(root, error) : error
    })
    const found = await stat(path)
    if (!found.isDirectory()) throw new HoldfastError('arguments', `The destination is not a folder: ${root}`)
    const byDescriptor = options.byDescriptor !== false && process.platform === 'linux' && existsSync('/proc/self/fd')
    const ground = new Ground(path, root, byDescriptor, { device: found.dev, inode: found.ino })
    await ground.remember()
    return ground
  }

  get identity(): { readonly device: number; readonly inode: number } {
    return this.#identity
  }

  /** The root's real path as text; undefined where it is not UTF-8. */
  get text(): string | undefined {
    const text = this.path.toString()
    return Buffer.compare(Buffer.from(text), this.path) === 0 ? text : undefined
  }

  /** Learns what tells this repository from others: call it when its config was put. */
  async remember(): Promise<void> {
    using root = await this.#openRoot()
    this.#mark = await markOf(root)
  }

  /** A folder, '' for the root, which must be there (ENOENT). Errors: offline, damaged (a link or something else is in its place). */
  async enter(path: string): Promise<Folder> {
    return this.#descend(path, (folder, name) => folder.child(name))
  }

  /** The same; folders that are missing are made, and are durable. */
  async make(path: string): Promise<Folder> {
    return this.#descend(path, (folder, name) => folder.makeChild(name))
  }

  /** Finds out, as well as it can be told without leaving anything behind, whether files can be made in the root. Errors: errno errors. */
  async tryWriting(): Promise<void> {
    using root = await this.enter('')
    await access(root.entry('.'), constants.W_OK | constants.X_OK)
    if (this.#byDescriptor) await root.tryFile(unnamedFile | constants.O_DIRECTORY | constants.O_WRONLY)
  }

  async #descend(path: string, step: (folder: Folder, name: string) => Promise<Folder>): Promise<Folder> {
    let folder = await this.#enterRoot()
    for (const name of path === '' ? [] : path.split('/')) {
      const parent = folder
      try {
        folder = await step(parent, name)
      } finally {
        parent[Symbol.dispose]()
      }
    }
    return folder
  }

  /** The root, if it is the one that was opened: or the same repository on a disk that was plugged in again. */
  async #enterRoot(): Promise<Folder> {
    const root = await this.#openRoot()
    if (root.device === this.#identity.device && root.inode === this.#identity.inode) return root
    if (this.#mark !== undefined && (await markOf(root)) === this.#mark) {
      this.#identity = { device: root.device, inode: root.inode }
      return root
    }
    root[Symbol.dispose]()
    throw offline(this.#shown)
  }

  async #openRoot(): Promise<Folder> {
    try {
      return await Folder.openRoot(this.path, this.#shown, this.#byDescriptor)
    } catch (error) {
      throw hasErrno(error, 'ENOENT', 'ENOTDIR', 'ELOOP') ? offline(this.#shown, error) : error
    }
  }
}

async function markOf(root: Folder): Promise<string | undefined> {
  const found = await root.info('config')
  if (!found?.isFile() || found.size > maximumMarkBytes) return undefined
  using opened = await root.openFile('config')
  const { bytesRead, buffer } = await opened.file.read(Buffer.alloc(maximumMarkBytes), 0, maximumMarkBytes, 0)
  return createHash('sha256').update(buffer.subarray(0, bytesRead)).digest('hex')
}

function offline(root: string, cause?: unknown): HoldfastError {
  return new HoldfastError('offline', `The destination folder is not there: ${root}. Is its disk connected?`, { cause, data: { reason: 'folder' } })
}

/**
 * The folder of a repository that is about to be made, with its parents, for the user alone. Node's own `recursive` never returns
 * where a parent exists and refuses with ENOENT, as /proc does. What is there stays as it is.
 */
export async function makeRoot(path: string): Promise<void> {
  try {
    await mkdir(path, { mode: ownModes.folder })
  } catch (error) {
    if (hasErrno(error, 'EEXIST')) return
    if (!hasErrno(error, 'ENOENT') || dirname(path) === path || existsSync(dirname(path))) throw error
    await makeRoot(dirname(path))
    await makeRoot(path)
  }
}
