import { createHash } from 'node:crypto'
import { throwIfAborted } from '../../base/abort.ts'
import { HoldfastError } from '../../base/errors.ts'
import { chunkIds } from '../../snapshot/content.ts'
import type { BlobId, FileNode } from '../../snapshot/node.ts'
import type { CommandContext } from '../context.ts'
import type { Reader } from '../reader.ts'
import { TreeLoader } from '../tree-loader.ts'

/** What is wanted of a chunk: its bytes from `from` to before `to`. */
interface Piece {
  readonly id: BlobId
  readonly from: number
  readonly to: number
}

/** Up to so many readers have their next chunk fetched while the one before is on its way; more only one at a time, which bounds the memory. */
const readersAhead = 8

/** Reads stretches of stored files. Every chunk is checked against its id before a byte of it is given. */
export class ContentReader {
  readonly #reader: Reader
  readonly #chunks: TreeLoader
  readonly #signal: AbortSignal
  #readers = 0

  constructor(reader: Reader, { signal }: CommandContext) {
    this.#reader = reader
    this.#signal = signal
    this.#chunks = new TreeLoader(reader.repository, reader.catalog, signal, reader.places, 'data')
  }

  /**
   * The bytes from `start` to before `end`, chunk by chunk; a view is good until the next is asked for. What is fetched when the caller ends
   * early is dropped. Errors: damaged (also a file whose chunks do not add up to its size), aborted, those of the storage.
   */
  async *read(file: FileNode, start: number, end: number): AsyncGenerator<Uint8Array> {
    this.#readers++
    try {
      let next: Promise<Uint8Array> | undefined
      for await (const piece of this.#pieces(file, start, end)) {
        throwIfAborted(this.#signal)
        const before = next
        next = this.#readers <= readersAhead || !before ? this.#load(piece) : undefined
        if (before) yield await before
        next ??= this.#load(piece)
      }
      if (next) yield await next
    } finally {
      this.#readers--
    }
  }

  #load({ id, from, to }: Piece): Promise<Uint8Array> {
    const loading = this.#chunks.load(id).then((bytes) => bytes.subarray(from, to))
    // It may fail after whoever asked for it has gone.
    loading.catch(() => undefined)
    return loading
  }

  async *#pieces({ content, size }: FileNode, start: number, end: number): AsyncGenerator<Piece> {
    let at = 0
    for await (const id of chunkIds(this.#reader.trees.load, content)) {
      if (at >= end && end < size) return
      const length = await this.#lengthOf(id)
      if (at + length > size) throw notItsSize()
      const from = Math.max(0, start - at)
      const to = Math.min(length, end - at)
      if (from < to) yield { id, from, to }
      at += length
    }
    if (at !== size) throw notItsSize()
  }

  async #lengthOf(id: BlobId): Promise<number> {
    const { places } = this.#reader
    const location = places.locate(id, 'data') ?? await places.search(id, 'data')
    if (!location) throw new HoldfastError('damaged', 'A part of the file is in no known pack.')
    return location.length
  }
}

function notItsSize(): HoldfastError {
  return new HoldfastError('damaged', 'The parts of the file do not add up to its size.')
}

/** Equal for files of equal content, and for no others. */
export function contentTag({ content, size }: FileNode): string {
  const hash = createHash('sha256').update(`${size} ${content.depth} `)
  for (const id of content.ids) hash.update(id)
  return `"${hash.digest('hex').slice(0, 32)}"`
}
