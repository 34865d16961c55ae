import { ByteReader } from '../base/bytes.ts'
import { HoldfastError } from '../base/errors.ts'
import type { BlobId, ContentRef } from './node.ts'
import { idBytes, listType, maxDepth, readStart, startBlob } from './tree-format.ts'

/** Ids that an entry holds itself; more go into list blobs. */
export const maxInlineIds = 256
/** A list ends behind an id whose first byte is zero (one in 256), or when it is full. */
const maxListIds = 1024

/** Stores a blob of kind `tree` and gives its id. 64 bytes before the view's first belong to it too (BlobHasher's headroom). */
export type StoreTree = (bytes: Uint8Array) => BlobId

/** Builds the ContentRef of a file from its chunk ids, however many; holds at most one list per level. */
export class ContentBuilder {
  readonly #store: StoreTree
  /** Ids that wait on each level, chunks first. Nothing is stored before the file has more chunks than an entry holds. */
  readonly #levels: BlobId[][] = [[]]

  constructor(store: StoreTree) {
    this.#store = store
  }

  add(id: BlobId): void {
    this.#addTo(0, id)
  }

  /** The file's content. The builder is empty afterwards. */
  finish(): ContentRef {
    const levels = this.#levels.splice(0, this.#levels.length, [])
    let depth = 0
    let ids = levels[0] ?? []
    while (depth + 1 < levels.length || ids.length > maxInlineIds) {
      const rest = ids.length > 0 ? cutLists(ids, true).lists.map((list) => this.#store(encodeList(depth, list))) : []
      depth++
      ids = [...(levels[depth] ?? []), ...rest]
    }
    return { depth, ids }
  }

  #addTo(level: number, id: BlobId): void {
    const ids = this.#levels[level] ?? []
    this.#levels[level] = ids
    ids.push(id)
    const above = this.#levels[level + 1]
    if (!above && ids.length <= maxInlineIds + maxListIds) return
    if (above && !(endsList(id) || ids.length === maxListIds)) return
    const { lists, rest } = cutLists(ids, false)
    if (level + 1 > maxDepth) throw new HoldfastError('internal', 'A file has too many chunks.')
    this.#levels[level] = rest
    for (const list of lists) this.#addTo(level + 1, this.#store(encodeList(level, list)))
  }
}

function endsList(id: BlobId): boolean {
  return id[0] === 0
}

/** Cuts ids into lists by their own bits, so that an insertion changes one list. With `all`, the rest is the last list. */
function cutLists(ids: readonly BlobId[], all: boolean): { lists: BlobId[][]; rest: BlobId[] } {
  const lists: BlobId[][] = []
  let list: BlobId[] = []
  for (const id of ids) {
    list.push(id)
    if (!endsList(id) && list.length < maxListIds) continue
    lists.push(list)
    list = []
  }
  if (all && list.length > 0) lists.push(list.splice(0))
  return { lists, rest: list }
}

/** A list blob of `depth`: 0 lists data chunks. */
export function encodeList(depth: number, ids: readonly BlobId[]): Uint8Array {
  const writer = startBlob(listType, depth + 1, ids.length * idBytes + 8)
  writer.varint(ids.length)
  for (const id of ids) writer.bytes(id)
  return writer.written()
}

/** @throws damaged */
export function decodeList(bytes: Uint8Array): ContentRef {
  const reader = new ByteReader(bytes, 'A list of chunks')
  const depth = readStart(reader, listType) - 1
  const count = reader.varint(maxListIds)
  const ids: BlobId[] = []
  for (let index = 0; index < count; index++) ids.push(reader.bytes(idBytes))
  reader.end()
  if (count === 0) reader.fail('is empty')
  return { depth, ids }
}

/** Loads a blob of kind `tree`; the id was checked by whoever loads. */
export type LoadTree = (id: BlobId) => Promise<Uint8Array>

/** The chunk ids of a file in order, list by list. @throws damaged, and what `load` throws */
export async function* chunkIds(load: LoadTree, content: ContentRef): AsyncGenerator<BlobId> {
  if (content.depth === 0) {
    yield* content.ids
    return
  }
  for (const id of content.ids) {
    const list = decodeList(await load(id))
    if (list.depth !== content.depth - 1) throw new HoldfastError('damaged', 'Lists of chunks do not become lower on the way down.')
    yield* chunkIds(load, list)
  }
}
