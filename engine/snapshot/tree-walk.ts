import { compareBytes } from '../base/bytes.ts'
import { HoldfastError } from '../base/errors.ts'
import type { LoadTree } from './content.ts'
import type { BlobId, TreeNode } from './node.ts'
import { decodeTree, type Branch, type BranchChild, type Leaf } from './tree.ts'

/**
 * Entries of one directory in order of their names, page by page: only the leaves that are needed are loaded.
 * @param after exact name bytes; the iteration begins behind them.
 * @throws damaged, and what `load` throws
 */
export async function* iterateTree(load: LoadTree, id: BlobId, after?: Uint8Array): AsyncGenerator<TreeNode> {
  for await (const leaf of leavesOf(load, id, after)) {
    for (const node of leaf.nodes) if (!after || compareBytes(node.name, after) > 0) yield node
  }
}

/** One entry by its exact name, or undefined: one leaf is loaded, whatever the directory's size. */
export async function findInTree(load: LoadTree, id: BlobId, name: Uint8Array): Promise<TreeNode | undefined> {
  let tree = decodeTree(await load(id))
  while (tree.type === 'branch') {
    const child = tree.children.findLast(({ firstName }) => compareBytes(firstName, name) <= 0)
    if (!child) return undefined
    tree = await loadChild(load, tree, child)
  }
  return tree.nodes.find((node) => compareBytes(node.name, name) === 0)
}

/** A directory, or a part of a huge one, that is not loaded yet. */
export interface TreePart {
  readonly tree: BlobId
  /** Name of its first entry; of a whole directory: empty, as nobody knows it yet. */
  readonly firstName: Uint8Array
  /** Absent for a whole directory. */
  readonly within?: { readonly branch: Branch; readonly child: BranchChild; readonly next: BranchChild | undefined }
}

export function rootPart(tree: BlobId): TreePart {
  return { tree, firstName: new Uint8Array() }
}

/** One step down: the entries of a part, or the parts that it is made of, in order. @throws damaged, and what `load` throws */
export async function openPart(load: LoadTree, { tree: id, within }: TreePart): Promise<Leaf | { readonly type: 'parts'; readonly parts: readonly TreePart[] }> {
  const tree = within ? await loadChild(load, within.branch, within.child) : decodeTree(await load(id))
  if (within) checkBelow(tree, within.next)
  if (tree.type === 'leaf') return tree
  const parts = tree.children.map((child, at) => ({ tree: child.tree, firstName: child.firstName, within: { branch: tree, child, next: tree.children[at + 1] } }))
  return { type: 'parts', parts }
}

/** Ids of the blobs that make up one directory, and of what its branches hold; entries below are the caller's. */
async function* leavesOf(load: LoadTree, id: BlobId, after?: Uint8Array): AsyncGenerator<Leaf> {
  const tree = decodeTree(await load(id))
  if (tree.type === 'leaf') yield tree
  else yield* leavesBelow(load, tree, after)
}

async function* leavesBelow(load: LoadTree, branch: Branch, after?: Uint8Array): AsyncGenerator<Leaf> {
  for (const [index, child] of branch.children.entries()) {
    const next = branch.children[index + 1]
    if (after && next && compareBytes(next.firstName, after) <= 0) continue
    const tree = await loadChild(load, branch, child)
    checkBelow(tree, next)
    if (tree.type === 'leaf') yield tree
    else yield* leavesBelow(load, tree, after)
  }
}

/** Depth must fall on the way down, so no tree, however forged, is walked for ever; and names must be where the branch says. */
async function loadChild(load: LoadTree, branch: Branch, child: BranchChild): Promise<Leaf | Branch> {
  const tree = decodeTree(await load(child.tree))
  const depth = tree.type === 'leaf' ? 0 : tree.depth
  const first = tree.type === 'leaf' ? tree.nodes[0]?.name : tree.children[0]?.firstName
  if (depth !== branch.depth - 1 || !first || compareBytes(first, child.firstName) !== 0) {
    throw new HoldfastError('damaged', 'A tree is damaged: a branch does not fit what is below it.')
  }
  return tree
}

function checkBelow(tree: Leaf | Branch, next: BranchChild | undefined): void {
  const last = tree.type === 'leaf' ? tree.nodes.at(-1)?.name : tree.children.at(-1)?.firstName
  if (next && last && compareBytes(last, next.firstName) >= 0) throw new HoldfastError('damaged', 'A tree is damaged: parts of a directory overlap.')
}
