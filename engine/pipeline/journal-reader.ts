import { type ByteString, fromBytes, toBytes } from '../base/byte-string.ts'
import type { Catalog } from '../catalog/catalog.ts'
import type { TreeNode } from '../snapshot/node.ts'
import { LeafCursor } from '../snapshot/tree.ts'
import { PreviousDirectory, type LoadNow } from './previous-directory.ts'

/** Single files remembered of one unfinished directory; more are read again. */
const nodesLimit = 100_000

/** What an interrupted run had finished, directory by directory. Only hints: every blob is looked up before it is built upon. */
export class JournalReader {
  readonly #catalog: Catalog
  readonly #load: LoadNow

  constructor(catalog: Catalog, load: LoadNow) {
    this.#catalog = catalog
    this.#load = load
  }

  read(path: ByteString): JournaledEntries | undefined {
    const { tree, nodes } = this.#catalog.journal.read(toBytes(path))
    if (!tree && nodes.length === 0) return undefined
    return new JournaledEntries(tree && this.#catalog.trees.get(tree) ? new PreviousDirectory(this.#load, tree) : undefined, nodes)
  }
}

/** Entries of one directory; ask for names in ascending order. */
export class JournaledEntries {
  readonly #tree: PreviousDirectory | undefined
  readonly #single = new Map<ByteString, TreeNode>()

  constructor(tree: PreviousDirectory | undefined, leaves: readonly Uint8Array[]) {
    this.#tree = tree
    for (const leaf of leaves) {
      for (const node of new LeafCursor(leaf).nodes()) if (this.#single.size < nodesLimit) this.#single.set(fromBytes(node.name), node)
    }
  }

  async find(name: ByteString): Promise<TreeNode | undefined> {
    const single = this.#single.get(name)
    if (single || !this.#tree) return single
    return await this.#tree.seek(name) ? this.#tree.entry.node() : undefined
  }
}
