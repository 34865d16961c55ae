import type { ByteString } from '../base/byte-string.ts'
import type { BlobId } from '../snapshot/node.ts'
import { decodeTree, LeafCursor } from '../snapshot/tree.ts'

/** A tree blob, at once where it is in the catalog. */
export type LoadNow = (id: BlobId) => Uint8Array | Promise<Uint8Array>

/**
 * Entries of a directory as an earlier snapshot has them, in order of their names: the walk goes along with it. Holds one leaf at a
 * time; an entry is compared where it lies and becomes an object only where it has to.
 */
export class PreviousDirectory {
  readonly #load: LoadNow
  readonly #onGone: ((entry: LeafCursor) => void) | undefined
  /** Trees that come after the leaf, nearest last. */
  readonly #ahead: BlobId[]
  #leaf: LeafCursor | undefined
  #name: ByteString | undefined
  #taken = true
  #excused = false
  #position = 0
  /** Entries that `seek` passed and that nobody took: they are gone from the disk. */
  passedOver = 0

  /** @param onGone is shown each entry that nobody took, unless it was excused. */
  constructor(load: LoadNow, tree: BlobId, onGone?: (entry: LeafCursor) => void) {
    this.#load = load
    this.#onGone = onGone
    this.#ahead = [tree]
  }

  /** How many entries lie before the one that `entry` stands on. */
  get position(): number {
    return this.#position - 1
  }

  /** Stands on the entry of this name, if there is one; names must ascend from call to call. */
  seek(name: ByteString): boolean | Promise<boolean> {
    while (this.#leaf === undefined || (this.#name !== undefined && this.#name < name)) {
      const waiting = this.advance()
      if (waiting) return waiting.then(() => this.seek(name))
      if (this.#name === undefined) return false
    }
    return this.#name === name
  }

  /** The entry that `seek` found. */
  get entry(): LeafCursor {
    if (!this.#leaf || this.#name === undefined) throw new RangeError('no entry here')
    return this.#leaf
  }

  /** The entry is still there: it does not count as passed over. */
  take(): void {
    this.#taken = true
  }

  /** The entry is not in the new snapshot, and that is as it should be: it counts as passed over, but is not shown. */
  excuse(): void {
    this.#excused = true
  }

  /** Goes behind the last entry. */
  async drain(): Promise<void> {
    while (this.#name !== undefined) await this.advance()
  }

  /** True when entries are left behind those that were taken. */
  async hasMore(): Promise<boolean> {
    if (this.#taken || this.#leaf === undefined) await this.advance()
    return this.#name !== undefined || this.passedOver > 0
  }

  /** Goes to the next entry; `name` is undefined behind the last. */
  advance(): Promise<void> | undefined {
    if (!this.#taken && this.#name !== undefined) {
      this.passedOver++
      if (!this.#excused && this.#leaf) this.#onGone?.(this.#leaf)
    }
    this.#taken = false
    this.#excused = false
    if (this.#leaf?.next()) {
      this.#name = toName(this.#leaf.name)
      this.#position++
      return undefined
    }
    const next = this.#ahead.pop()
    if (!next) {
      this.#name = undefined
      this.#taken = true
      this.#leaf ??= new LeafCursor(emptyLeaf)
      return undefined
    }
    const bytes = this.#load(next)
    return bytes instanceof Promise ? bytes.then((loaded) => this.#enter(loaded)) : this.#enter(bytes)
  }

  get name(): ByteString | undefined {
    return this.#name
  }

  #enter(bytes: Uint8Array): Promise<void> | undefined {
    const tree = isLeaf(bytes) ? undefined : decodeTree(bytes)
    if (tree?.type === 'branch') this.#ahead.push(...tree.children.map((child) => child.tree).reverse())
    else this.#leaf = new LeafCursor(bytes)
    this.#name = undefined
    this.#taken = true
    return this.advance()
  }
}

const leafType = 0x54
const emptyLeaf = Uint8Array.of(leafType, 1, 0, 0)

function isLeaf(bytes: Uint8Array): boolean {
  return bytes[0] === leafType
}

function toName(bytes: Uint8Array): ByteString {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1')
}
