import { copyOf } from '../../base/bytes.ts'
import { fromBytes } from '../../base/byte-string.ts'
import type { ByteString } from '../../base/byte-string.ts'
import { hasCode } from '../../base/errors.ts'
import type { HoldfastError } from '../../base/errors.ts'
import type { LoadTree } from '../../snapshot/content.ts'
import type { BlobId, TreeNode } from '../../snapshot/node.ts'
import { iterateTree } from '../../snapshot/tree-walk.ts'
import { selectionOf } from './selection.ts'
import type { Selection } from './selection.ts'

/** Folders whose contents stay decoded on the way down, about 1 MiB each at most; those above are read again on the way up. */
const decodedLevels = 16

export type Step<State> =
  | { readonly type: 'entry'; readonly folder: State; readonly node: TreeNode; readonly name: ByteString; readonly below: Selection }
  /** An entry that is not asked for. */
  | { readonly type: 'passed'; readonly folder: State; readonly name: ByteString }
  /** The rest of the folder cannot be read. */
  | { readonly type: 'damaged'; readonly folder: State; readonly error: HoldfastError }
  /** All in the folder had its turn. */
  | { readonly type: 'left'; readonly folder: State }

interface Level<State> {
  readonly state: State
  readonly tree: BlobId
  readonly selection: Selection
  nodes: AsyncIterator<TreeNode> | undefined
  last: Uint8Array | undefined
}

/**
 * The folders of a snapshot in order, each before what is in it and again after that. A loop with a stack of its own: folders may nest
 * deeper than calls do. Memory: a few decoded folders, whatever the depth.
 */
export class SelectedWalk<State> {
  readonly #load: LoadTree
  readonly #levels: Level<State>[] = []

  constructor(load: LoadTree) {
    this.#load = load
  }

  get depth(): number {
    return this.#levels.length
  }

  /** The next steps are of this folder. @param after exact bytes of a name: the steps begin behind it */
  enter(tree: BlobId, selection: Selection, state: State, after?: Uint8Array): void {
    // A view of a whole folder would keep it in memory.
    this.#levels.push({ state, tree: copyOf(tree), selection, nodes: undefined, last: after })
    const above = this.#levels.at(-1 - decodedLevels)
    if (above) above.nodes = undefined
  }

  /** Undefined when the outermost folder was left. Errors: those of the storage. */
  async next(): Promise<Step<State> | undefined> {
    const level = this.#levels.at(-1)
    if (!level) return undefined
    let node: TreeNode | undefined
    try {
      node = await this.#nextNode(level)
    } catch (error) {
      if (!hasCode(error, 'damaged')) throw error
      level.nodes = nothing
      return { type: 'damaged', folder: level.state, error }
    }
    if (!node) {
      this.#levels.pop()
      return { type: 'left', folder: level.state }
    }
    const name = fromBytes(node.name)
    const below = selectionOf(level.selection, name)
    return below === 'nothing' ? { type: 'passed', folder: level.state, name } : { type: 'entry', folder: level.state, node, name, below }
  }

  async #nextNode(level: Level<State>): Promise<TreeNode | undefined> {
    level.nodes ??= iterateTree(this.#load, level.tree, level.last)[Symbol.asyncIterator]()
    const next = await level.nodes.next()
    if (next.done === true) return undefined
    if (next.value.type === 'directory') level.last = copyOf(next.value.name)
    return next.value
  }
}

const nothing: AsyncIterator<TreeNode> = { next: () => Promise.resolve({ done: true, value: undefined }) }
