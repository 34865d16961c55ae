import { copyOf } from '../../base/bytes.ts'
import type { IdMap, KnownIds } from '../../catalog/id-map.ts'
import type { Catalog } from '../../catalog/catalog.ts'
import type { BlobIdSet } from '../../catalog/id-set.ts'
import type { SyncedTrees } from '../../catalog/synced-trees.ts'
import type { BlobSink } from '../../pipeline/blob-sink.ts'
import { attributesBlob, decodeAttributes, storeAttributes } from '../../snapshot/attributes.ts'
import { chunkIds, ContentBuilder, type LoadTree } from '../../snapshot/content.ts'
import type { BlobId, ContentRef, FileNode, TreeNode } from '../../snapshot/node.ts'
import { TreeBuilder } from '../../snapshot/tree-builder.ts'
import { iterateTree } from '../../snapshot/tree-walk.ts'
import { HoldfastError } from '../../base/errors.ts'

export interface TreeOptions {
  /** Loads a tree of the source, verified. */
  readonly load: LoadTree
  readonly ids: KnownIds | IdMap
  readonly catalog: Catalog
  readonly trees: SyncedTrees
  readonly sink: BlobSink
  /** Waits while the run is paused. */
  readonly gate: () => Promise<void>
  /** A file was looked at. */
  readonly onFile: (bytes: number) => void
}

/** The folders of a snapshot of the source, as the destination lacks them and as it gets them. */
export class TreeCopy {
  readonly #options: TreeOptions

  constructor(options: TreeOptions) {
    this.#options = options
  }

  /**
   * Ids of the source's chunks that the destination lacks, in the order of the tree; the same may come again. Folders of which all is there are
   * passed over. Memory: the folders on the way down. Errors: damaged, those of the source.
   */
  async *lacking(root: BlobId, seen: BlobIdSet): AsyncGenerator<BlobId> {
    const { load, trees } = this.#options
    if (trees.has(root)) return
    const stack = [iterateTree(load, root)]
    for (let folder = stack.at(-1); folder; folder = stack.at(-1)) {
      const step = await folder.next()
      if (step.done) {
        stack.pop()
        continue
      }
      const node = step.value
      if (node.type === 'directory') {
        if (trees.has(node.tree) || seen.has(node.tree)) continue
        await this.#options.gate()
        // A view of a whole folder would keep it in memory.
        const tree = copyOf(node.tree)
        seen.add(tree)
        stack.push(iterateTree(load, tree))
      } else if (node.type === 'file') {
        for await (const id of chunkIds(load, node.content)) if (!this.#isThere(id)) yield id
        this.#options.onFile(node.size)
      }
    }
  }

  /**
   * Stores a folder with all that is below it, under the ids of the destination. Every blob is looked up there (rule R3).
   * @returns its id there; undefined where chunks lack, which then are to be copied (again). Errors: damaged, those of the source.
   */
  async store(root: BlobId): Promise<BlobId | undefined> {
    try {
      return await this.#directory(root)
    } catch (error) {
      if (error instanceof Lacking) return undefined
      throw error
    }
  }

  async #directory(tree: BlobId): Promise<BlobId> {
    const { load, ids, trees, sink, gate } = this.#options
    const known = trees.has(tree) ? ids.get(tree) : undefined
    if (known) return known
    await gate()
    const builder = new TreeBuilder(sink.storeTree)
    for await (const node of iterateTree(load, tree)) builder.add(await this.#node(node))
    const id = builder.finish()
    ids.set(tree, id)
    trees.add(tree)
    await sink.treesSettled()
    return id
  }

  async #node(node: TreeNode): Promise<TreeNode> {
    const blob = attributesBlob(node)
    const whole = blob ? { ...node, attributes: await this.#attributes(blob) } : node
    if (whole.type === 'directory') return { ...whole, tree: await this.#directory(copyOf(whole.tree)) }
    return whole.type === 'file' ? { ...whole, content: await this.#content(whole) } : whole
  }

  async #attributes(blob: BlobId): Promise<NonNullable<TreeNode['attributes']>> {
    const { load, sink } = this.#options
    const stored = storeAttributes(sink.storeTree, decodeAttributes(await load(blob)))
    if (stored === undefined || stored === 'too-large') throw new HoldfastError('damaged', 'A list of attributes is damaged: it is empty or too large.')
    return stored
  }

  async #content({ content }: FileNode): Promise<ContentRef> {
    const { load, sink } = this.#options
    if (content.depth === 0) return { depth: 0, ids: content.ids.map((id) => this.#stored(id)) }
    const builder = new ContentBuilder(sink.storeTree)
    for await (const id of chunkIds(load, content)) builder.add(this.#stored(id))
    await sink.treesSettled()
    return builder.finish()
  }

  #isThere(id: BlobId): boolean {
    const known = this.#options.ids.get(id)
    return known !== undefined && this.#options.catalog.blobs.touch(known)
  }

  #stored(id: BlobId): BlobId {
    const known = this.#options.ids.get(id)
    if (known === undefined || !this.#options.catalog.blobs.touch(known)) throw new Lacking()
    return known
  }
}

/** A chunk is not, or no longer, at the destination. */
class Lacking extends Error {}
