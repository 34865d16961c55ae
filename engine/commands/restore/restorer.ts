import { throwIfAborted } from '../../base/abort.ts'
import { fromBytes } from '../../base/byte-string.ts'
import type { ByteString } from '../../base/byte-string.ts'
import { assertNever, hasCode, HoldfastError } from '../../base/errors.ts'
import type { RestoreJob } from '../../protocol/job.ts'
import type { Problem } from '../../protocol/progress.ts'
import { isTemporaryName } from '../../target/file-spec.ts'
import type { BlobId, DirectoryNode, FileNode, TreeNode } from '../../snapshot/node.ts'
import { iterateTree } from '../../snapshot/tree-walk.ts'
import { maxPlaces } from '../blob-places.ts'
import type { CommandContext } from '../context.ts'
import type { Reader } from '../reader.ts'
import type { Completion } from './completion.ts'
import { Downloads } from './downloads.ts'
import { FilePlanner } from './file-planner.ts'
import { HardLinks } from './hard-links.ts'
import type { FilePlace } from './hard-links.ts'
import { giveUp, planAgain } from './plan-again.ts'
import type { RestoreProgress } from './restore-progress.ts'
import { selectionOf, type Selection } from './selection.ts'
import { fatalWriteError } from './target.ts'
import type { RestoreTarget } from './target.ts'
import { RestoreWindow } from './window.ts'
import type { RestoringFile } from './window.ts'

/** Deeper than any path that a system takes; a forged tree ends here. */
const maxDepth = 2048

interface Options {
  readonly job: RestoreJob
  readonly context: CommandContext
  readonly reader: Reader
  readonly target: RestoreTarget
  readonly completion: Completion
  readonly progress: RestoreProgress
}

/** What has to wait until the files of its window are written. */
interface Afterwards {
  readonly links: { readonly first: FilePlace; readonly folder: ByteString; readonly node: FileNode }[]
  /** Folders that were left, the inner before the outer. */
  readonly folders: { readonly folder: ByteString; readonly node: DirectoryNode }[]
  /** Folders in which an earlier run may have left something. */
  readonly leftovers: { readonly folder: ByteString; readonly keep: ReadonlySet<ByteString> }[]
}

/**
 * Walks the snapshot in order and plans windows of files; while one window is fetched and written, the next is planned. Memory: two
 * windows, the tree loader's cache and the downloads in flight.
 */
export class Restorer implements Disposable {
  readonly #options: Options
  readonly #downloads: Downloads
  readonly #planner: FilePlanner
  readonly #links = new HardLinks()
  #window = new RestoreWindow()
  #afterwards: Afterwards = { links: [], folders: [], leftovers: [] }
  #writing: Promise<void> = Promise.resolve()
  readonly #startedMs: number
  /** Some folder is on another file system than the target. */
  #elsewhere = false

