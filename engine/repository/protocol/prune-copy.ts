import { toHex } from '../../base/bytes.ts'
import { HoldfastError, hasCode, isRetryable } from '../../base/errors.ts'
import type { BlobId, BlobKind } from '../../snapshot/node.ts'
import { packObject, randomName } from '../names.ts'
import { below } from '../padding.ts'
import type { PackInfo } from '../pack-info.ts'
import { readPackContents, readSegments } from '../pack-reader.ts'
import type { Repository } from '../repository.ts'
import { IndexGatherer } from './index-objects.ts'
import type { CopiedBlob, FinishedPack, OpenPack, PruneContext } from './prune-context.ts'
import { retirePacks } from './retired.ts'

const uploadAttempts = 8
const copyAttempts = 3

/** A source segment holds fewer blobs than are left to the limit of a pack. */
const packBlobs = 64_000

/**
 * Copies what is needed and only left in retired packs into new packs, uploads them, then an index object of them. After it, every
 * live blob of `packs` is in a pack that is not retired, but for those of the packs in `kept`: there a needed blob cannot be read, so they
 * must stay, with whatever else is in them. A crash in between leaves a duplicate, which a later prune finds.
 * Errors: `not-found` when a pack has gone meanwhile (begin anew).
 */
export async function copyUncovered(context: PruneContext, packs: Iterable<string>, signal: AbortSignal): Promise<Copied> {
  const copier = new Copier(context)
  const kept = new Set<string>()
  try {
    for (const pack of packs) if (!await copiesWhole(copier, pack, signal)) kept.add(pack)
    await copier.finish(signal)
    return { bytes: copier.copiedBytes, kept }
  } finally {
    copier.discard()
  }
}

export interface Copied {
  /** Plain bytes. */
  readonly bytes: number
  readonly kept: ReadonlySet<string>
}

async function copiesWhole(copier: Copier, pack: string, signal: AbortSignal): Promise<boolean> {
  try {
    await copier.copyFrom(pack, signal)
    return true
  } catch (error) {
    if (hasCode(error, 'damaged')) return false
    throw error
  }
}

interface Filling {
  readonly kind: BlobKind
  readonly pack: OpenPack
  readonly ids: Set<string>
}

class Copier {
  copiedBytes = 0
  readonly #context: PruneContext
  /** By kind and number. */
  readonly #filling = new Map<string, Filling>()
  readonly #index: IndexGatherer

  constructor(context: PruneContext) {
    this.#context = context
    this.#index = new IndexGatherer(context.repository, context.random)
  }

  async copyFrom(name: string, signal: AbortSignal): Promise<void> {
    const { store, repository } = this.#context
    const contents = store.contents(name)
    if (!contents) return
    const wanted = this.#wanted(store.uncovered(name))
    if (wanted.size === 0) return
    const segments = contents.segments.filter((segment) => segment.blobs.some((blob) => wanted.has(toHex(blob.id))))
    for await (const { segment, blobs } of readSegments(repository, { name, kind: contents.kind }, segments, signal)) {
      const copies = segment.blobs.flatMap(({ id }, index) => {
        const bytes = blobs[index]
        return bytes && wanted.delete(toHex(id)) ? [{ id, bytes }] : []
      })
      if (copies.length > 0) await this.#append(contents.kind, copies, signal)
    }
  }

