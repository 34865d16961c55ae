import { HoldfastError, hasCode } from '../../base/errors.ts'
import type { ObjectName } from '../../backend/backend.ts'
import { tryWithRights } from '../../backend/rights.ts'
import { expectChange, lackingRecords, mergeAnnotation, nextCounter, noAnnotation, outdatedRecords } from '../../snapshot/annotation.ts'
import type { Annotation, AnnotationChange, AnnotationRecord, Carried } from '../../snapshot/annotation.ts'
import type { Random } from '../crypto.ts'
import { fetchIfThere } from '../fetch.ts'
import { randomName } from '../names.ts'
import type { Repository } from '../repository.ts'
import { forEachAtOnce, isThere, listAll } from './listing.ts'
import { annotationName, annotationPrefix, deletedName, expiredName, parseAnnotationName } from './names.ts'
import type { SnapshotRef } from './names.ts'
import { openAnnotation, sealAnnotation } from './records.ts'
import { readDecision } from './snapshots.ts'

/** What is said about one snapshot, and what of it nobody here can read. */
export interface ReadAnnotation {
  readonly ref: SnapshotRef
  readonly annotation: Annotation
  /** What was read of it. */
  readonly records: readonly AnnotationRecord[]
  /** Damaged, or of a later version: the snapshot counts as pinned, since it may be. */
  readonly unreadable: readonly UnreadableAnnotation[]
}

export interface UnreadableAnnotation {
  readonly object: ObjectName
  readonly error: HoldfastError
}

/** Changes that were read once; they are immutable. As many as there are notes. */
export type AnnotationCache = Map<ObjectName, AnnotationRecord>

export interface Annotations {
  /** By annotationPrefix. */
  readonly found: ReadonlyMap<string, ReadAnnotation>
  /** Objects among the notes whose name this version does not write. */
  readonly unknown: readonly UnreadableAnnotation[]
}

const downloads = 8

/**
 * What is said about the snapshots of a repository (empty scope), of a job (`<job key>/`) or one (`<job key>/<rev>/`): two requests where nothing is.
 * Errors: those of the storage; what cannot be read is told in the result.
 */
export async function readAnnotations(repository: Repository, scope: string, cache: AnnotationCache, signal: AbortSignal): Promise<Annotations> {
  const groups = new Map<string, Group>()
  const unknown: UnreadableAnnotation[] = []
  const infos = await listAll(repository.backend, `notes/${scope}`, signal)
  await forEachAtOnce(infos, downloads, async ({ name }) => {
    const parsed = orUnreadable(name, () => parseAnnotationName(name))
    if ('error' in parsed) {
      unknown.push(parsed)
      return
    }
    const { ref, id } = parsed
    const read = cache.get(name) ?? await readRecord(repository, ref, id, signal)
    if (!read) return
    const key = annotationPrefix(ref)
    const group = groups.get(key) ?? { ref, records: [], unreadable: [] }
    groups.set(key, group)
    if ('error' in read) group.unreadable.push(read)
    else {
      cache.set(name, read)
      group.records.push(read)
    }
  })
  const found = [...groups].map(([key, { ref, records, unreadable }]) => [key, { ref, annotation: mergeAnnotation(records), records, unreadable }] as const)
  return { found: new Map(found), unknown }
}

interface Group {
  readonly ref: SnapshotRef
  readonly records: AnnotationRecord[]
  readonly unreadable: UnreadableAnnotation[]
}

function orUnreadable<T>(object: ObjectName, read: () => T): T | UnreadableAnnotation {
  try {
    return read()
  } catch (error) {
    if (hasCode(error, 'version')) return { object, error }
    throw error
  }
}

/** Undefined: it is gone, so a newer one is there. */
async function readRecord(repository: Repository, ref: SnapshotRef, id: string, signal: AbortSignal): Promise<AnnotationRecord | UnreadableAnnotation | undefined> {
  const object = annotationName(ref, id)
  try {
    return await fetchIfThere(() => repository.backend.get(object, 'all', signal), (bytes) => openAnnotation(repository.keys, ref, id, bytes))
  } catch (error) {
    if (hasCode(error, 'damaged', 'version')) return { object, error }
    throw error
  }
}

/** Of one snapshot, from what readAnnotations found. */
export function annotationOf({ found }: Annotations, ref: SnapshotRef): Annotation {
  return found.get(annotationPrefix(ref))?.annotation ?? noAnnotation
}

/** Whether a policy has to leave a snapshot alone. */
export function isPinned({ found }: Annotations, ref: SnapshotRef): boolean {
  const read = found.get(annotationPrefix(ref))
  return read !== undefined && (read.annotation.pinned || read.unreadable.length > 0)
}

