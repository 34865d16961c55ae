import type { BigIntStats } from 'node:fs'
import { fromBytes, namesOf, toBytes, toShown, type ByteString } from '../../base/byte-string.ts'
import { errnoOf } from '../../base/errno.ts'
import { hasCode } from '../../base/errors.ts'
import { planClasses, type PlanClass, type PlannedEntry, type PlanPage, type PlanTotals } from '../../protocol/restore-rules.ts'
import type { LoadTree } from '../../snapshot/content.ts'
import type { BlobId, DirectoryNode, TreeNode } from '../../snapshot/node.ts'
import { findInTree } from '../../snapshot/tree-walk.ts'
import type { FolderPlace } from '../../target/folders.ts'
import type { Journey } from './journeys.ts'
import { SelectedWalk } from './selected-walk.ts'
import { selectionOf, type Selection } from './selection.ts'
import { viewTarget, type TargetView } from './target.ts'

/** Entries that one page looks at: about a second. */
const mostLookedAt = 20_000

/** What a restore begins with. */
export interface PlanRequest {
  readonly root: BlobId
  readonly selection: Selection
  /** Undefined: there is no such folder yet. */
  readonly target: TargetView | undefined
  /** A path whose turn has come: what follows it is planned. */
  readonly after?: Uint8Array
}

/** An entry of the snapshot and what stands in its place. */
export interface PlanStep {
  readonly path: ByteString
  readonly node: TreeNode
  readonly of: PlanClass
  readonly there: BigIntStats | undefined
}

/** A folder on the way: where it is in the target, or why nothing is looked at there. */
interface Folder {
  readonly path: ByteString
  readonly node: DirectoryNode | undefined
  readonly at: FolderPlace | 'nothing' | 'blocked'
}

/**
 * What a restore would do, entry by entry in the order of the snapshot; nothing is written. Folders come as `new` or `same` before what is in them.
 * Errors: those of the storage, and of a target that cannot be looked at.
 */
export async function* planRestore(load: LoadTree, request: PlanRequest, signal: AbortSignal): AsyncGenerator<PlanStep> {
  const planner = new Planner(load, request.target)
  await planner.begin(request)
  for (let step = await planner.next(); step !== 'end'; step = await planner.next()) {
    signal.throwIfAborted()
    if (step) yield step
  }
}

/** What goes to one folder. */
export type PlannedJourney = Pick<Journey, 'root' | 'wanted' | 'target' | 'below'>

/**
 * The next stretch of a plan, with at most `limit` entries that are not just new or the same. Memory: the page. Errors: as of planRestore, and of viewTarget.
 * @param after `next` of the page before
 */
export async function planPage(load: LoadTree, journeys: readonly PlannedJourney[], { after, limit }: { readonly after?: Uint8Array; readonly limit: number }, signal: AbortSignal): Promise<PlanPage> {
  const { number, path } = cursorOf(after)
  const journey = journeys[number]
  const entries: PlannedEntry[] = []
  if (!journey) return { entries, totals: new PlanCounter().totals }
  const { root, wanted, below } = journey
  using target = await viewTarget(journey.target)
  const counter = new PlanCounter()
  let lookedAt = 0
  for await (const step of planRestore(load, { root, selection: wanted, target, ...(path !== '' && { after: toBytes(path) }) }, signal)) {
    counter.add(step)
    if (step.of !== 'new' && step.of !== 'same' && step.of !== 'below') entries.push(viewOf({ ...step, path: below === '' ? step.path : `${below}/${step.path}` }))
    if (++lookedAt >= mostLookedAt || entries.length >= limit) return { entries, totals: counter.totals, next: toBytes(`${String(number)}/${step.path}`) }
  }
  return { entries, totals: counter.totals, ...(journeys[number + 1] && { next: toBytes(`${String(number + 1)}/`) }) }
}

/** `2/a/b`: what follows `a/b` in the third journey. */
function cursorOf(after: Uint8Array | undefined): { readonly number: number; readonly path: ByteString } {
  const [first = '', ...names] = after ? fromBytes(after).split('/') : []
  return { number: /^\d{1,6}$/.test(first) ? Number(first) : 0, path: names.join('/') }
}

/** Counts what a plan comes to. */
export class PlanCounter {
  readonly #totals = Object.fromEntries(planClasses.map((of) => [of, { entries: 0, bytes: 0 }])) as Record<PlanClass, { entries: number; bytes: number }>

  get totals(): PlanTotals {
    return this.#totals
  }

