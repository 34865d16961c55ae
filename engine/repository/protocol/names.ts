import { HoldfastError } from '../../base/errors.ts'
import type { ObjectName } from '../../backend/backend.ts'

/**
 * One revision of one job: what a session works on and what a snapshot is. `suffix` is empty in cas mode, where the number
 * alone is unique; in flags mode it is random, since two sessions may pick the same number.
 */
export interface SnapshotRef {
  /** 32 hex digits, see jobKeyOf. */
  readonly jobKey: string
  /** From 1 on. */
  readonly revision: number
  readonly suffix: string
}

/** As it stands in object names and after the `@` of a snapshot id: `12`, in flags mode `12-<32 hex>`. */
export function revisionKey(ref: SnapshotRef): string {
  return ref.suffix === '' ? String(ref.revision) : `${ref.revision}-${ref.suffix}`
}

/** Revisions are grouped by thousand, so that folders of a local repository stay small. */
export function snapshotName(ref: SnapshotRef): ObjectName {
  return `snapshots/${ref.jobKey}/${Math.floor(ref.revision / 1000)}/${revisionKey(ref)}`
}

export function intentName(ref: SnapshotRef): ObjectName {
  return `intents/${ref.jobKey}/${revisionKey(ref)}`
}

/** Flags mode only: a prune gave the session up. Permanent. */
export function expiredName(ref: SnapshotRef): ObjectName {
  return `expired/${ref.jobKey}/${revisionKey(ref)}`
}

/** Flags mode only: the snapshot was forgotten. Permanent. */
export function deletedName(ref: SnapshotRef): ObjectName {
  return `deleted/${ref.jobKey}/${revisionKey(ref)}`
}

export function retireRecordName(record: string): ObjectName {
  return `gc/${record}`
}

export function acknowledgementName(record: string, ref: SnapshotRef): ObjectName {
  return `acks/${record}/${ref.jobKey}/${revisionKey(ref)}`
}

/** One change of what people say about a snapshot; `id` is 32 hex digits. */
export function annotationName(ref: SnapshotRef, id: string): ObjectName {
  return `${annotationPrefix(ref)}${id}`
}

/** All changes of one snapshot. */
export function annotationPrefix(ref: SnapshotRef): string {
  return `notes/${ref.jobKey}/${revisionKey(ref)}/`
}

/** Names hold fifteen digits. */
export const highestRevision = 999_999_999_999_999

const revisionPattern = '([1-9][0-9]{0,14})(?:-([0-9a-f]{32}))?'
const snapshotPattern = new RegExp(`^snapshots/([0-9a-f]{32})/([0-9]+)/${revisionPattern}$`)
const plainPattern = new RegExp(`^(?:intents|expired|deleted)/([0-9a-f]{32})/${revisionPattern}$`)
const acknowledgementPattern = new RegExp(`^acks/([0-9a-f]{32})/([0-9a-f]{32})/${revisionPattern}$`)
const annotationPattern = new RegExp(`^notes/([0-9a-f]{32})/${revisionPattern}/([0-9a-f]{32})$`)
const revisionKeyPattern = new RegExp(`^${revisionPattern}$`)

/** The revision that an object `snapshots/…` holds. Error: `version` for a name this program cannot have written. */
export function parseSnapshotName(name: ObjectName): SnapshotRef {
  const match = snapshotPattern.exec(name)
  const ref = match && refOf(match[1], match[3], match[4])
  if (!ref || snapshotName(ref) !== name) throw unknownName(name)
  return ref
}

/** The revision of an object in `intents/`, `expired/` or `deleted/`. Error: `version`. */
export function parseSessionName(name: ObjectName): SnapshotRef {
  const match = plainPattern.exec(name)
  const ref = match && refOf(match[1], match[2], match[3])
  if (!ref) throw unknownName(name)
  return ref
}

/** Error: `version`. */
export function parseAcknowledgementName(name: ObjectName): { readonly record: string, readonly ref: SnapshotRef } {
  const match = acknowledgementPattern.exec(name)
  const ref = match && refOf(match[2], match[3], match[4])
  if (!ref || match[1] === undefined) throw unknownName(name)
  return { record: match[1], ref }
}

/** Error: `version`. */
export function parseAnnotationName(name: ObjectName): { readonly ref: SnapshotRef, readonly id: string } {
  const match = annotationPattern.exec(name)
  const ref = match && refOf(match[1], match[2], match[3])
  if (!ref || match[4] === undefined) throw unknownName(name)
  return { ref, id: match[4] }
}

/** Error: `version`. */
export function parseRetireRecordName(name: ObjectName): string {
  const match = /^gc\/([0-9a-f]{32})$/.exec(name)
  if (match?.[1] === undefined) throw unknownName(name)
  return match[1]
}

/** The part of a snapshot id after the `@`. */
export function parseRevisionKey(jobKey: string, key: string): SnapshotRef | undefined {
  const match = revisionKeyPattern.exec(key)
  return match ? refOf(jobKey, match[1], match[2]) : undefined
}

function refOf(jobKey: string | undefined, revision: string | undefined, suffix: string | undefined): SnapshotRef | undefined {
  if (jobKey === undefined || revision === undefined) return undefined
  return { jobKey, revision: Number(revision), suffix: suffix ?? '' }
}

function unknownName(name: ObjectName): HoldfastError {
  return new HoldfastError('version', `The repository holds ${name}, which this version of Holdfast does not know.`, { data: { object: name, reason: 'unknown-name' } })
}
