import { AttributeReader, type ExtendedAttributes } from '../base/extended-attributes.ts'
import { BlobHasher } from '../repository/blob-id.ts'
import { Chunker } from '../repository/chunker/chunker.ts'
import { slabBytes, slabStart, type Slabs } from '../repository/chunker/slabs.ts'
import { fileOutcome, type FilesResult, type WindowResult, type WorkerJob, type WorkerSetup } from './worker-messages.ts'
import { readFully, readWhole, statWidth } from './file-reader.ts'
import { BlobList } from './blob-list.ts'
import { look, lookAt } from './look.ts'

type FilesJob = Extract<WorkerJob, { type: 'files' }>
type WindowJob = Extract<WorkerJob, { type: 'window' }>

/** Reads files into slabs, cuts them where their content says, and names the pieces. Runs in a worker thread. */
export class Cutter {
  readonly #slabs: Slabs
  /** One view over all slabs. */
  readonly #memory: Uint8Array
  readonly #hasher: BlobHasher
  readonly #chunker: Chunker
  readonly #minBytes: number
  /** Loaded with the first file: a run that reads none does not wait for it. */
  #reader: { readonly attributes: AttributeReader | undefined } | undefined

  constructor(setup: WorkerSetup) {
    this.#slabs = setup.slabs
    this.#memory = slabBytes(setup.slabs)
    this.#hasher = new BlobHasher(setup.keys.blobId)
    this.#chunker = new Chunker(setup.keys.chunker, setup.chunker, setup.slabs)
    this.#minBytes = setup.chunker.minBytes
  }

  /** Whole files, one after the other in the slab. */
  files({ slab, addresses, stats, looks }: FilesJob): FilesResult {
    const names = addresses.split('\0')
    const attributes = new Map<number, ExtendedAttributes>()
    this.#reader ??= { attributes: AttributeReader.load() }
    const counts = new Uint32Array(names.length)
    const outcomes = new Uint8Array(names.length)
    const begins = new Uint8Array(names.length)
    const errors: string[] = []
    const blobs = new BlobList(names.length)
    let start = slabStart(this.#slabs, slab)
    const end = start + this.#slabs.slabBytes
    for (let file = 0; file < names.length; file++) {
      try {
        const onOpen = (descriptor: number): void => { this.#look(descriptor, stats[file * statWidth + 4] ?? 0n, file, attributes) }
        const read = readWhole(names[file] ?? '', this.#memory, start, end, stats, file * statWidth, onOpen)
        outcomes[file] = fileOutcome[read.outcome]
        if (looks) begins[file] = lookAt(this.#memory, start, start + read.bytes)
        counts[file] = this.#cut(start, start + read.bytes, blobs)
        start += read.bytes
      } catch (error) {
        outcomes[file] = fileOutcome.failed
        errors.push(codeOf(error))
      }
    }
    return { type: 'files', outcomes, stats, counts, blobs: blobs.ranges(), errors, attributes, looks: begins }
  }

  /** The stretch of a big file from `position` on; its last piece is left for the next window unless the file ends here. */
  window({ slab, descriptor, position, looks }: WindowJob): WindowResult | { readonly type: 'failed'; readonly reason: string } {
    const start = slabStart(this.#slabs, slab)
    let bytes: number
    try {
      bytes = readFully(descriptor, this.#memory, start, this.#slabs.slabBytes, position)
    } catch (error) {
      return { type: 'failed', reason: codeOf(error) }
    }
    const atEnd = bytes < this.#slabs.slabBytes
    const blobs = new BlobList(16)
    const cuts = bytes === 0 ? [] : this.#chunker.cut(this.#memory, start, start + bytes, atEnd)
    this.#name(start, cuts, blobs)
    return { type: 'window', blobs: blobs.ranges(), consumed: (cuts.at(-1) ?? start) - start, atEnd, look: looks ? lookAt(this.#memory, start, start + bytes) : look.plain }
  }

  #look(descriptor: number, device: bigint, file: number, attributes: Map<number, ExtendedAttributes>): void {
    const read = this.#reader?.attributes?.ofDescriptor(descriptor, device)
    if (read && (read.found.length > 0 || read.failure !== undefined)) attributes.set(file, read)
    else attributes.delete(file)
  }

  #cut(start: number, end: number, blobs: BlobList): number {
    if (end === start) return 0
    // Most files are shorter than the shortest piece.
    const cuts = end - start <= this.#minBytes ? [end] : this.#chunker.cut(this.#memory, start, end, true)
    this.#name(start, cuts, blobs)
    return cuts.length
  }

  #name(start: number, cuts: readonly number[], blobs: BlobList): void {
    let from = start
    for (const cut of cuts) {
      blobs.add(this.#hasher.id(this.#memory, from, cut), from, cut - from)
      from = cut
    }
  }
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : 'EIO'
}
