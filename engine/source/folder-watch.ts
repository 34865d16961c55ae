import { lstatSync, readdirSync, statSync, watch, type FSWatcher, type Stats } from 'node:fs'
import { setImmediate as turn } from 'node:timers/promises'
import { fromBytes, toFilePath, type ByteString } from '../base/byte-string.ts'
import { HoldfastError } from '../base/errors.ts'
import type { ExcludeRules } from '../protocol/job.ts'
import { Excludes } from './excludes.ts'
import { isSystemPath } from './system-folders.ts'

/** What is watched: as for a survey. */
export interface WatchRequest {
  /** Absolute paths of folders or files. */
  readonly sources: readonly ByteString[]
  readonly rules: ExcludeRules
  /** As for Excludes. */
  readonly never: readonly ByteString[]
}

export interface WatchPorts {
  /** Folders at most: each is one inotify watch, of which a user has only so many, and about 2.4 kB here. */
  readonly mostFolders: number
  /** Something that a backup would take has changed, or a source has come back. */
  readonly onChange: () => void
  /** It can watch no more. Called once; after it nothing is watched. */
  readonly onFailure: (error: HoldfastError) => void
}

/** A folder that is watched. Paths are put together from the names above, so that a deep tree costs no more than a flat one. */
interface Node {
  readonly parent: Node | undefined
  readonly root: Root
  /** Of the source itself its path. */
  readonly name: ByteString
  readonly device: number
  watcher: FSWatcher | undefined
  children: Map<ByteString, Node> | undefined
  /** A marker leaves its content out: only the marker counts. */
  marked: boolean
}

interface Root {
  readonly path: ByteString
  /** Absent while the source is away. */
  node: Node | undefined
  /** Device and inode, as it was last there. */
  identity: string | undefined
}

/** Folders that are looked into before the process sees to other things. */
const step = 64
const markers: readonly ByteString[] = ['.nobackup', 'CACHEDIR.TAG']

/**
 * Tells when something changes below the sources that a backup would take. One watcher a folder: files cost nothing, so 100,000 folders take 240 MB
 * whatever is in them, where chokidar, which remembers each file, takes 2.5 GB with four files in each. What is left out is not watched; a folder that
 * is left out by its `d` flag of chattr is, which costs a run that finds nothing.
 */
export class FolderWatch implements Disposable {
  readonly #ports: WatchPorts
  readonly #excludes: Excludes
  readonly #roots: readonly Root[]
  /** Folders to look into; the newest first, so that the list stays short. */
  readonly #waiting: Node[] = []
  #looking: Promise<void> | undefined
  #folders = 0
  #closed = false

  constructor({ sources, rules, never }: WatchRequest, ports: WatchPorts) {
    this.#ports = ports
    this.#excludes = new Excludes(rules, never)
    this.#roots = sources.map((path) => ({ path, node: undefined, identity: undefined }))
  }

  get folders(): number {
    return this.#folders
  }

  /** Sources that are not there now. */
  get away(): number {
    return this.#roots.filter(({ node }) => !node).length
  }

