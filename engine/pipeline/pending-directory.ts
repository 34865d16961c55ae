import type { StoreTree } from '../snapshot/content.ts'
import type { BlobId, TreeNode } from '../snapshot/node.ts'
import { TreeBuilder } from '../snapshot/tree-builder.ts'
import type { Completions } from './completions.ts'
import type { PreviousDirectory } from './previous-directory.ts'

/** A place in a directory whose entry is still being read. */
export interface Slot {
  /** Repeated calls do nothing. Undefined: the entry is not in the snapshot. */
  fill(node: TreeNode | undefined): void
}

interface QueuedEntry {
  ready: boolean
  node: TreeNode | undefined
}

/**
 * A directory of the snapshot in the making. While all of its entries are those of the earlier snapshot, it only counts them, and its
 * tree stays what it was; from the first difference on it builds a new one. Entries go into the tree in order of their names; those
 * behind one that is still being read wait here.
 */
export class PendingDirectory {
  readonly #store: StoreTree
  readonly #onDone: (tree: BlobId) => void
  readonly #completions: Completions
  readonly #queue: QueuedEntry[] = []
  #first = 0
  #builder: TreeBuilder | undefined
  #ended = false
  #tree: BlobId | undefined

  /** @param onDone called once, as soon as the tree is known: in `end`, or when the last slot is filled. */
  constructor(store: StoreTree, completions: Completions, onDone: (tree: BlobId) => void) {
    this.#store = store
    this.#completions = completions
    this.#onDone = onDone
  }

  get isChanged(): boolean {
    return this.#builder !== undefined
  }

  /** Entries that wait behind one that is still being read. */
  get queued(): number {
    return this.#queue.length - this.#first
  }

  /** From here on a new tree is built, that begins with the first `count` entries of the earlier one. Repeating does nothing. */
  async change(earlier: PreviousDirectory | undefined, count: number): Promise<void> {
    if (this.#builder) return
    const builder = new TreeBuilder(this.#store)
    for (let at = 0; at < count && earlier; at++) {
      await earlier.advance()
      earlier.take()
      builder.addEncoded(earlier.entry.name, earlier.entry.entry)
    }
    this.#builder = builder
  }

  /** The next entry; `change` came before. */
  add(node: TreeNode): void {
    if (this.queued === 0) this.#builder?.add(node)
    else this.#queue.push({ ready: true, node })
  }

  /** An entry as the earlier tree has it; `encoded` is only read now. */
  addEncoded(name: Uint8Array, encoded: Uint8Array, decode: () => TreeNode): void {
    if (!this.#builder) return
    if (this.queued === 0) this.#builder.addEncoded(name, encoded)
    else this.#queue.push({ ready: true, node: decode() })
  }

  /** A place for the next entry, to be filled later. */
  reserve(): Slot {
    const entry: QueuedEntry = { ready: false, node: undefined }
    this.#queue.push(entry)
    return {
      fill: (node) => {
        if (entry.ready) return
        entry.ready = true
        entry.node = node
        this.#advance()
      },
    }
  }

  /** No entry comes any more. @param unchanged the tree of before, when every entry is as it was. */
  end(unchanged: BlobId | undefined): void {
    this.#ended = true
    if (this.#builder) this.#advance()
    else if (unchanged) this.#finish(unchanged)
  }

  #advance(): void {
    while (this.#queue[this.#first]?.ready) {
      const entry = this.#queue[this.#first++]
      if (entry?.node) this.#builder?.add(entry.node)
    }
    // Shifting one by one costs the length of the queue each time.
    if (this.#first > 1024 || this.#first === this.#queue.length) {
      this.#queue.splice(0, this.#first)
      this.#first = 0
    }
    if (this.#ended && this.#queue.length === 0 && this.#builder) this.#finish(this.#builder.finish())
  }

  #finish(tree: BlobId): void {
    if (this.#tree) return
    this.#tree = tree
    this.#completions.run(() => { this.#onDone(tree) })
  }
}
