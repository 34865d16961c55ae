import { attributesBlob } from '../snapshot/attributes.ts'
import { decodeList } from '../snapshot/content.ts'
import type { BlobId, ContentRef, TreeNode } from '../snapshot/node.ts'
import { decodeTree } from '../snapshot/tree.ts'
import type { WalkStore } from './walk-types.ts'

/** Rule R3 for what is taken over whole: every blob of it is in a usable pack or on its way. */
export class StoredParts {
  readonly #store: WalkStore

  constructor(store: WalkStore) {
    this.#store = store
  }

  async touchNode(node: TreeNode | undefined): Promise<boolean> {
    if (!node || !this.#touchAttributes(node)) return false
    if (node.type === 'file') return this.#touchContent(node.content)
    return node.type !== 'directory' || this.#touchTree(node.tree)
  }

  /** As far as it is known at once: false where lists of chunks would have to be read. */
  touchNow(node: TreeNode): boolean {
    if (!this.#touchAttributes(node)) return false
    return node.type === 'file' && node.content.depth === 0 && this.#store.touch(Buffer.concat(node.content.ids))
  }

  #touchAttributes(node: TreeNode): boolean {
    const blob = attributesBlob(node)
    return blob === undefined || this.#store.touch(blob)
  }

  async #touchContent(content: ContentRef): Promise<boolean> {
    if (!this.#store.touch(Buffer.concat(content.ids))) return false
    if (content.depth === 0) return true
    for (const id of content.ids) if (!await this.#touchContent(decodeList(await this.#store.load(id)))) return false
    return true
  }

  async #touchTree(id: BlobId): Promise<boolean> {
    if (!this.#store.touch(id)) return false
    const tree = decodeTree(await this.#store.load(id))
    if (tree.type === 'branch') {
      for (const child of tree.children) if (!await this.#touchTree(child.tree)) return false
      return true
    }
    for (const node of tree.nodes) if (!await this.touchNode(node)) return false
    return true
  }
}
