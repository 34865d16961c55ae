import { hasCode } from '../../base/errors.ts'
import type { Catalog } from '../../catalog/catalog.ts'
import type { BlobIdSet } from '../../catalog/id-set.ts'
import { treeReferences } from '../../repository/protocol/references.ts'
import type { BlobId } from '../../snapshot/node.ts'
import type { LoadTree } from '../../snapshot/content.ts'

/**
 * How many bytes snapshots need in the storage, by what the catalog knows of packs. Each folder is followed once, in whatever snapshots it is, and comes
 * from the storage once: the catalog keeps it for the next estimate. What cannot be read counts as nothing. Memory: the folders that wait.
 */
export class NeededBytes implements Disposable {
  readonly #catalog: Catalog
  readonly #load: LoadTree
  readonly #seen: BlobIdSet

  constructor(catalog: Catalog, load: LoadTree) {
    this.#catalog = catalog
    this.#load = load
    this.#seen = catalog.idSet('needed_blobs')
    catalog.trees.beginRun()
  }

  /** Bytes below a root beyond those that were counted before. Errors: those of the storage. */
  async add(root: BlobId, signal: AbortSignal): Promise<number> {
    let bytes = 0
    const waiting: BlobId[] = [root]
    for (let id = waiting.pop(); id !== undefined; id = waiting.pop()) {
      if (this.#seen.has(id)) continue
      signal.throwIfAborted()
      bytes += this.#count(id)
      const references = await this.#references(id)
      for (const tree of references?.trees ?? []) if (!this.#seen.has(tree)) waiting.push(tree)
      for (const data of references?.data ?? []) if (!this.#seen.has(data)) bytes += this.#count(data)
    }
    return bytes
  }

  /** All snapshots were counted: folders that are in none of them are kept no longer. */
  forgetOthers(): void {
    this.#catalog.trees.endRun()
  }

  [Symbol.dispose](): void {
    this.#seen[Symbol.dispose]()
  }

  /** A blob's share of its segment. */
  #count(id: BlobId): number {
    this.#seen.add(id)
    const place = this.#catalog.locate(id)
    return place === undefined ? 0 : Math.round(place.storedLength * (place.length / Math.max(1, place.rawLength)))
  }

  async #references(id: BlobId): Promise<ReturnType<typeof treeReferences> | undefined> {
    try {
      const known = this.#catalog.trees.get(id)
      if (known) return treeReferences(known)
      const body = await this.#load(id)
      this.#catalog.trees.put(id, body)
      return treeReferences(body)
    } catch (error) {
      if (hasCode(error, 'damaged', 'not-found', 'version')) return undefined
      throw error
    }
  }
}