  async finish(signal: AbortSignal): Promise<void> {
    for (const kind of ['data', 'tree'] as const) this.#join(kind)
    for (const place of [...this.#filling.keys()]) await this.#flush(place, signal)
    await this.#index.flush(signal)
  }

  discard(): void {
    for (const { pack } of this.#filling.values()) pack.discard()
    this.#filling.clear()
  }

  /** At most the blobs of one pack, without those that wait in a pack that is being filled. */
  #wanted(uncovered: Iterable<BlobId>): Set<string> {
    const wanted = new Set<string>()
    const waiting = [...this.#filling.values()]
    for (const id of uncovered) {
      const key = toHex(id)
      if (!waiting.some(({ ids }) => ids.has(key))) wanted.add(key)
    }
    return wanted
  }

  async #append(kind: BlobKind, copies: readonly CopiedBlob[], signal: AbortSignal): Promise<void> {
    const { packs, random, options } = this.#context
    const place = `${kind} ${packs.atOnce > 1 ? below(packs.atOnce, random) : 0}`
    const filling = this.#filling.get(place) ?? { kind, pack: packs.begin(kind), ids: new Set() }
    this.#filling.set(place, filling)
    filling.pack.append(copies)
    for (const { id, bytes } of copies) {
      filling.ids.add(toHex(id))
      this.copiedBytes += bytes.length
    }
    if (filling.pack.bytesWritten >= options.packBytes || filling.ids.size >= packBlobs) await this.#flush(place, signal)
  }

  /** Packs that are filled in part become one, where they fit. */
  #join(kind: BlobKind): void {
    const [first, ...others] = [...this.#filling].filter(([, filling]) => filling.kind === kind)
    if (!first) return
    for (const [place, { pack, ids }] of others) {
      if (first[1].pack.bytesWritten + pack.bytesWritten > this.#context.options.packBytes) continue
      this.#filling.delete(place)
      const finished = pack.finish()
      first[1].pack.absorb(finished)
      finished.discard()
      for (const id of ids) first[1].ids.add(id)
    }
  }

  async #flush(place: string, signal: AbortSignal): Promise<void> {
    const filling = this.#filling.get(place)
    if (!filling) return
    this.#filling.delete(place)
    const finished = filling.pack.finish()
    try {
      const info = await storeCopy(this.#context, finished, signal)
      this.#context.store.addPack(info)
      this.#context.store.listed({ name: info.name, size: info.size, modifiedMs: this.#context.clock.now() })
      await this.#index.add(info, signal)
    } finally {
      finished.discard()
    }
  }
}

/**
 * Uploads a pack and reads it back, since what it was copied from will be deleted. One that came out wrong is retired: others may have
 * seen it meanwhile. Errors: `unavailable` when the storage keeps none as it was written.
 */
async function storeCopy(context: PruneContext, finished: FinishedPack, signal: AbortSignal): Promise<PackInfo> {
  for (let attempt = 1; attempt <= copyAttempts; attempt++) {
    const info = await uploadPack(context, finished, signal)
    if (await isWhole(context.repository, info, signal)) return info
    await retirePacks(context.repository, [info.name], context.random, signal)
  }
  // Not `damaged`: that would be taken for what was to be copied.
  throw new HoldfastError('unavailable', 'The storage does not give back what was written to it.')
}

async function isWhole(repository: Repository, pack: PackInfo, signal: AbortSignal): Promise<boolean> {
  try {
    const { kind, segments } = await readPackContents(repository.backend, repository.keys, pack, signal)
    let opened = 0
    for await (const _segment of readSegments(repository, { name: pack.name, kind }, segments, signal)) opened++
    return opened === pack.contents.segments.length
  } catch (error) {
    if (hasCode(error, 'damaged', 'version')) return false
    throw error
  }
}

/** Rule R5: every attempt under a name of its own, so that a late one hits nothing that was decided about the first. */
async function uploadPack(context: PruneContext, finished: FinishedPack, signal: AbortSignal): Promise<PackInfo> {
  const { repository, random, clock } = context
  for (let attempt = 1; ; attempt++) {
    const name = randomName(random)
    try {
      await repository.backend.put(packObject(name), finished.body, { once: true }, signal)
      return { name, size: finished.size, contents: finished.contents }
    } catch (error) {
      if (!isRetryable(error) || attempt === uploadAttempts) throw error
      await clock.sleep(Math.min(60_000, 500 * 2 ** attempt), signal)
    }
  }
}
