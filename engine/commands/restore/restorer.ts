import { throwIfAborted } from '../../base/abort.ts'
import { copyOf } from '../../base/bytes.ts'
import type { ByteString } from '../../base/byte-string.ts'
import { hasCode, HoldfastError } from '../../base/errors.ts'
import type { RestoreJob } from '../../protocol/job.ts'
import type { Problem } from '../../protocol/progress.ts'
import { backupDecides } from '../../protocol/restore-rules.ts'
import type { BlobId, DirectoryNode, FileNode, TreeNode } from '../../snapshot/node.ts'
import type { Metadata } from '../../target/dress.ts'
import { errnoOf } from '../../base/errno.ts'
import { isTemporaryName } from '../../target/file-spec.ts'
import type { EntryPlace, FolderPlace } from '../../target/folders.ts'
import type { BesideNames } from './beside.ts'
import type { CommandContext } from '../context.ts'
import type { Reader } from '../reader.ts'
import type { Completion } from './completion.ts'
import { freeNames, meetEarlier, type EarlierFolder } from './earlier.ts'
import { FilePlanner } from './file-planner.ts'
import { HardLinks, linkKey } from './hard-links.ts'
import { metadataOf } from './metadata.ts'
import { pathOf } from './paths.ts'
import { noName, Placement } from './placement.ts'
import type { RestoreProgress } from './restore-progress.ts'
import { SelectedWalk } from './selected-walk.ts'
import type { Step } from './selected-walk.ts'
import type { Selection } from './selection.ts'
import type { RestoreTarget } from './target.ts'
import { WindowWriter } from './window-writer.ts'
import { fatalWriteError } from './write-errors.ts'

/** Deeper than anybody nests folders; a forged tree ends here. The second bounds the memory of their paths. */
const maxDepth = 4096
const maxPathBytes = 1024 * 1024

export interface RestorerOptions {
  readonly job: Pick<RestoreJob, 'overwrite'>
  readonly context: CommandContext
  readonly reader: Reader
  readonly target: RestoreTarget
  readonly completion: Completion
  readonly progress: RestoreProgress
  /** Told in the name of a file that goes beside what is there. */
  readonly label: string
  /** What parts that came before restore to the same place. */
  readonly earlier: readonly EarlierFolder[]
}

/** A folder on the way. */
interface Folder {
  readonly place: FolderPlace
  /** Its path in the snapshot; in the target it may have another name. */
  readonly source: ByteString
  readonly earlier: readonly EarlierFolder[]
  /** Undefined for the target itself, whose metadata is the user's. */
  readonly node: DirectoryNode | undefined
  readonly tree: BlobId
  readonly selection: Selection
  readonly made: boolean
  /** All its entries are known. */
  whole: boolean
  /** Entries that are only named like leftovers of earlier runs. */
  readonly keep: Set<ByteString>
}

/** An entry on its way. */
interface Entry {
  readonly place: EntryPlace
  /** Its path in the snapshot. */
  readonly source: ByteString
  /** Where another one is in its place. */
  readonly names: BesideNames
}

/**
 * Walks the snapshot in order and plans windows of files; while one window is fetched and written, the next is planned. Memory: two
 * windows, the tree loader's cache and the downloads in flight.
 */
export class Restorer implements Disposable {
  readonly #options: RestorerOptions
  readonly #walk: SelectedWalk<Folder>
  readonly #planner: FilePlanner
  readonly #placement: Placement
  readonly #links = new HardLinks()
  readonly #writer: WindowWriter
  /** Some folder is on another file system than the target. */
  #elsewhere = false

  constructor(options: RestorerOptions) {
    this.#options = options
    this.#walk = new SelectedWalk(options.reader.trees.load)
    this.#writer = new WindowWriter({ ...options, links: this.#links, onError: (path, error, source) => { this.#entryFailed(path, error, source) } })
    this.#planner = new FilePlanner({ ...options, next: () => this.#writer.next() })
    this.#placement = new Placement(options.target.entries, options.job.overwrite)
  }

  [Symbol.dispose](): void {
    this.#links[Symbol.dispose]()
  }

  async run(root: BlobId, selection: Selection): Promise<void> {
    const { target, progress, completion } = this.#options
    progress.phase('working')
    try {
      this.#walk.enter(root, selection, { place: target.root, source: '', earlier: this.#options.earlier, node: undefined, tree: root, selection, made: false, whole: true, keep: new Set() })
      for (let step = await this.#walk.next(); step; step = await this.#walk.next()) {
        throwIfAborted(this.#options.context.signal)
        await this.#step(step)
      }
    } finally {
      // Whatever ended the walk, what is in flight ends before the threads do.
      await this.#writer.settled()
    }
    await this.#writer.end()
    progress.phase('finishing')
    await completion.end(this.#elsewhere ? undefined : target.folders.open(target.root))
  }

  async #step(step: Step<Folder>): Promise<void> {
    const { folder } = step
    switch (step.type) {
      case 'passed':
        if (isTemporaryName(step.name)) folder.keep.add(step.name)
        return
      case 'damaged':
        // Unknown entries might be named like leftovers.
        folder.whole = false
        this.#problem('damaged', folder.place.path, `the folder cannot be read: ${step.error.message}`, folder.source)
        return
      case 'left':
        await this.#leave(folder)
        return
      case 'entry': {
        if (isTemporaryName(step.name)) folder.keep.add(step.name)
        try {
          await this.#entry(folder, step.name, step.node, step.below)
        } catch (error) {
          this.#entryFailed(pathOf({ folder: folder.place, name: step.name }), error, sourceOf(folder, step.name))
        }
      }
    }
  }

  async #entry(folder: Folder, name: ByteString, node: TreeNode, selection: Selection): Promise<void> {
    const { reader: { trees: { load } }, label, progress } = this.#options
    const met = await meetEarlier(load, folder.earlier, name, node)
    if (met.what === 'same') {
      if (node.type === 'file') progress.sameAgain(node.size)
      return
    }
    const names = freeNames(load, folder.tree, folder.earlier, label)
    const place = { folder: folder.place, name: met.what === 'another' ? await firstOf(names(name)) : name }
    const entry: Entry = { place, source: sourceOf(folder, name), names }
    if (node.type === 'directory') this.#directory(entry, node, selection, met.what === 'another' ? [] : met.below)
    else if (node.type === 'file') await this.#file(entry, node, folder.made)
    else await this.#other(entry, node)
  }

