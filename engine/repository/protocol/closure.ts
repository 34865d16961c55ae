import { toHex } from '../../base/bytes.ts'
import { HoldfastError, hasCode } from '../../base/errors.ts'
import type { BlobId, BlobKind } from '../../snapshot/node.ts'
import { readSegments } from '../pack-reader.ts'
import { forEachAtOnce } from './listing.ts'
import { treeReferences } from './references.ts'
import type { PruneContext } from './prune-context.ts'

/** Trees that are looked up together, so that those of one pack are read together. */
const treesAtOnce = 256
/** Packs read side by side; each takes up to 8 MiB of memory. */
const packsAtOnce = 4

/**
 * Trees known to be needed whose references are not followed yet. It outlives errors, so that a walk that broke off goes on where it
 * was: a tree counts as live only together with all it refers to, or with what of it waits here.
 */
export interface Frontier {
  /** What committed snapshots reach: it must be there. */
  readonly required: BlobId[]
  /** What sessions and unconfirmed snapshots reach: it may lack. */
  readonly optional: BlobId[]
  /** Optional trees that were not there. Tried again with every walk, since a snapshot that shares them may have been committed. */
  readonly missing: BlobId[]
}

export function needBlob(context: PruneContext, root: BlobId, presence: 'required' | 'optional'): void {
  context.frontier[presence].push(root)
}

/**
 * Marks everything live that the frontier reaches.
 * Errors: `not-found` for a required tree that is in no listed pack or whose pack has gone; `damaged`, `version`. Then call it again
 * (with a fresh listing) or give up: what is live is not known completely.
 */
export async function followClosures(context: PruneContext, signal: AbortSignal): Promise<void> {
  const { required, optional, missing } = context.frontier
  optional.push(...missing.splice(0))
  while (required.length > 0) await followSome(context, required, required, signal)
  while (optional.length > 0) await followSome(context, optional, missing, signal)
}

/** As followClosures, from one root of which nothing is certain. @returns whether every tree under it could be read. */
export async function followsWholly(context: PruneContext, root: BlobId, signal: AbortSignal): Promise<boolean> {
  await followClosures(context, signal)
  const before = context.frontier.missing.length
  if (before > 0) return false
  context.frontier.optional.push(root)
  await followClosures(context, signal)
  return context.frontier.missing.length === 0
}

/** Takes trees off the end of `from`; those that are not there go to `absent`, unless that is `from` itself. */
async function followSome(context: PruneContext, from: BlobId[], absent: BlobId[], signal: AbortSignal): Promise<void> {
  const { trees, unread } = await followBatch(context, from.splice(-treesAtOnce), signal)
  // In this order: whatever is thrown below, nothing that was found is lost.
  from.push(...trees)
  const fatal = unread.filter(({ error }) => !hasCode(error, 'not-found') || absent === from)
  for (const { id, error } of unread) (hasCode(error, 'not-found') ? absent : from).push(id)
  for (const { error } of fatal) throw error
}

interface Batch {
  /** What the trees that were read refer to, to be followed next. */
  readonly trees: BlobId[]
  readonly unread: { readonly id: BlobId, readonly error: unknown }[]
}

interface Wanted {
  readonly kind: BlobKind
  readonly offsets: Set<number>
  /** By hexadecimal id. */
  readonly ids: Map<string, BlobId>
}

/** Reads trees pack by pack, so that neighbours take one request and each segment is opened once. */
async function followBatch(context: PruneContext, ids: readonly BlobId[], signal: AbortSignal): Promise<Batch> {
  const batch: Batch = { trees: [], unread: [] }
  const packs = new Map<string, Wanted>()
  for (const id of ids) {
    if (context.store.isLive(id)) continue
    const location = context.store.locate(id)
    if (!location) {
      batch.unread.push({ id, error: notThere(id) })
      continue
    }
    const wanted = packs.get(location.pack) ?? { kind: location.kind, offsets: new Set(), ids: new Map() }
    packs.set(location.pack, wanted)
    wanted.offsets.add(location.segmentOffset)
    wanted.ids.set(toHex(id), id)
  }
  await forEachAtOnce([...packs], packsAtOnce, async ([name, wanted]) => {
    try {
      await followInPack(context, name, wanted, batch, signal)
    } catch (error) {
      for (const id of wanted.ids.values()) batch.unread.push({ id, error })
    }
  })
  return batch
}

/**
 * Takes from `wanted` what it has read. What a tree refers to is often in its own segment, and is then followed at once: a segment would
 * otherwise be fetched anew for each level of folders.
 */
async function followInPack(context: PruneContext, name: string, wanted: Wanted, batch: Batch, signal: AbortSignal): Promise<void> {
  const { store, repository } = context
  const segments = store.contents(name)?.segments.filter((segment) => wanted.offsets.has(segment.offset)) ?? []
  for await (const { segment, blobs } of readSegments(repository, { name, kind: wanted.kind }, segments, signal, { parallel: 1 })) {
    const here = new Map(segment.blobs.map(({ id }, index) => [toHex(id), blobs[index]]))
    const next = [...here.keys()].filter((key) => wanted.ids.has(key))
    for (let key = next.pop(); key !== undefined; key = next.pop()) {
      const id = wanted.ids.get(key)
      const bytes = here.get(key)
      if (!id || !bytes) continue
      const { trees, data } = treeReferences(bytes)
      for (const tree of trees) {
        const treeKey = toHex(tree)
        if (!here.has(treeKey) || store.isLive(tree)) batch.trees.push(tree)
        else {
          // Wanted from here on, so that it is not lost when something goes wrong.
          wanted.ids.set(treeKey, tree)
          next.push(treeKey)
        }
      }
      for (const blob of data) store.markLive(blob)
      store.markLive(id)
      wanted.ids.delete(key)
    }
  }
  for (const id of wanted.ids.values()) batch.unread.push({ id, error: notThere(id) })
}

function notThere(id: BlobId): HoldfastError {
  return new HoldfastError('not-found', `Tree ${toHex(id)} is in no pack.`, { data: { blob: toHex(id) } })
}
