import { fromBytes, fromShown, toBytes, toShown } from '../../base/byte-string.ts'
import { hasCode } from '../../base/errors.ts'
import { resolveSnapshot } from '../../repository/protocol/resolve.ts'
import { DecisionCache, listSnapshots, snapshotId } from '../../repository/protocol/snapshots.ts'
import type { ReadableSnapshot } from '../../repository/protocol/snapshots.ts'
import { rootOf, sessionJobName } from '../../snapshot/manifest.ts'
import type { BlobId, FileNode, TreeNode } from '../../snapshot/node.ts'
import { findInTree, iterateTree } from '../../snapshot/tree-walk.ts'
import type { CommandContext } from '../context.ts'
import type { Reader } from '../reader.ts'
import { shelve, type Labelled, type Shelves } from './shelf-names.ts'

/** What a path leads to. Names are as `toShown` gives them. */
export type Item = FolderItem | FileItem

export interface FolderItem {
  readonly type: 'folder'
  readonly name: string
  readonly modifiedMs: number
  /** In order, as they are read; from a damaged folder fewer come, and then its error. Errors: damaged, those of the storage. */
  readonly items: () => AsyncIterable<Item>
}

export interface FileItem {
  readonly type: 'file'
  readonly name: string
  readonly modifiedMs: number
  readonly node: FileNode
}

interface Snapshot extends Labelled {
  readonly root: BlobId
}

/** Whoever looks at the list of snapshots sees those that are not older than this. */
const freshMs = 30_000
/** A name that is not known may be that of a new one. */
const soonMs = 5_000

/** The snapshots of a repository as one tree of folders. Links, FIFOs and devices are not shown: a restore brings them back. */
export class Shelf {
  readonly #reader: Reader
  readonly #context: CommandContext
  readonly #chosen: { readonly names: readonly string[]; readonly host: string }
  readonly #decisions = new DecisionCache()
  #shelves: Shelves<Snapshot> = new Map()
  #readMs = -Infinity
  #reading: Promise<void> | undefined

  /** @param chosen snapshots by their names; none: all, and those that come */
  constructor(reader: Reader, chosen: { readonly names: readonly string[]; readonly host: string }, context: CommandContext) {
    this.#reader = reader
    this.#chosen = chosen
    this.#context = context
  }

  /** What the repository lacks of what was seen in it is told as problems. @returns how many snapshots there are. Errors: those of resolveSnapshot. */
  async open(): Promise<number> {
    await this.#reader.memory.warn(this.#context.signal)
    await this.#read()
    return [...this.#shelves.values()].reduce((sum, { size }) => sum + size, 0)
  }

  /**
   * @param path decoded names; what no name of an entry can be is not found like anything else, as nothing but the tree is looked into
   * @returns undefined: there is none. Errors: damaged, those of the storage.
   */
  async find(path: readonly string[]): Promise<Item | undefined> {
    const [group, date, ...rest] = path
    if (date === undefined) await this.#freshen(freshMs)
    if (group === undefined) return this.#top()
    if (!this.#isKnown(group, date)) await this.#freshen(soonMs)
    const dates = this.#shelves.get(group)
    if (!dates) return undefined
    if (date === undefined) return groupItem(group, dates, (name, snapshot) => this.#snapshotItem(name, snapshot))
    const snapshot = dates.get(date)
    return snapshot && this.#below(this.#snapshotItem(date, snapshot), snapshot.root, rest)
  }

  async #below(start: FolderItem, root: BlobId, path: readonly string[]): Promise<Item | undefined> {
    let item: Item = start
    let tree: BlobId | undefined = root
    for (const name of path) {
      const node: TreeNode | undefined = tree && await findInTree(this.#reader.trees.load, tree, toBytes(fromShown(name)))
      const found: Item | undefined = node && this.#item(node)
      if (!node || !found) return undefined
      item = found
      tree = node.type === 'directory' ? node.tree : undefined
    }
    return item
  }

  #isKnown(group: string, date: string | undefined): boolean {
    const dates = this.#shelves.get(group)
    return dates !== undefined && (date === undefined || dates.has(date))
  }

  #top(): FolderItem {
    const groups = [...this.#shelves].map(([name, dates]) => groupItem(name, dates, (date, snapshot) => this.#snapshotItem(date, snapshot)))
    return { type: 'folder', name: 'Holdfast', modifiedMs: Math.max(0, ...groups.map(({ modifiedMs }) => modifiedMs)), items: () => each(groups) }
  }

  #snapshotItem(name: string, { root, finishedMs }: Snapshot): FolderItem {
    return { type: 'folder', name, modifiedMs: finishedMs, items: () => this.#items(root) }
  }

  async *#items(tree: BlobId): AsyncGenerator<Item> {
    for await (const node of iterateTree(this.#reader.trees.load, tree)) {
      const item = this.#item(node)
      if (item) yield item
    }
  }

  #item(node: TreeNode): Item | undefined {
    const common = { name: toShown(fromBytes(node.name)), modifiedMs: Number(node.mtimeNs / 1_000_000n) }
    if (node.type === 'file') return { type: 'file', ...common, node }
    return node.type === 'directory' ? { type: 'folder', ...common, items: () => this.#items(node.tree) } : undefined
  }

  async #freshen(olderMs: number): Promise<void> {
    if (this.#chosen.names.length > 0 || this.#context.clock.monotonic() - this.#readMs < olderMs) return
    this.#reading ??= this.#read().finally(() => { this.#reading = undefined })
    try {
      await this.#reading
    } catch (error) {
      if (!hasCode(error, 'offline', 'unavailable', 'throttled')) throw error
      this.#context.log.write('warning', `new snapshots cannot be looked for: ${error.message}`)
    }
  }

  async #read(): Promise<void> {
    const found: Snapshot[] = []
    for await (const { manifest, ref } of this.#entries()) {
      const { host, job, finishedMs } = manifest
      found.push({ host, job, finishedMs, id: snapshotId(manifest, ref), line: `${host}/${sessionJobName(manifest)}`, root: rootOf(manifest) })
    }
    this.#shelves = shelve(found)
    this.#readMs = this.#context.clock.monotonic()
  }

  async *#entries(): AsyncGenerator<ReadableSnapshot> {
    const { repository, memory } = this.#reader
    const { signal, log } = this.#context
    for (const name of this.#chosen.names) yield await resolveSnapshot(repository, name, { host: this.#chosen.host, memory }, signal)
    if (this.#chosen.names.length > 0) return
    for await (const entry of listSnapshots(repository, { cache: this.#decisions, memory }, signal)) {
      if (entry.type === 'snapshot') yield entry
      else log.write('warning', `a snapshot cannot be read: ${entry.error.message}`)
    }
  }
}

function groupItem(name: string, dates: ReadonlyMap<string, Snapshot>, itemOf: (name: string, snapshot: Snapshot) => FolderItem): FolderItem {
  const items = [...dates].map(([date, snapshot]) => itemOf(date, snapshot))
  return { type: 'folder', name, modifiedMs: Math.max(0, ...items.map(({ modifiedMs }) => modifiedMs)), items: () => each(items) }
}

async function* each(items: readonly Item[]): AsyncGenerator<Item> {
  yield* items
}