  #directory({ place, source }: Entry, node: DirectoryNode, below: Selection, earlier: readonly EarlierFolder[]): void {
    const { target, job, progress } = this.#options
    const path = pathOf(place)
    if (this.#walk.depth > maxDepth || path.length > maxPathBytes) throw new HoldfastError('unsafe-path', 'The snapshot nests folders deeper than any file system does.')
    const came = target.entries.makeFolder(place.folder, place.name, backupDecides(job.overwrite))
    if (came === 'in the way') {
      this.#problem('not-restored', path, 'a file or symbolic link stands where a folder belongs', source)
      return
    }
    const made = came === 'made'
    const entered = target.entries.enterFolder(place.folder, place.name, made, node.uid)
    if (entered.device !== target.root.device) this.#elsewhere = true
    progress.currentFolder = path
    this.#walk.enter(node.tree, below, { place: entered, source, earlier, node, tree: copyOf(node.tree), selection: below, made, whole: true, keep: new Set() })
  }

  async #leave({ place, node, selection, made, whole, keep }: Folder): Promise<void> {
    const { job } = this.#options
    if (!made && whole && selection === 'all') this.#writer.leftovers(place, keep)
    if (node && (made || backupDecides(job.overwrite))) this.#writer.finishLater(place, await this.#metadata(place.path, node), made)
    if (this.#writer.full) await this.#writer.next()
  }

  async #file({ place, source, names }: Entry, node: FileNode, fresh: boolean): Promise<void> {
    const { progress } = this.#options
    progress.files.found += 1
    progress.report()
    const link = linkKey(node)
    const first = link === undefined ? undefined : this.#links.find(link)
    if (link !== undefined && first) {
      const at = await this.#placement.link(place, node, first, names)
      if (at) this.#writer.linkLater(link, at, source)
      else progress.files.unchanged += 1
    } else {
      progress.bytes.found += node.size
      const attributes = node.attributes === undefined ? undefined : (await this.#metadata(pathOf(place), node)).attributes
      const at = await this.#planner.plan({ place, source, node, fresh, attributes, link, names }, () => this.#writer.window)
      if (at && link !== undefined) this.#links.add(link, at)
    }
    if (this.#writer.full) await this.#writer.next()
  }

  async #other({ place, names }: Entry, node: Extract<TreeNode, { type: 'symlink' | 'fifo' }>): Promise<void> {
    const { target, progress } = this.#options
    const at = await this.#placement.other(place, node, names)
    if (!at) return
    const metadata = await this.#metadata(pathOf(at), node)
    const { losses } = node.type === 'symlink' ? target.entries.makeSymlink(at, node.target, metadata) : target.entries.makeFifo(at, metadata)
    progress.losses(pathOf(at), losses)
  }

  /** Without the attributes where these cannot be read. */
  async #metadata(path: ByteString, node: TreeNode): Promise<Metadata> {
    try {
      return await metadataOf(this.#options.reader.trees.load, node)
    } catch (error) {
      if (!hasCode(error, 'damaged')) throw error
      this.#problem('damaged', path, `restored without its extended attributes: ${error.message}`)
      const { mode, uid, gid, mtimeNs } = node
      return { mode, uid, gid, mtimeNs }
    }
  }

  /** What concerns one entry is a problem; the rest of the restore goes on. */
  #entryFailed(path: ByteString, error: unknown, source: ByteString): void {
    if (hasCode(error, 'damaged', 'unsafe-path')) {
      this.#problem(error.code === 'damaged' ? 'damaged' : 'not-restored', path, error.message, source)
      return
    }
    const code = errnoOf(error)
    if (code === undefined) throw error
    const fatal = fatalWriteError(code, error)
    if (fatal) throw fatal
    this.#options.progress.notWritten(path, code, error instanceof Error ? error.message : code, source)
  }

  #problem(code: Problem['code'], path: ByteString, message: string, source?: ByteString): void {
    this.#options.progress.problem(code, path, message, source)
  }
}

function sourceOf({ source }: Folder, name: ByteString): ByteString {
  return source === '' ? name : `${source}/${name}`
}

async function firstOf(names: AsyncIterable<ByteString>): Promise<ByteString> {
  for await (const name of names) return name
  throw noName()
}
