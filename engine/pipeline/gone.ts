import { decodeTree, type LeafCursor } from '../snapshot/tree.ts'
import type { BlobId, ContentRef, TreeNode } from '../snapshot/node.ts'
import type { ChangeTally } from './change-tally.ts'

/** What could be compressed to this part of its length or less is text, or a document: encryption shows on it. */
const plainRatio = 0.75

/** From so many lookups on, one in `oneIn` is made, and stands for those between. */
const lookedUpEach = 4096
const oneIn = 16

export interface GoneOptions {
  readonly changes: ChangeTally
  /** A tree of the snapshot before; undefined where it cannot be read. */
  readonly peek: (id: BlobId) => Promise<Uint8Array | undefined>
  /** Stored bytes of a blob by its raw ones, as the segment has them that it is in; undefined where it is not known. */
  readonly storedRatio: (id: BlobId) => number | undefined
  readonly breathe: () => Promise<void> | undefined
}

/** Counts the files of the snapshot before that the walk no longer finds. Memory: a tree's id for each folder that is gone out of one that is still there. */
export class Gone {
  readonly #options: GoneOptions
  readonly #folders: BlobId[] = []
  #lookups = 0
  #lastPlain = false
  /** Set while a source is walked of which somebody said that it is as it should be. */
  muted = false

  constructor(options: GoneOptions) {
    this.#options = options
  }

  /** Something of the snapshot before that is not there, or not as the same kind of entry. */
  node(node: TreeNode | undefined): void {
    if (this.muted || !this.#options.changes.counts || !node) return
    if (node.type === 'file') this.#options.changes.gone(node.size, this.#isPlain(node.content))
    if (node.type === 'directory') this.#folders.push(node.tree)
  }

  /** For PreviousDirectory. */
  readonly entry = (entry: LeafCursor): void => {
    if (!this.muted && (entry.type === 'file' || entry.type === 'directory')) this.node(entry.node())
  }

  /** Whether folders wait to be counted. */
  get waits(): boolean {
    return this.#folders.length > 0
  }

  /** Counts what is below the folders that are gone. */
  async count(): Promise<void> {
    for (let tree = this.#folders.pop(); tree; tree = this.#folders.pop()) {
      const bytes = await this.#options.peek(tree)
      if (!bytes) continue
      const decoded = decodeTree(bytes)
      if (decoded.type === 'branch') this.#folders.push(...decoded.children.map((child) => child.tree))
      else for (const node of decoded.nodes) this.node(node)
      await this.#options.breathe()
    }
  }

  /** Whether what a file held could be compressed. */
  readonly couldBeCompressed = ({ depth, ids: [first] }: ContentRef): boolean => {
    const ratio = depth === 0 && first ? this.#options.storedRatio(first) : undefined
    return ratio !== undefined && ratio <= plainRatio
  }

  #isPlain(content: ContentRef): boolean {
    if (this.#lookups++ < lookedUpEach || this.#lookups % oneIn === 0) this.#lastPlain = this.couldBeCompressed(content)
    return this.#lastPlain
  }
}
