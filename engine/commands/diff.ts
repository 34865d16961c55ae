import { fromBytes, namesOf, toShown } from '../base/byte-string.ts'
import { copyOf } from '../base/bytes.ts'
import { HoldfastError } from '../base/errors.ts'
import type { DifferenceKind, DifferenceTotals, DifferenceView, SnapshotChanges } from '../protocol/messages.ts'
import { resolveSnapshot, snapshotBefore } from '../repository/protocol/resolve.ts'
import { snapshotId, type ReadableSnapshot } from '../repository/protocol/snapshots.ts'
import { rootOf } from '../snapshot/manifest.ts'
import type { TreeNode } from '../snapshot/node.ts'
import { diffTrees, kindOf, type Difference } from '../snapshot/tree-diff.ts'
import { findInTree } from '../snapshot/tree-walk.ts'
import type { CommandContext } from './context.ts'
import type { Reader } from './reader.ts'

export interface DiffRequest {
  /** As resolveSnapshot takes it. Absent: the one before `newer`, of its job and host. */
  readonly older?: string
  readonly newer: string
  /** What of them is compared, exact bytes, as `list` gives it; empty: all. */
  readonly path: Uint8Array
}

export interface SnapshotDiff {
  /** Ids of the snapshots that are compared. */
  readonly older: string
  readonly newer: string
  /** Fetched as they are asked for. Errors: damaged, those of the storage. */
  readonly differences: AsyncIterable<Difference>
}

/**
 * What differs between two snapshots. Only what differs is fetched. Errors: those of resolveSnapshot; `not-found` where neither holds the path, or nothing came before.
 */
export async function diffSnapshots({ repository, memory, trees }: Reader, host: string, request: DiffRequest, { signal }: Pick<CommandContext, 'signal'>): Promise<SnapshotDiff> {
  const resolve = (name: string): Promise<ReadableSnapshot> => resolveSnapshot(repository, name, { host, memory }, signal)
  const newer = await resolve(request.newer)
  const older = request.older === undefined ? await snapshotBefore(repository, newer, { memory }, signal) : await resolve(request.older)
  const newerId = snapshotId(newer.manifest, newer.ref)
  if (!older) throw new HoldfastError('not-found', `There is no snapshot of ${newer.manifest.job} before ${newerId}. Name another one to compare it with.`, { data: { reason: 'first' } })
  const [before, after] = await Promise.all([older, newer].map(({ manifest }) => entryAt(trees.load, rootOf(manifest), request.path)))
  if (!before && !after) throw new HoldfastError('not-found', `Neither snapshot holds ${toShown(fromBytes(request.path))}.`)
  return { older: snapshotId(older.manifest, older.ref), newer: newerId, differences: differences(trees.load, before, after, request.path) }
}

/** Counts what differs. Memory: ten numbers. */
export class DiffCounter {
  readonly #totals: Record<DifferenceKind, { entries: number, bytes: number }> = { added: none(), removed: none(), content: none(), metadata: none(), type: none() }

  get totals(): DifferenceTotals {
    return this.#totals
  }

  add({ kind, before, after }: Difference): void {
    const node = after ?? before
    this.#totals[kind].entries++
    this.#totals[kind].bytes += sizeOf(node) ?? 0
  }
}

function none(): { entries: number, bytes: number } {
  return { entries: 0, bytes: 0 }
}

/** More are not counted for people. */
const mostCounted = 200_000

/**
 * What a snapshot changed, for people: the first entries one by one, and how many there are of each kind. Nothing before it is no error. Errors: those of
 * diffSnapshots; `aborted` where `isWanted` says no.
 */
export async function changesOf(reader: Reader, host: string, { snapshot, limit }: { readonly snapshot: string, readonly limit: number }, isWanted: () => boolean, context: Pick<CommandContext, 'signal'>): Promise<SnapshotChanges> {
  const counter = new DiffCounter()
  const diff = await diffSnapshots(reader, host, { newer: snapshot, path: new Uint8Array() }, context).catch(unlessFirst)
  if (!diff) return { newer: snapshot, entries: [], totals: counter.totals, complete: true }
  const { older, newer, differences } = diff
  const entries: DifferenceView[] = []
  let counted = 0
  for await (const difference of differences) {
    if (!isWanted()) throw new HoldfastError('aborted', 'Something else was asked for.')
    if (++counted > mostCounted) break
    counter.add(difference)
    if (difference.kind !== 'metadata' && entries.length < limit) entries.push(viewOf(difference))
  }
  return { older, newer, entries, totals: counter.totals, complete: counted <= mostCounted }
}

function unlessFirst(error: unknown): undefined {
  if (!(error instanceof HoldfastError) || error.data?.['reason'] !== 'first') throw error
}

function viewOf({ kind, path, before, after }: Difference): DifferenceView {
  const text = fromBytes(path)
  const slash = text.lastIndexOf('/')
  const [sizeBefore, size] = [sizeOf(before), sizeOf(after)]
  return {
    kind, path: copyOf(path), shown: toShown(text.slice(slash + 1)), folder: toShown(text.slice(0, Math.max(0, slash))), type: (after ?? before)?.type ?? 'file',
    ...(sizeBefore === undefined ? {} : { sizeBefore }), ...(size === undefined ? {} : { size }),
  }
}

function sizeOf(node: TreeNode | undefined): number | undefined {
  return node?.type === 'file' ? node.size : undefined
}

type Load = Reader['trees']['load']
/** A snapshot's root has no entry of its own. */
type Entry = { readonly tree: Uint8Array; readonly node?: TreeNode } | { readonly tree?: undefined; readonly node: TreeNode }

async function* differences(load: Load, before: Entry | undefined, after: Entry | undefined, path: Uint8Array): AsyncGenerator<Difference> {
  const kind = kindOf(before?.node, after?.node)
  if (kind) yield { kind, path, ...(before?.node ? { before: before.node } : {}), ...(after?.node ? { after: after.node } : {}) }
  yield* diffTrees(load, before?.tree, after?.tree, path)
}

/** Undefined where the snapshot has no such entry. */
async function entryAt(load: Load, root: Uint8Array, path: Uint8Array): Promise<Entry | undefined> {
  let at: Entry = { tree: root }
  for (const name of namesOf(path)) {
    const node: TreeNode | undefined = at.tree && await findInTree(load, at.tree, Buffer.from(name, 'latin1'))
    if (!node) return undefined
    at = node.type === 'directory' ? { tree: node.tree, node } : { node }
  }
  return at
}