  /** Resolves when all folders are watched that are there, or none after a failure. */
  async open(): Promise<void> {
    for (const root of this.#roots) this.#openRoot(root)
    await this.#looking
  }

  /** Looks whether each source is what it was: a disk that went, came back, or was mounted above it makes no event. Called once in a while. */
  check(): void {
    for (const root of this.#roots) {
      const identity = identityOf(root.path)
      if (identity === root.identity) continue
      this.#closeRoot(root)
      if (identity === undefined || this.#closed) continue
      this.#openRoot(root)
      this.#ports.onChange()
    }
  }

  /** Something was mounted at a path, or is gone from there: what is below is another folder now. */
  remount(path: ByteString): void {
    for (const root of this.#roots) {
      if (!root.node || this.#closed || !isBelow(path, root.path)) continue
      const names = path.slice(root.path.length).split('/').filter((name) => name !== '')
      const last = names.pop()
      const parent = names.reduce<Node | undefined>((node, name) => node?.children?.get(name), root.node)
      if (parent && last !== undefined) this.#onEvent(parent, 'rename', last)
    }
  }

  [Symbol.dispose](): void {
    this.#closed = true
    for (const root of this.#roots) this.#closeRoot(root)
    this.#waiting.length = 0
  }

  #openRoot(root: Root): void {
    root.identity = identityOf(root.path)
    const stats = root.identity === undefined ? undefined : look(root.path, statSync)
    root.node = stats && this.#watch({ parent: undefined, root, name: root.path, device: stats.dev }, stats.isDirectory())
  }

  #closeRoot(root: Root): void {
    if (root.node) this.#close(root.node)
    root.node = undefined
    root.identity = undefined
  }

  #watch(place: Pick<Node, 'parent' | 'root' | 'name' | 'device'>, isFolder: boolean): Node | undefined {
    if (this.#closed) return undefined
    if (this.#folders >= this.#ports.mostFolders) {
      this.#fail()
      return undefined
    }
    const node: Node = { ...place, watcher: undefined, children: undefined, marked: false }
    const path = pathOf(node)
    try {
      node.watcher = watch(toFilePath(path), { encoding: 'buffer' }, (type, name) => { this.#onEvent(node, type, name ? fromBytes(name) : '') })
    } catch (error) {
      if (isExhausted(error)) this.#fail()
      // It went meanwhile, or nobody may read it: no backup takes what is in it either.
      return undefined
    }
    node.watcher.on('error', ignored)
    this.#folders += 1
    if (!isFolder) return node
    node.marked = this.#excludes.marked(path, (name) => look(join(path, name)) !== undefined)
    if (node.marked) return node
    this.#waiting.push(node)
    this.#looking ??= this.#lookInto().finally(() => { this.#looking = undefined })
    return node
  }

  async #lookInto(): Promise<void> {
    // What was watched last is looked into when whoever watched it is done.
    await turn()
    let looked = 0
    for (let node = this.#waiting.pop(); node && !this.#closed; node = this.#waiting.pop()) {
      if (node.watcher) this.#watchChildren(node)
      if (++looked % step === 0) await turn()
    }
  }

  #watchChildren(node: Node): void {
    const path = pathOf(node)
    try {
      for (const entry of readdirSync(toFilePath(path), { encoding: 'latin1', withFileTypes: true })) {
        if (entry.isDirectory() && !node.children?.has(entry.name)) this.#watchChild(node, entry.name, look(join(path, entry.name)))
      }
    } catch (error) {
      if (!isSystemError(error)) throw error
    }
  }

  #watchChild(parent: Node, name: ByteString, stats: Stats | undefined): void {
    if (!stats?.isDirectory() || this.#isOut(parent, name, stats)) return
    const child = this.#watch({ parent, root: parent.root, name, device: stats.dev }, true)
    if (child) (parent.children ??= new Map()).set(name, child)
  }

  #isOut(parent: Node, name: ByteString, stats: Stats | undefined): boolean {
    const path = join(pathOf(parent), name)
    const isFolder = stats?.isDirectory() ?? parent.children?.has(name) ?? false
    if (this.#excludes.entry(path, relativeOf(parent, name), isFolder, stats?.size ?? 0)) return true
    return stats !== undefined && isFolder && stats.dev !== parent.device && (this.#excludes.oneFileSystem || isSystemPath(path))
  }

  /** @param type `rename`: a name has come or gone */
  #onEvent(node: Node, type: string, name: ByteString): void {
    if (this.#closed || !node.watcher) return
    if (markers.includes(name) && node.marked !== this.#excludes.marked(pathOf(node), (marker) => look(join(pathOf(node), marker)) !== undefined)) {
      this.#again(node)
      return
    }
    if (node.marked) return
    const stats = look(join(pathOf(node), name))
    // A disk that goes is no change of what is on it.
    if (!stats && identityOf(node.root.path) !== node.root.identity) {
      this.#closeRoot(node.root)
      return
    }
    const isOut = this.#isOut(node, name, stats)
    if (type === 'rename') {
      const child = node.children?.get(name)
      if (child) this.#close(child)
      if (!isOut) this.#watchChild(node, name, stats)
    }
    if (!isOut) this.#ports.onChange()
  }

  /** Its marker has come or gone. */
  #again(node: Node): void {
    const { parent, root, name } = node
    this.#close(node)
    if (parent) this.#watchChild(parent, name, look(join(pathOf(parent), name)))
    else this.#openRoot(root)
    this.#ports.onChange()
  }

  #close(node: Node): void {
    if (!node.watcher) return
    node.watcher.close()
    node.watcher = undefined
    this.#folders -= 1
    node.parent?.children?.delete(node.name)
    for (const child of node.children?.values() ?? []) this.#close(child)
    node.children = undefined
  }

  #fail(): void {
    if (this.#closed) return
    const folders = this.#folders
    this[Symbol.dispose]()
    this.#ports.onFailure(new HoldfastError('full', `There are too many folders to watch: ${folders} could be.`, { data: { place: 'watches', folders } }))
  }
}

/** Some systems tell the end of a folder as an error, too; one for all folders, since there are many. */
function ignored(): void {
  // What is left of it ends with the folder above.
}

/** The system has no watches left for this user. */
function isExhausted(error: unknown): boolean {
  return isSystemError(error) && (error.code === 'ENOSPC' || error.code === 'EMFILE' || error.code === 'ENFILE')
}

function isSystemError(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && 'code' in error
}

function look(path: ByteString, how: typeof lstatSync = lstatSync): Stats | undefined {
  try {
    return how(toFilePath(path))
  } catch (error) {
    if (!isSystemError(error)) throw error
    return undefined
  }
}

/** A source that is a symbolic link stands for its target. */
function identityOf(path: ByteString): string | undefined {
  const stats = look(path, statSync)
  return stats && `${stats.dev}:${stats.ino}`
}

function pathOf(node: Node): ByteString {
  return node.parent ? join(pathOf(node.parent), node.name) : node.name
}

function relativeOf(node: Node, name: ByteString): ByteString {
  return node.parent ? `${relativeOf(node.parent, node.name)}/${name}` : name
}

function join(folder: ByteString, name: ByteString): ByteString {
  return folder.endsWith('/') ? folder + name : `${folder}/${name}`
}

function isBelow(path: ByteString, folder: ByteString): boolean {
  return path.startsWith(folder.endsWith('/') ? folder : `${folder}/`)
}
