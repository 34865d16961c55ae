import { compareBytes, copyOf, equalBytes } from '../base/bytes.ts'
import { sameAttributes } from './attributes.ts'
import type { LoadTree } from './content.ts'
import type { DifferenceKind } from '../protocol/messages.ts'
import type { BlobId, ContentRef, TreeNode } from './node.ts'
import { openPart, rootPart, type TreePart } from './tree-walk.ts'

/** An entry that is not in both trees as it is in the other. */
export interface Difference {
  readonly kind: DifferenceKind
  /** Names from where the comparison began down to the entry, exact bytes with `/` between them. */
  readonly path: Uint8Array
  readonly before?: TreeNode
  readonly after?: TreeNode
}

/** A folder that is being compared: entries that are still to come. */
interface Open {
  readonly path: Uint8Array
  readonly entries: AsyncGenerator<Pair, void>
}

/**
 * What differs between two directories and all below, by their names, a folder before what is in it. What is the same in both (by its id: a folder, or a part
 * of a huge one) is not loaded; of a folder that is in one alone all entries are told. A folder itself differs by its rights, owner and attributes; its time changes with
 * every entry and does not count. Memory: two parts of each folder between the root and here.
 * @param before absent: there is none, and everything is new
 * @param path of both, where the told paths begin
 * @throws damaged, and what `load` throws
 */
export async function* diffTrees(load: LoadTree, before: BlobId | undefined, after: BlobId | undefined, path: Uint8Array = new Uint8Array()): AsyncGenerator<Difference> {
  const open: Open[] = [{ path, entries: pairs(load, before, after) }]
  for (let folder = open.at(-1); folder; folder = open.at(-1)) {
    const step = await folder.entries.next()
    if (step.done) {
      open.pop()
      continue
    }
    const [old, now] = step.value
    const name = (old ?? now)?.name
    if (!name) continue
    const at = joined(folder.path, name)
    const kind = kindOf(old, now)
    if (kind) yield { kind, path: at, ...(old ? { before: old } : {}), ...(now ? { after: now } : {}) }
    const trees = [treeOf(old), treeOf(now)] as const
    if (!isSameId(...trees)) open.push({ path: at, entries: pairs(load, ...trees) })
  }
}

/** How two entries of one name differ; undefined: in nothing that counts. */
export function kindOf(before: TreeNode | undefined, after: TreeNode | undefined): DifferenceKind | undefined {
  if (!before || !after) return before ? 'removed' : after ? 'added' : undefined
  if (before.type !== after.type) return 'type'
  if (before.type === 'file' && after.type === 'file' && !(before.size === after.size && sameContent(before.content, after.content))) return 'content'
  if (before.type === 'symlink' && after.type === 'symlink' && !equalBytes(before.target, after.target)) return 'content'
  const same = before.mode === after.mode && before.uid === after.uid && before.gid === after.gid && sameAttributes(before.attributes, after.attributes)
  return same && (before.type === 'directory' || before.mtimeNs === after.mtimeNs) ? undefined : 'metadata'
}

function sameContent(a: ContentRef, b: ContentRef): boolean {
  return a.depth === b.depth && a.ids.length === b.ids.length && a.ids.every((id, at) => isSameId(id, b.ids[at]))
}

function isSameId(a: BlobId | undefined, b: BlobId | undefined): boolean {
  return a === undefined || b === undefined ? a === b : equalBytes(a, b)
}

function treeOf(node: TreeNode | undefined): BlobId | undefined {
  return node?.type === 'directory' ? node.tree : undefined
}

function joined(folder: Uint8Array, name: Uint8Array): Uint8Array {
  return folder.length === 0 ? copyOf(name) : Buffer.concat([folder, Buffer.from('/'), name])
}

type Pair = readonly [before: TreeNode | undefined, after: TreeNode | undefined]

/** Entries of two directories side by side, in order of their names, without those in parts that are the same in both. */
async function* pairs(load: LoadTree, before: BlobId | undefined, after: BlobId | undefined): AsyncGenerator<Pair, void> {
  const [old, now] = [new Cursor(load, before), new Cursor(load, after)]
  for (;;) {
    if (old.skipSame(now)) continue
    const order = compareFirst(old.firstName, now.firstName)
    if (order === undefined) return
    // What is first may be a part that is still to be opened.
    if ((order <= 0 && (await old.open())) || (order >= 0 && (await now.open()))) continue
    yield [order <= 0 ? old.take() : undefined, order >= 0 ? now.take() : undefined]
  }
}

/** Undefined: there is neither. */
function compareFirst(a: Uint8Array | undefined, b: Uint8Array | undefined): number | undefined {
  if (!a || !b) return a ? -1 : b ? 1 : undefined
  return compareBytes(a, b)
}

/** A place in a directory: entries that are loaded, and parts behind them that are not. */
class Cursor {
  readonly #load: LoadTree
  #nodes: readonly TreeNode[] = []
  #at = 0
  /** The next one last. */
  readonly #parts: TreePart[]

  constructor(load: LoadTree, tree: BlobId | undefined) {
    this.#load = load
    this.#parts = tree ? [rootPart(tree)] : []
  }

  /** Name of what is next. Of a directory that is yet to be opened: empty, which is before all names. Undefined behind the last. */
  get firstName(): Uint8Array | undefined {
    return this.#nodes[this.#at]?.name ?? this.#parts.at(-1)?.firstName
  }

  /** Loads the part that is next. @returns whether one was next, not an entry */
  async open(): Promise<boolean> {
    if (this.#at < this.#nodes.length) return false
    const part = this.#parts.pop()
    if (!part) return false
    const opened = await openPart(this.#load, part)
    if (opened.type === 'leaf') {
      this.#nodes = opened.nodes
      this.#at = 0
    } else this.#parts.push(...opened.parts.toReversed())
    return true
  }

  take(): TreeNode | undefined {
    return this.#nodes[this.#at++]
  }

  /** Goes past a part that is next here and there. @returns whether there was one */
  skipSame(other: Cursor): boolean {
    const [part, theirs] = [this.#nextPart, other.#nextPart]
    if (!part || !theirs || !equalBytes(part.tree, theirs.tree)) return false
    this.#parts.pop()
    other.#parts.pop()
    return true
  }

  get #nextPart(): TreePart | undefined {
    return this.#at < this.#nodes.length ? undefined : this.#parts.at(-1)
  }
}