/**
 * Says something about a snapshot: a new object, whose counter is above all that are there; then those go of which nothing counts any more, where
 * rights allow it. Of two machines that do so at once both changes stay, and of two changes of one field that of the higher counter, then name, on every machine.
 * Broken off, it is said or not; repeating is harmless. @returns what is said now.
 * Errors: `not-found` when the snapshot is forgotten meanwhile; `arguments` (see expectChange), `version` beside what a later version said.
 */
export async function annotateSnapshot(repository: Repository, ref: SnapshotRef, change: AnnotationChange, random: Random, signal: AbortSignal): Promise<Annotation> {
  expectChange(change)
  const cache: AnnotationCache = new Map()
  const { found } = await readAnnotations(repository, scopeOf(ref), cache, signal)
  const later = found.get(annotationPrefix(ref))?.unreadable.find(({ error }) => error.code === 'version')
  if (later) throw later.error
  const before = [...cache.values()]
  const record: AnnotationRecord = { id: randomName(random), counter: nextCounter(before), change }
  await putRecord(repository, ref, record, signal)
  const records = [...before, record]
  await removeOutdated(repository, ref, records, signal)
  return mergeAnnotation(records)
}

/**
 * Says here what is said of the same snapshot elsewhere, as it is said there (id and counter), so that both sides come to say the same. Nothing that is said here is lost.
 * Repeating is harmless. @returns whether there was anything to say. Errors: `not-found` when the snapshot is forgotten meanwhile, those of the storage.
 */
export async function carryAnnotation(repository: Repository, ref: SnapshotRef, theirs: readonly AnnotationRecord[], carried: Carried, signal: AbortSignal): Promise<boolean> {
  const ours = (await readAnnotations(repository, scopeOf(ref), new Map(), signal)).found.get(annotationPrefix(ref))?.records ?? []
  const lacking = lackingRecords(theirs, ours, carried)
  for (const record of lacking) await putRecord(repository, ref, record, signal)
  if (lacking.length > 0) await removeOutdated(repository, ref, [...ours, ...lacking], signal)
  return lacking.length > 0
}

async function putRecord(repository: Repository, ref: SnapshotRef, record: AnnotationRecord, signal: AbortSignal): Promise<void> {
  const name = annotationName(ref, record.id)
  await repository.backend.put(name, { type: 'bytes', bytes: sealAnnotation(repository.keys, ref, record) }, {}, signal)
  const stored = await readRecord(repository, ref, record.id, signal)
  if (stored && 'error' in stored) throw new HoldfastError('unavailable', 'The storage does not give back what was written to it.', { cause: stored.error, data: { object: name } })
  // After it is said: a forget that looked before decides before.
  if (await isForgotten(repository, ref, signal) !== false) {
    await tryWithRights(() => repository.backend.remove(name, signal))
    throw new HoldfastError('not-found', `There is no revision ${ref.revision} any more.`, { data: { revision: ref.revision } })
  }
}

async function removeOutdated(repository: Repository, ref: SnapshotRef, records: readonly AnnotationRecord[], signal: AbortSignal): Promise<void> {
  for (const { id } of outdatedRecords(records)) await tryWithRights(() => repository.backend.remove(annotationName(ref, id), signal))
}

/** For readAnnotations. */
export function scopeOf(ref: SnapshotRef): string {
  return annotationPrefix(ref).slice('notes/'.length)
}

/** Undefined while nothing is decided, or where nobody can read what is. */
async function isForgotten(repository: Repository, ref: SnapshotRef, signal: AbortSignal): Promise<boolean | undefined> {
  if (repository.config.arbiter === 'flags' && await isThere(repository.backend, deletedName(ref), signal)) return true
  try {
    const decision = await readDecision(repository, ref, signal)
    if (decision) return decision.type !== 'manifest'
    return repository.config.arbiter === 'flags' && await isThere(repository.backend, expiredName(ref), signal) ? true : undefined
  } catch (error) {
    if (hasCode(error, 'damaged', 'version')) return undefined
    throw error
  }
}

/**
 * Removes what is said about snapshots that are forgotten for ever (rule R6), the unreadable too. @returns how many objects.
 * Errors: those of the storage.
 */
export async function removeAnnotationsOfForgotten(repository: Repository, signal: AbortSignal): Promise<number> {
  const groups = new Map<string, { readonly ref: SnapshotRef, readonly objects: ObjectName[] }>()
  for (const { name } of await listAll(repository.backend, 'notes/', signal)) {
    const parsed = orUnreadable(name, () => parseAnnotationName(name))
    if ('error' in parsed) continue
    const key = annotationPrefix(parsed.ref)
    const group = groups.get(key) ?? { ref: parsed.ref, objects: [] }
    group.objects.push(name)
    groups.set(key, group)
  }
  let removed = 0
  await forEachAtOnce([...groups.values()], downloads, async ({ ref, objects }) => {
    if (await isForgotten(repository, ref, signal) !== true) return
    for (const object of objects) await repository.backend.remove(object, signal)
    removed += objects.length
  })
  return removed
}
