import type { ByteString } from '../base/byte-string.ts'
import { compareBytes } from '../base/bytes.ts'
import type { EntryStat } from '../base/entry-stat.ts'
import type { ExtendedAttributes } from '../base/extended-attributes.ts'
import { attributeKinds, attributesOf, compareAttributes, storeAttributes } from '../snapshot/attributes.ts'
import type { Attribute, Attributes, TreeNode } from '../snapshot/node.ts'
import type { Tally } from './tally.ts'
import type { WalkStore } from './walk-types.ts'

/** Turns what the disk tells of attributes into what entries carry. What cannot be read is a note once a run, what is too large a problem. */
export class EntryAttributes {
  readonly #store: WalkStore
  readonly #tally: Tally

  constructor(store: WalkStore, tally: Tally) {
    this.#store = store
    this.#tally = tally
  }

  /** In order. */
  list(path: ByteString, { found, failure }: ExtendedAttributes, { flags }: EntryStat): readonly Attribute[] {
    if (failure !== undefined) this.#tally.note('attributes', path, `Some extended attributes cannot be read (${failure}).`)
    if (found.length === 0 && flags === 0) return none
    const attributes: Attribute[] = found.map(({ name, value }) => ({ kind: attributeKinds.extended, name, value }))
    if (flags !== 0) attributes.push({ kind: attributeKinds.inodeFlags, name: new Uint8Array(0), value: Uint8Array.of(flags, 0, 0, 0) })
    return attributes.sort(compareAttributes)
  }

  /** Storing must be possible. */
  store(path: ByteString, list: readonly Attribute[]): Attributes | undefined {
    const stored = storeAttributes(this.#store.storeTree, list)
    if (stored !== 'too-large') return stored
    this.#tally.problem('metadata', path, 'Its extended attributes are larger than 1 MiB in all; it is stored without them.')
    return undefined
  }

  /** Whether an entry has them already. */
  async areThose(list: readonly Attribute[], of: TreeNode): Promise<boolean> {
    if (of.attributes === undefined) return list.length === 0
    const before = await attributesOf(async (id) => await this.#store.load(id), of)
    return before.length === list.length && before.every((one, index) => {
      const other = list[index]
      return other !== undefined && compareAttributes(one, other) === 0 && compareBytes(one.value, other.value) === 0
    })
  }
}

const none: readonly Attribute[] = []
