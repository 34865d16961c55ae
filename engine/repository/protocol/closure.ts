import { hasCode } from '../../base/errors.ts'
import type { BlobId } from '../../snapshot/node.ts'
import { treeReferences } from './references.ts'
import { loadBlob } from '../pack-reader.ts'
import type { PruneContext } from './prune-context.ts'

/** Trees that are read side by side; each takes at most one segment of memory. */
const readsAtOnce = 16

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
  const ids = from.slice(-readsAtOnce)
  const results = await Promise.allSettled(ids.map((id) => follow(context, id, signal)))
  const found: BlobId[] = []
  const failed: { readonly id: BlobId, readonly error: unknown }[] = []
  for (const [index, result] of results.entries()) {
    if (result.status === 'fulfilled') found.push(...result.value)
    else failed.push({ id: ids[index] ?? new Uint8Array(0), error: result.reason })
  }
  from.splice(-ids.length)
  // In this order: whatever is thrown below, nothing that was found is lost.
  from.push(...found)
  for (const { id, error } of failed) {
    if (hasCode(error, 'not-found') && absent !== from) absent.push(id)
    else from.push(id)
  }
  for (const { error } of failed) if (!hasCode(error, 'not-found') || absent === from) throw error
}

/** @returns the trees that it refers to, to be followed next. */
async function follow(context: PruneContext, id: BlobId, signal: AbortSignal): Promise<readonly BlobId[]> {
  const { store, repository } = context
  if (store.isLive(id)) return []
  const { trees, data } = treeReferences(await loadBlob(repository, store, id, signal))
  store.markLive(id)
  for (const blob of data) store.markLive(blob)
  return trees
}
