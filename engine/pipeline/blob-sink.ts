import type { Catalog } from '../catalog/catalog.ts'
import type { SealedPack } from '../repository/pack-info.ts'
import type { BlobHasher } from '../repository/blob-id.ts'
import type { BlobId } from '../snapshot/node.ts'
import { Channel } from './channel.ts'
import type { SlabPool } from './slab-pool.ts'
import { runStage } from './stage.ts'
import type { BlobRanges } from './worker-messages.ts'
import type { WorkerPool } from './worker-pool.ts'

const idLength = 32
/** Tree blobs go to a worker this many bytes at a time. */
const treeBatchBytes = 512 * 1024
/** Tree bytes on their way to packs; above it the walk waits. */
const treeBytesLimit = 4 * 1024 * 1024

type SealTask =
  | { readonly type: 'data'; readonly slab: number; readonly blobs: BlobRanges }
  | { readonly type: 'trees'; readonly trees: readonly TreeBlob[]; readonly bytes: number }

interface TreeBlob {
  readonly id: BlobId
  readonly bytes: Uint8Array
}

export interface BlobSinkOptions {
  readonly pool: WorkerPool
  readonly slabs: SlabPool
  readonly catalog: Catalog
  readonly hasher: BlobHasher
  /** How large packs are to become, asked each time something goes into one. */
  readonly packBytes: () => number
  /** At the end, partly filled packs of this size stay by themselves: to go to a far storage side by side. Absent: all are merged. */
  readonly worthwhileBytes?: number
  /** A sealed pack; resolves when there is room for it behind. */
  readonly onPack: (pack: SealedPack) => Promise<void>
  readonly onDeduplicated: (bytes: number) => void
  readonly signal: AbortSignal
}

/**
 * Takes blobs, stores each new one once, and gives slabs back when their content is in packs. Bounds: file data lies in the slabs;
 * trees wait up to 4 MiB; packs that are ready hold up the sealing until there is room behind.
 */
export class BlobSink {
  readonly #options: BlobSinkOptions
  readonly #tasks: Channel<SealTask>
  readonly #stage: Promise<void>
  #trees: TreeBlob[] = []
  #treeBatch = 0
  #treeBytes = 0
  #unfinished = 0
  #takenBytes = 0
  #failed = false
  #waiting: (() => void)[] = []