  /** Folders that come or are there are nobody's concern. */
  add({ node, of }: Pick<PlanStep, 'node' | 'of'>): void {
    if (node.type === 'directory' && of !== 'blocked' && of !== 'unreadable') return
    this.#totals[of].entries += 1
    if (node.type === 'file') this.#totals[of].bytes += node.size
  }
}

class Planner {
  readonly #load: LoadTree
  readonly #target: TargetView | undefined
  readonly #walk: SelectedWalk<Folder>

  constructor(load: LoadTree, target: TargetView | undefined) {
    this.#load = load
    this.#target = target
    this.#walk = new SelectedWalk(load)
  }

  /** Stands where a plan begins, or goes on. */
  async begin({ root, selection, after }: PlanRequest): Promise<void> {
    const names = after ? namesOf(after) : []
    let folder: Folder = { path: '', node: undefined, at: this.#target?.root ?? 'nothing' }
    let [tree, below] = [root, selection]
    for (const name of names) {
      this.#walk.enter(tree, below, folder, toBytes(name))
      const node: TreeNode | undefined = await findInTree(this.#load, tree, toBytes(name))
      if (node?.type !== 'directory') return
      const { into } = this.#look(folder, node, name)
      if (!into) return
      folder = into
      tree = node.tree
      below = selectionOf(below, name)
    }
    this.#walk.enter(tree, below, folder)
  }

  /** Undefined for a step at which there is nothing to say. */
  async next(): Promise<PlanStep | 'end' | undefined> {
    const step = await this.#walk.next()
    if (!step) return 'end'
    const { folder } = step
    if (step.type === 'damaged') return folder.node && { path: folder.path, node: folder.node, of: 'unreadable', there: undefined }
    if (step.type !== 'entry') return undefined
    const { node, name, below } = step
    const { of, there, into } = this.#look(folder, node, name)
    if (node.type === 'directory' && into) this.#walk.enter(node.tree, below, into)
    return { path: pathIn(folder, name), node, of, there }
  }

  #look(folder: Folder, node: TreeNode, name: ByteString): { readonly of: PlanClass; readonly there?: BigIntStats | undefined; readonly into?: Folder } {
    const { at } = folder
    const path = pathIn(folder, name)
    if (at === 'blocked') return { of: 'below', ...(node.type === 'directory' && { into: { path, node, at } }) }
    const there = at === 'nothing' ? undefined : this.#target?.look(at, name)
    if (node.type !== 'directory') return { of: there ? classOf(node, there) : 'new', there }
    if (!there || at === 'nothing') return { of: 'new', into: { path, node, at: 'nothing' } }
    if (!there.isDirectory()) return { of: 'blocked', there, into: { path, node, at: 'blocked' } }
    const entered = this.#enter(at, name)
    return entered ? { of: 'same', there, into: { path, node, at: entered } } : { of: 'unreadable', there }
  }

  #enter(folder: FolderPlace, name: ByteString): FolderPlace | undefined {
    try {
      return this.#target?.enter(folder, name)
    } catch (error) {
      if (errnoOf(error) === undefined && !hasCode(error, 'unsafe-path')) throw error
      return undefined
    }
  }
}

function pathIn({ path }: Folder, name: ByteString): ByteString {
  return path === '' ? name : `${path}/${name}`
}

function classOf(node: Exclude<TreeNode, DirectoryNode>, there: BigIntStats): PlanClass {
  if (there.isDirectory()) return 'folder'
  const kind = node.type === 'file' ? there.isFile() : node.type === 'symlink' ? there.isSymbolicLink() : there.isFIFO()
  if (!kind) return 'other'
  if (there.mtimeNs === node.mtimeNs && (node.type !== 'file' || Number(there.size) === node.size)) return 'same'
  return there.mtimeNs > node.mtimeNs ? 'newer' : 'older'
}

function viewOf({ path, node, of, there }: PlanStep): PlannedEntry {
  const slash = path.lastIndexOf('/')
  return {
    path: toBytes(path), shown: toShown(path.slice(slash + 1)), folder: toShown(path.slice(0, Math.max(0, slash))), of, type: node.type, mtimeMs: msOf(node.mtimeNs),
    ...(node.type === 'file' && { size: node.size }), ...(there && { there: { size: Number(there.size), mtimeMs: msOf(there.mtimeNs) } }),
  }
}

function msOf(ns: bigint): number {
  return Math.floor(Number(ns / 1000n) / 1000)
}