  constructor(options: Options) {
    const { context, reader, target, progress } = options
    this.#options = options
    this.#startedMs = context.clock.now()
    this.#downloads = new Downloads({
      repository: reader.repository,
      pool: target.pool,
      places: reader.places,
      parallel: reader.storage.concurrency + 2,
      gate: () => context.pauseGate.pass(context.signal),
      onWritten: (bytes) => {
        progress.bytes.written += bytes
        progress.report()
      },
      onComplete: (file) => this.#complete(file),
    })
    this.#planner = new FilePlanner({ ...options, onProblem: (path, code, message) => { progress.problem(code, path, message) }, next: () => this.#nextWindow() })
  }

  [Symbol.dispose](): void {
    this.#links[Symbol.dispose]()
  }

  async run(root: BlobId, selection: Selection): Promise<void> {
    this.#options.progress.phase('working')
    try {
      await this.#folder('', root, selection, false, 0)
    } finally {
      // Whatever ended the walk, what is in flight ends before the threads do.
      await this.#writing.catch(() => undefined)
    }
    await this.#nextWindow()
    await this.#writing
    this.#options.progress.phase('finishing')
    await this.#options.completion.end(this.#elsewhere)
  }

  async #folder(folder: ByteString, tree: BlobId, selection: Selection, fresh: boolean, depth: number): Promise<void> {
    if (depth > maxDepth) throw new HoldfastError('unsafe-path', 'The snapshot nests folders deeper than any file system does.')
    this.#options.progress.currentFolder = folder
    const keep = new Set<ByteString>()
    try {
      for await (const node of iterateTree(this.#options.reader.trees.load, tree)) {
        throwIfAborted(this.#options.context.signal)
        const name = fromBytes(node.name)
        if (isTemporaryName(name)) keep.add(name)
        const below = selectionOf(selection, name)
        if (below !== 'nothing') await this.#entry(folder, name, node, below, fresh, depth)
      }
    } catch (error) {
      if (!hasCode(error, 'damaged')) throw error
      // Unknown entries might be named like leftovers.
      fresh = true
      this.#problem('damaged', folder, `the folder cannot be read: ${error.message}`)
    }
    if (!fresh && selection === 'all') this.#afterwards.leftovers.push({ folder, keep })
  }

  async #entry(folder: ByteString, name: ByteString, node: TreeNode, below: Selection, fresh: boolean, depth: number): Promise<void> {
    const path = folder === '' ? name : `${folder}/${name}`
    try {
      switch (node.type) {
        case 'directory': await this.#directory(folder, name, path, node, below, depth); return
        case 'file': await this.#file(folder, name, node, fresh); return
        case 'symlink':
        case 'fifo': this.#other(folder, name, node); return
        default: assertNever(node)
      }
    } catch (error) {
      this.#entryFailed(path, error)
    }
  }

  async #directory(folder: ByteString, name: ByteString, path: ByteString, node: DirectoryNode, below: Selection, depth: number): Promise<void> {
    const { target, job } = this.#options
    const made = target.entries.makeFolder(folder, name, job.overwrite !== 'never')
    if (made === 'in the way') {
      this.#problem('not-restored', path, 'a file or symbolic link stands where a folder belongs')
      return
    }
    target.folders.forget(path)
    if (made === 'there' && target.entries.openFolder(path) !== target.device) this.#elsewhere = true
    await this.#folder(path, node.tree, below, made === 'made', depth + 1)
    if (made === 'made' || job.overwrite !== 'never') this.#afterwards.folders.push({ folder: path, node })
    if (this.#afterwards.folders.length >= 8192) await this.#nextWindow()
  }

  async #file(folder: ByteString, name: ByteString, node: FileNode, fresh: boolean): Promise<void> {
    const { progress } = this.#options
    progress.files.found += 1
    progress.report()
    const first = node.linkCount > 1 ? this.#links.first(node, { folder, name }) : undefined
    if (first) {
      this.#afterwards.links.push({ first, folder, node })
      return
    }
    progress.bytes.found += node.size
    await this.#planner.plan(folder, name, node, fresh, () => this.#window)
    if (this.#window.full) await this.#nextWindow()
  }

  #other(folder: ByteString, name: ByteString, node: Extract<TreeNode, { type: 'symlink' | 'fifo' }>): void {
    const { target, job } = this.#options
    if (job.overwrite === 'never' && target.entries.look(folder, name)) return
    if (node.type === 'symlink') target.entries.makeSymlink(folder, node)
    else target.entries.makeFifo(folder, node)
  }

  /** Hands the planned window to the threads, as soon as they are done with the one before. */
  async #nextWindow(): Promise<void> {
    const window = this.#window
    const afterwards = this.#afterwards
    await this.#writing
    this.#window = new RestoreWindow()
    this.#afterwards = { links: [], folders: [], leftovers: [] }
    this.#writing = this.#write(window, afterwards)
    // Its error is thrown where it is awaited; until then it must not count as unhandled.
    this.#writing.catch(() => undefined)
  }

  async #write(window: RestoreWindow, afterwards: Afterwards): Promise<void> {
    const { context, reader: { places } } = this.#options
    let unread = await this.#downloads.run(window, context.signal)
    for (let tried = 1; unread.size > 0 && tried < maxPlaces; tried++) {
      unread = await this.#downloads.run(await planAgain(unread, places), context.signal)
    }
    for (const file of giveUp(unread, places)) await this.#complete(file)
    for (const { first, folder, node } of afterwards.links) this.#link(first, folder, node)
    for (const { folder, keep } of afterwards.leftovers) this.#clearUp(folder, keep)
    for (const { folder, node } of afterwards.folders) this.#finishFolder(folder, node)
  }

  async #complete(file: RestoringFile): Promise<void> {
    const { target, progress } = this.#options
    const { spec } = file
    const path = spec.folder === '' ? spec.name : `${spec.folder}/${spec.name}`
    if (!file.failure && !file.whole) {
      const { failures } = await target.pool.run({ type: 'finish', files: [spec] })
      if (failures[0]) file.failure = failures[0]
    }
    if (!file.failure) {
      progress.files.written += 1
      return
    }
    const fatal = fatalWriteError(file.failure.code, undefined)
    if (fatal) throw fatal
    await target.pool.run({ type: 'discard', files: [spec] })
    this.#problem(file.failure.code === 'damaged' ? 'damaged' : 'not-restored', path, file.failure.message)
  }

  #link(first: FilePlace, folder: ByteString, node: FileNode): void {
    const { target, progress, job } = this.#options
    const name = fromBytes(node.name)
    try {
      const keep = job.overwrite === 'never' && target.entries.look(folder, name) !== undefined
      const made = !keep && target.entries.makeLink(first, folder, name)
      progress.files[made ? 'written' : 'unchanged'] += 1
    } catch (error) {
      this.#entryFailed(folder === '' ? name : `${folder}/${name}`, error)
    }
  }

  #clearUp(folder: ByteString, keep: ReadonlySet<ByteString>): void {
    try {
      this.#options.target.entries.removeLeftovers(folder, keep, this.#startedMs)
    } catch (error) {
      this.#entryFailed(folder, error)
    }
  }

  #finishFolder(folder: ByteString, node: DirectoryNode): void {
    try {
      this.#options.target.entries.finishFolder(folder, node)
    } catch (error) {
      if (error instanceof HoldfastError && error.code !== 'unsafe-path') throw error
      this.#problem('metadata', folder, error instanceof Error ? error.message : String(error))
    }
  }

  /** What concerns one entry is a problem; the rest of the restore goes on. */
  #entryFailed(path: ByteString, error: unknown): void {
    if (hasCode(error, 'damaged', 'unsafe-path')) {
      this.#problem(error.code === 'damaged' ? 'damaged' : 'not-restored', path, error.message)
      return
    }
    const code: unknown = error instanceof Error ? Reflect.get(error, 'syscall') && Reflect.get(error, 'code') : undefined
    if (typeof code !== 'string') throw error
    const fatal = fatalWriteError(code, error)
    if (fatal) throw fatal
    this.#problem('not-restored', path, error instanceof Error ? error.message : code)
  }

  #problem(code: Problem['code'], path: ByteString, message: string): void {
    this.#options.progress.problem(code, path, message)
  }
}
