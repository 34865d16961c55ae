import { hasCode } from '../../base/errors.ts'
import type { SyncJob } from '../../protocol/job.ts'
import { jobKeyOf } from '../../repository/keys.ts'
import { isThere } from '../../repository/protocol/listing.ts'
import { deletedName, parseRevisionKey, revisionKey, type SnapshotRef } from '../../repository/protocol/names.ts'
import { listSnapshots, readDecision, snapshotId, type ReadableSnapshot } from '../../repository/protocol/snapshots.ts'
import type { RevisionMemory } from '../../repository/protocol/revision-memory.ts'
import type { Repository } from '../../repository/repository.ts'
import { groupKey, originKey, syncedJobName, type Origin, type OriginGroup } from '../../snapshot/origin.ts'
import type { Manifest } from '../../snapshot/manifest.ts'
import type { CommandContext } from '../context.ts'
import type { HeldReader, HeldSnapshot } from './held.ts'
import { Keepers, type SideHold } from './keepers.ts'
import { groupOf, planSync, type GroupPlan, type SourceSnapshot, type SyncPlan, type Vanished } from './plan.ts'
import { readSaid, SaidOfSnapshots, type Said } from './said.ts'

export interface FoundSnapshot extends SourceSnapshot {
  readonly ref: SnapshotRef
  readonly manifest: Manifest
}

export interface FoundVanished extends Vanished {
  /** At the destination. */
  readonly ref: SnapshotRef
  readonly manifest: Manifest
}

/** A group of the plan, and the copies of which something is said at the source that lacks at the destination. */
export interface FoundGroup extends GroupPlan<FoundSnapshot, FoundVanished> {
  readonly annotate: readonly Said[]
}

export interface FoundPlan extends SyncPlan<FoundSnapshot, FoundVanished> {
  readonly groups: readonly FoundGroup[]
  readonly said: SaidOfSnapshots
  /** What keeps something that vanished. */
  readonly holds: readonly SideHold[]
}

/** Both sides, opened. */
export interface Sides {
  readonly source: { readonly repository: Repository; readonly memory: RevisionMemory }
  readonly destination: { readonly repository: Repository }
}

/** Reads what both sides have, and plans. What cannot be read of the source's snapshots is told, and not copied. Errors: those of both storages. */
export async function readPlan(job: SyncJob, { source, destination }: Sides, held: HeldReader, context: CommandContext, onUnreadable: (name: string, message: string) => void): Promise<FoundPlan> {
  const { signal } = context
  const sourceId = source.repository.config.repositoryId
  // All synced groups, since one may have vanished as a whole; and before the source is listed, so that of two syncs none takes what the other counts on to stay.
  const before = job.removeVanished ? await held.read(signal) : undefined
  const snapshots: FoundSnapshot[] = []
  for await (const entry of listSnapshots(source.repository, { memory: source.memory }, signal)) {
    if (entry.type === 'snapshot') snapshots.push(foundSnapshot(entry, sourceId))
    else onUnreadable(entry.type === 'damaged' ? `revision ${revisionKey(entry.ref)}` : entry.object, entry.error.message)
  }
  const known = before ?? await readHeldGroups(destination.repository, snapshots, held, signal)
  const gone = job.removeVanished ? await findVanished(source.repository, sourceId, snapshots, known, context) : []
  const carried = { fine: job.carryFine ?? false }
  const said = await readSaid(source.repository, destination.repository, { anyway: gone.length > 0, carried }, context.log, signal)
  const destinationId = destination.repository.config.repositoryId
  const keepers = new Keepers({ source: { id: sourceId, said: said.source }, destination: { id: destinationId, said: said.destination } }, { snapshots, known, gone })
  const vanished = gone.map((each) => ({ ...each, ...keepers.keep(each) }))
  const plan = planSync({ destination: destinationId, snapshots, held: known, vanished, patterns: job.groups, last: job.last })
  const ofCopies = new SaidOfSnapshots(destination.repository, said, carried)
  const copies = Map.groupBy(copiesOf(snapshots, known), ({ group }) => groupKey(group))
  const groups = plan.groups.map((group) => ({ ...group, annotate: ofCopies.lacking(copies.get(groupKey(group.group)) ?? []) }))
  return { ...plan, groups, said: ofCopies, holds: keepers.holdsOf(plan.groups.filter(({ stays }) => stays.length > 0)) }
}

