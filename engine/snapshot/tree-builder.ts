import { ByteWriter, compareBytes } from '../base/bytes.ts'
import { HoldfastError } from '../base/errors.ts'
import type { StoreTree } from './content.ts'
import type { BlobId, TreeNode } from './node.ts'
import { encodeBranch, encodeNode, maxBranchChildren, maxLeafEntries, type BranchChild } from './tree.ts'
import { leafType, maxDepth, nameHash, startBlob } from './tree-format.ts'

/** A leaf is closed at this size even where its names do not say so; entries with long content lists are large. */
const maxLeafBytes = 1024 * 1024
/** Leaves of a split directory have 1024 entries on average, branches 256 children. */
const leafBits = 10
const branchBits = 8

interface PendingEntry {
  readonly name: Uint8Array
  readonly start: number
}

/**
 * Builds the tree blobs of one directory from its entries in order of their name bytes, and stores each as soon as it is certain.
 * A directory of up to 4096 entries and 1 MiB is one leaf. A larger one is cut behind entries whose name's hash says so, and the
 * first names of the leaves likewise upward: an insertion changes one leaf and one branch per level.
 *
 * Memory: 1 MiB of entries and up to 1024 children per level, however large the directory is.
 */
export class TreeBuilder {
  readonly #store: StoreTree
  #entries = new ByteWriter(4096)
  #pending: PendingEntry[] = []
  #lastName: Uint8Array | undefined
  /** Children that wait, from leaves upward; empty as long as the directory fits one leaf. */
  readonly #levels: BranchChild[][] = []

  constructor(store: StoreTree) {
    this.#store = store
  }

  /** @throws internal when names do not ascend. */
  add(node: TreeNode): void {
    const start = this.#begin(node.name)
    encodeNode(this.#entries, node)
    this.#end(node.name, start)
  }

  /** An entry that was encoded before, see `LeafCursor.entry`. */
  addEncoded(name: Uint8Array, entry: Uint8Array): void {
    const start = this.#begin(name)
    this.#entries.bytes(entry)
    this.#end(name, start)
  }

  /** Stores what is left. @returns the id of the directory's tree. */
  finish(): BlobId {
    if (this.#levels.length === 0) return this.#storeLeaf(0, this.#pending.length, this.#entries.length)
    if (this.#pending.length > 0) this.#closeLeaf(this.#pending.length, this.#entries.length)
    for (let level = 0; ; level++) {
      const children = this.#levels[level] ?? []
      const only = children[0]
      if (level + 1 >= this.#levels.length && children.length === 1 && only) return only.tree
      if (children.length > 0) this.#closeBranch(level)
    }
  }

  #begin(name: Uint8Array): number {
    if (this.#lastName && compareBytes(this.#lastName, name) >= 0) throw new HoldfastError('internal', 'Entries of a directory came out of order.')
    return this.#entries.length
  }

  #end(name: Uint8Array, start: number): void {
    const kept = Uint8Array.from(name)
    this.#lastName = kept
    this.#pending.push({ name: kept, start })
    const split = this.#levels.length > 0
    if (!split && (this.#pending.length > maxLeafEntries || this.#entries.length > maxLeafBytes)) this.#split()
    else if (split) this.#closeIfFull()
  }

  /** From now on names decide; those that wait are gone through as if they had from the start. */
  #split(): void {
    this.#levels.push([])
    const entries = this.#entries.written()
    const pending = this.#pending
    const end = entries.length
    this.#entries = new ByteWriter(maxLeafBytes)
    this.#pending = []
    for (const [index, { name, start }] of pending.entries()) {
      this.#pending.push({ name, start: this.#entries.length })
      this.#entries.bytes(entries.subarray(start, pending[index + 1]?.start ?? end))
      this.#closeIfFull()
    }
  }

  #closeIfFull(): void {
    const last = this.#pending.at(-1)
    if (!last) return
    // The entry that overflows the leaf begins the next one, so that no leaf exceeds its size but for a single entry.
    if (this.#entries.length > maxLeafBytes && this.#pending.length > 1) this.#closeLeaf(this.#pending.length - 1, last.start)
    if (endsGroup(last.name, 0) || this.#pending.length === maxLeafEntries) this.#closeLeaf(this.#pending.length, this.#entries.length)
  }

  #closeLeaf(count: number, end: number): void {
    const firstName = this.#pending[0]?.name ?? new Uint8Array(0)
    this.#addChild(0, { firstName, tree: this.#storeLeaf(0, count, end) })
    const rest = this.#entries.written().slice(end)
    this.#pending = this.#pending.slice(count).map(({ name, start }) => ({ name, start: start - end }))
    this.#entries = new ByteWriter(maxLeafBytes / 4)
    this.#entries.bytes(rest)
  }

  #storeLeaf(start: number, count: number, end: number): BlobId {
    const writer = startBlob(leafType, 0, end - start)
    writer.varint(count)
    writer.bytes(this.#entries.written().subarray(start, end))
    return this.#store(writer.written())
  }

  #addChild(level: number, child: BranchChild): void {
    if (level >= maxDepth) throw new HoldfastError('internal', 'A directory is too large.')
    const children = this.#levels[level] ?? []
    this.#levels[level] = children
    children.push(child)
    if (children.length > 1 && (endsGroup(child.firstName, level + 1) || children.length === maxBranchChildren)) this.#closeBranch(level)
  }

  #closeBranch(level: number): void {
    const children = this.#levels[level] ?? []
    const firstName = children[0]?.firstName ?? new Uint8Array(0)
    this.#levels[level] = []
    this.#addChild(level + 1, { firstName, tree: this.#store(encodeBranch(level + 1, children)) })
  }
}

/** Whether a leaf (level 0) ends behind this entry, or a branch behind this child; other bits of the name's hash for each level. */
function endsGroup(name: Uint8Array, level: number): boolean {
  const hash = nameHash(name)
  if (level === 0) return hash % (1 << leafBits) === 0
  const shift = (leafBits + branchBits * (level - 1)) % 24
  return (hash >>> shift) % (1 << branchBits) === 0
}
