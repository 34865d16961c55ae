import type { EntryStat } from '../base/entry-stat.ts'
import type { Attributes, BlobId, DirectoryNode, TreeNode } from '../snapshot/node.ts'
import { nodeBase, sameBase } from './file-node.ts'

/** Where a directory's entry goes: known at once when nothing in it is being read, else later. */
export class DirectoryPlace {
  readonly #name: Uint8Array
  readonly #stat: EntryStat
  readonly #previous: TreeNode | undefined
  /** To be known before the directory is done. */
  attributes: Attributes | undefined
  node: DirectoryNode | undefined
  onNode: ((node: DirectoryNode) => void) | undefined

  constructor(name: Uint8Array, stat: EntryStat, previous: TreeNode | undefined) {
    this.#name = name
    this.#stat = stat
    this.#previous = previous
  }

  get isAsBefore(): boolean {
    const { node } = this
    return node !== undefined && this.#previous?.type === 'directory' && Buffer.compare(this.#previous.tree, node.tree) === 0 && sameBase(this.#previous, this.#stat, this.attributes)
  }

  done(tree: BlobId): void {
    this.node = { type: 'directory', ...nodeBase(this.#name, this.#stat, this.attributes), tree }
    this.onNode?.(this.node)
  }
}