/** What both sides have, of each group the oldest first; of two copies both. */
function copiesOf(snapshots: readonly FoundSnapshot[], known: readonly HeldSnapshot[]): readonly (Said & { readonly group: OriginGroup })[] {
  const byOrigin = new Map(snapshots.map((snapshot) => [originKey(snapshot.origin), snapshot]))
  // They were read side by side, and come in any order.
  return known.toSorted((one, other) => one.ref.revision - other.ref.revision).flatMap(({ ref: to, origin, manifest }) => {
    const snapshot = manifest && byOrigin.get(originKey(origin))
    return snapshot ? [{ id: snapshotId(manifest, to), from: snapshot.ref, to, group: groupOf(snapshot) }] : []
  })
}

async function readHeldGroups(destination: Repository, snapshots: readonly FoundSnapshot[], held: HeldReader, signal: AbortSignal): Promise<readonly HeldSnapshot[]> {
  const found: HeldSnapshot[] = []
  for (const jobKey of new Set(snapshots.map((snapshot) => jobKeyOfGroup(destination, groupOf(snapshot))))) found.push(...await held.read(signal, jobKey))
  return found
}

/** Under which key a group's snapshots are at the destination. */
export function jobKeyOfGroup(destination: Repository, group: OriginGroup): string {
  return jobKeyOf(destination.keys, syncedJobName(group))
}

function foundSnapshot({ ref, manifest, nonce }: ReadableSnapshot, sourceId: string): FoundSnapshot {
  const { job, host, finishedMs, counters: { files, bytes } } = manifest
  const origin = manifest.origin ?? { repository: sourceId, job, revision: revisionKey(ref), nonce }
  return { id: snapshotId(manifest, ref), job, host, origin, finishedMs, files, bytes, ref, manifest }
}

/**
 * What the destination holds, the source once made, and says by name that it has forgotten. That it is not listed says nothing: a listing may be
 * late, and a storage may have been put back.
 */
async function findVanished(
  source: Repository, sourceId: string, snapshots: readonly FoundSnapshot[], known: readonly HeldSnapshot[], { log, signal }: CommandContext,
): Promise<FoundVanished[]> {
  const listed = new Set(snapshots.map(({ origin }) => originKey(origin)))
  const vanished: FoundVanished[] = []
  for (const { ref, origin, manifest } of known) {
    if (!manifest || origin.repository !== sourceId || listed.has(originKey(origin))) continue
    const id = snapshotId(manifest, ref)
    if (await isForgotten(source, origin, signal)) vanished.push({ id, ref, manifest, origin, group: groupOf({ ...manifest, origin }) })
    else log.write('warning', `${id} stays: the source does not list ${origin.job}@${origin.revision}, and does not say that it was forgotten either.`)
  }
  return vanished
}

/** Asked by name: whether the source has the tombstone, or the flag, of just this snapshot. */
async function isForgotten(source: Repository, origin: Origin, signal: AbortSignal): Promise<boolean> {
  const ref = parseRevisionKey(jobKeyOf(source.keys, origin.job), origin.revision)
  if (!ref) return false
  if (source.config.arbiter === 'flags') return isThere(source.backend, deletedName(ref), signal)
  try {
    const decision = await readDecision(source, ref, signal)
    // The tombstone of a damaged manifest cannot say whose it was.
    return decision?.type === 'deleted' && (decision.nonce === origin.nonce || /^0*$/.test(decision.nonce))
  } catch (error) {
    if (hasCode(error, 'damaged', 'version')) return false
    throw error
  }
}
