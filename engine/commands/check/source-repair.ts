import { closeSync, constants, openSync, readSync } from 'node:fs'
import { fromBytes, toFilePath } from '../../base/byte-string.ts'
import type { ByteString } from '../../base/byte-string.ts'
import { systemRandom } from '../../repository/crypto.ts'
import { BlobHasher, blobHeadroom } from '../../repository/blob-id.ts'
import { Chunker } from '../../repository/chunker/chunker.ts'
import { packObject, randomName } from '../../repository/names.ts'
import { IndexGatherer } from '../../repository/protocol/index-objects.ts'
import type { PackMaker } from '../../repository/protocol/prune-context.ts'
import { listSnapshots } from '../../repository/protocol/snapshots.ts'
import { chunkIds } from '../../snapshot/content.ts'
import { rootOf, sourceBytes } from '../../snapshot/manifest.ts'
import type { Manifest } from '../../snapshot/manifest.ts'
import type { BlobId, FileNode, TreeNode } from '../../snapshot/node.ts'
import { iterateTree } from '../../snapshot/tree-walk.ts'
import type { RetryPolicy } from '../../backend/wrappers/retry.ts'
import type { CheckRun } from './run.ts'

const packBytes = 16 * 1024 * 1024

/**
 * Looks for missing chunks in the files they came from, on this machine, and stores those that are still there. Reads only files whose
 * snapshot entry lacks something. @returns how many blobs were stored again.
 */
export async function repairFromSources(run: CheckRun, host: string, packs: PackMaker, retry: RetryPolicy, signal: AbortSignal): Promise<number> {
  const repair = new SourceRepair(run, packs, retry)
  for await (const entry of listSnapshots(run.repository, { memory: run.memory }, signal)) {
    if (entry.type === 'snapshot' && entry.manifest.host === host) await repair.snapshot(entry.manifest, signal)
  }
  return repair.finish(signal)
}

class SourceRepair {
  readonly #run: CheckRun
  readonly #packs: PackMaker
  readonly #retry: RetryPolicy
  readonly #chunker: Chunker
  readonly #hasher: BlobHasher
  /** Two windows of the largest chunk: all the file data that is in memory. */
  readonly #window: Buffer
  readonly #index: IndexGatherer
  #filling: ReturnType<PackMaker['begin']> | undefined
  #count = 0

  constructor(run: CheckRun, packs: PackMaker, retry: RetryPolicy) {
    const { keys, config } = run.repository
    this.#run = run
    this.#packs = packs
    this.#retry = retry
    this.#index = new IndexGatherer(run.repository, systemRandom)
    this.#chunker = new Chunker(keys.chunker, config.chunker)
    this.#hasher = new BlobHasher(keys.blobId)
    this.#window = Buffer.allocUnsafeSlow(blobHeadroom + 2 * config.chunker.maxBytes)
  }

  async snapshot(manifest: Manifest, signal: AbortSignal): Promise<void> {
    for await (const node of this.#entries(rootOf(manifest))) {
      const source = manifest.sources.map(sourceBytes).find(({ name }) => Buffer.compare(name, node.name) === 0)
      if (source) await this.#node(node, fromBytes(source.path), signal)
    }
  }

  async finish(signal: AbortSignal): Promise<number> {
    await this.#flush(signal)
    await this.#index.flush(signal)
    return this.#count
  }

  async #node(node: TreeNode, path: ByteString, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted()
    if (node.type === 'directory') {
      for await (const child of this.#entries(node.tree)) await this.#node(child, `${path}/${fromBytes(child.name)}`, signal)
    } else if (node.type === 'file' && await this.#lacks(node)) {
      await this.#file(path, signal)
    }
  }

  async #lacks(node: FileNode): Promise<boolean> {
    try {
      for await (const id of chunkIds(this.#load, node.content)) if (this.#run.missing.has(id)) return true
      return false
    } catch {
      // A list of chunks that lacks: the file may have any of the missing ones.
      return true
    }
  }

  readonly #load = (id: BlobId): Promise<Uint8Array> => Promise.resolve(this.#run.catalog.trees.get(id) ?? new Uint8Array())

  /** Entries of a directory as far as its trees can be read. */
  async *#entries(tree: BlobId): AsyncGenerator<TreeNode> {
    try {
      yield* iterateTree(this.#load, tree)
    } catch {
      // A tree that lacks leads to no source; the check has told of it.
    }
  }

  async #file(path: ByteString, signal: AbortSignal): Promise<void> {
    const descriptor = openQuietly(path)
    if (descriptor === undefined) return
    try {
      let offset = 0
      for (;;) {
        const end = blobHeadroom + readFully(descriptor, this.#window.subarray(blobHeadroom), offset)
        const last = end < this.#window.length
        const cuts = this.#chunker.cut(this.#window, blobHeadroom, end, last)
        for (const [at, cut] of cuts.entries()) await this.#chunk(cuts[at - 1] ?? blobHeadroom, cut, signal)
        offset += (cuts.at(-1) ?? blobHeadroom) - blobHeadroom
        if (last) return
      }
    } finally {
      closeSync(descriptor)
    }
  }

  async #chunk(start: number, end: number, signal: AbortSignal): Promise<void> {
    const id = this.#hasher.id(this.#window, start, end)
    if (!this.#run.missing.has(id)) return
    this.#filling ??= this.#packs.begin('data')
    this.#filling.append([{ id, bytes: this.#window.subarray(start, end) }])
    this.#run.missing.delete(id)
    this.#count++
    if (this.#filling.bytesWritten >= packBytes) await this.#flush(signal)
  }

  async #flush(signal: AbortSignal): Promise<void> {
    const finished = this.#filling?.finish()
    this.#filling = undefined
    if (!finished) return
    try {
      const { size, contents, body } = finished
      const name = await this.#retry.run('storing recovered chunks', async () => {
        const attempt = randomName(systemRandom)
        await this.#run.repository.backend.put(packObject(attempt), body, { once: true }, signal)
        return attempt
      }, signal)
      this.#run.catalog.packs.addSent({ name, size, contents })
      await this.#index.add({ name, size, contents }, signal)
    } finally {
      finished.discard()
    }
  }
}

/** Undefined when the file is gone or cannot be read any more. */
function openQuietly(path: ByteString): number | undefined {
  try {
    // What took the file's place meanwhile is neither followed nor waited for; what is read of it must have the id of a missing chunk.
    return openSync(toFilePath(path), constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
  } catch {
    return undefined
  }
}

/** Reads until the buffer is full or the file ends. */
function readFully(descriptor: number, buffer: Uint8Array, position: number): number {
  let done = 0
  while (done < buffer.length) {
    const count = readSync(descriptor, buffer, done, buffer.length - done, position + done)
    if (count === 0) break
    done += count
  }
  return done
}