  constructor(options: BlobSinkOptions, concurrency: number) {
    this.#options = options
    this.#tasks = new Channel<SealTask>(concurrency).failOn(options.signal)
    this.#stage = runStage({ input: this.#tasks, concurrency, work: (task) => this.#seal(task) })
    this.#stage.catch(() => {
      this.#failed = true
      this.#wake()
    })
  }

  /** Ends when the sink is closed and empty; rejects when storing failed. */
  get done(): Promise<void> {
    return this.#stage
  }

  /** Bytes of files that were new, and are in packs or on their way there. */
  get takenBytes(): number {
    return this.#takenBytes
  }

  /** Takes the slab over: it is free again when its new blobs are in packs. A byte a blob: 1 where it is stored now. */
  async storeData(slab: number, blobs: BlobRanges): Promise<Uint8Array> {
    const wanted = this.#options.catalog.blobs.claim(blobs.ids)
    const fresh = this.#select(blobs, wanted)
    if (fresh.lengths.length === 0) this.#options.slabs.release(slab)
    else await this.#send({ type: 'data', slab, blobs: fresh })
    return wanted
  }

  /** The id of a tree blob, which is stored unless it is already. `bytes` has 64 bytes of headroom in front and is kept. */
  readonly storeTree = (bytes: Uint8Array): BlobId => {
    const { catalog, hasher } = this.#options
    const id = hasher.id(new Uint8Array(bytes.buffer), bytes.byteOffset, bytes.byteOffset + bytes.length)
    if (catalog.blobs.claim(id)[0] === 1) {
      this.#trees.push({ id, bytes })
      this.#treeBatch += bytes.length
      this.#treeBytes += bytes.length
      if (this.#treeBatch >= treeBatchBytes) this.flushTrees()
    }
    return id
  }

  /** For the walk to wait at when many tree blobs are under way; undefined when there is room. */
  treesSettled(): Promise<void> | undefined {
    if (this.#treeBytes <= treeBytesLimit) return undefined
    this.flushTrees()
    return new Promise((resolve) => { this.#waiting.push(resolve) })
  }

  flushTrees(): void {
    if (this.#trees.length === 0) return
    const task: SealTask = { type: 'trees', trees: this.#trees, bytes: this.#treeBatch }
    this.#trees = []
    this.#treeBatch = 0
    // A failing channel fails the stage too, which `done` tells.
    this.#send(task).catch(() => undefined)
  }

  /** Waits until everything that was given is in packs, then ends the open packs: small ones are merged (C2). */
  async flush(): Promise<void> {
    this.flushTrees()
    while (this.#unfinished > 0 || this.#failed) {
      if (this.#failed) await this.#stage
      await new Promise<void>((resolve) => { this.#waiting.push(resolve) })
    }
    const results = await this.#options.pool.runOnEach({ type: 'finish' })
    const open = results.flatMap((result) => result.type === 'sealed' ? result.packs : [])
    for (const group of spillGroups(open, this.#options.packBytes(), this.#options.worthwhileBytes)) await this.#merge(group)
  }

  /** No more blobs will come. */
  close(): void {
    this.#tasks.close()
  }

  async #merge(group: readonly SealedPack[]): Promise<void> {
    const [first] = group
    if (!first) return
    if (group.length === 1) {
      await this.#options.onPack(first)
      return
    }
    const result = await this.#options.pool.run({ type: 'merge', packs: group, kind: first.contents.kind })
    if (result.type === 'sealed') for (const pack of result.packs) await this.#options.onPack(pack)
  }

  async #send(task: SealTask): Promise<void> {
    this.#unfinished++
    await this.#tasks.send(task)
  }

  async #seal(task: SealTask): Promise<void> {
    const { pool, slabs, onPack, packBytes } = this.#options
    const result = await pool.run(task.type === 'data' ? { type: 'seal', blobs: task.blobs, packBytes: packBytes() } : { ...treeJob(task.trees, task.bytes), packBytes: packBytes() })
    if (task.type === 'data') slabs.release(task.slab)
    else this.#treeBytes -= task.bytes
    if (result.type === 'sealed') for (const pack of result.packs) await onPack(pack)
    this.#unfinished--
    this.#wake()
  }

  #wake(): void {
    for (const resolve of this.#waiting.splice(0)) resolve()
  }

  #select(blobs: BlobRanges, wanted: Uint8Array): BlobRanges {
    let count = 0
    let known = 0
    wanted.forEach((want, at) => {
      if (want === 1) count++
      else known += blobs.lengths[at] ?? 0
    })
    if (known > 0) this.#options.onDeduplicated(known)
    this.#takenBytes += blobs.lengths.reduce((sum, length) => sum + length, -known)
    if (count === wanted.length) return blobs
    const selected = { ids: new Uint8Array(count * idLength), offsets: new Uint32Array(count), lengths: new Uint32Array(count) }
    let to = 0
    wanted.forEach((want, at) => {
      if (want !== 1) return
      selected.ids.set(blobs.ids.subarray(at * idLength, (at + 1) * idLength), to * idLength)
      selected.offsets[to] = blobs.offsets[at] ?? 0
      selected.lengths[to++] = blobs.lengths[at] ?? 0
    })
    return selected
  }
}

function treeJob(trees: readonly TreeBlob[], size: number): { type: 'seal-trees'; bytes: Uint8Array; ids: Uint8Array; lengths: Uint32Array } {
  const bytes = new Uint8Array(size)
  const ids = new Uint8Array(trees.length * idLength)
  let offset = 0
  trees.forEach((tree, at) => {
    bytes.set(tree.bytes, offset)
    ids.set(tree.id, at * idLength)
    offset += tree.bytes.length
  })
  return { type: 'seal-trees', bytes, ids, lengths: Uint32Array.from(trees, (tree) => tree.bytes.length) }
}

/** Which partly filled packs become one: of one kind each, up to a full pack. */
export function spillGroups(packs: readonly SealedPack[], packBytes: number, worthwhileBytes = Infinity): SealedPack[][] {
  const groups: { readonly packs: SealedPack[]; size: number }[] = []
  for (const pack of packs.toSorted((a, b) => b.size - a.size)) {
    const group = pack.size >= worthwhileBytes ? undefined : groups.find((each) => each.packs[0]?.contents.kind === pack.contents.kind && each.size + pack.size <= packBytes * 1.25)
    if (group) {
      group.packs.push(pack)
      group.size += pack.size
    } else groups.push({ packs: [pack], size: pack.size })
  }
  return groups.map((group) => group.packs)
}

