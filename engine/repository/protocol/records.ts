import * as v from 'valibot'
import { longestName, longestNote, type AnnotationRecord } from '../../snapshot/annotation.ts'
import type { Manifest } from '../../snapshot/manifest.ts'
import { parseManifest } from '../../snapshot/manifest.ts'
import { originSchema, type Origin } from '../../snapshot/origin.ts'
import { openObject, sealObject } from '../sealed.ts'
import type { RepositoryKeys } from '../keys.ts'
import { encodeJson, parseJson, parseVersioned } from './json.ts'
import { acknowledgementName, annotationName, deletedName, expiredName, intentName, retireRecordName, snapshotName } from './names.ts'
import type { SnapshotRef } from './names.ts'

const hex32 = v.pipe(v.string(), v.regex(/^[0-9a-f]{32}$/))
const hex64 = v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/))
const milliseconds = v.pipe(v.number(), v.safeInteger(), v.minValue(0))

/** A session announces itself before it reads the repository. */
export interface Intent {
  /** Tells this session's own objects from another's, 32 hex digits. */
  readonly nonce: string
  readonly host: string
  readonly startedMs: number
  /** Declared sessions: the root tree, whose closure a prune counts as live (64 hex digits). */
  readonly root?: string | undefined
}

const intentSchema = v.object({ nonce: hex32, host: v.pipe(v.string(), v.maxLength(1024)), startedMs: milliseconds, root: v.optional(hex64) })

/** What was decided about a revision. Creation decides; only a manifest may still become its own tombstone. */
export type Decision =
  | { readonly type: 'manifest', readonly nonce: string, readonly manifest: Manifest }
  | { readonly type: 'expired' }
  /** `origin`: of a snapshot that was synced here, so that no sync brings it again. */
  | { readonly type: 'deleted', readonly nonce: string, readonly origin?: Origin | undefined }

const decisionSchema = v.variant('type', [
  v.object({ type: v.literal('manifest'), nonce: hex32, manifest: v.unknown() }),
  v.object({ type: v.literal('expired') }),
  v.object({ type: v.literal('deleted'), nonce: hex32, origin: v.optional(originSchema) }),
])

const retireSchema = v.object({ packs: v.pipe(v.array(hex32), v.maxLength(1_000_000)) })

const counter = v.pipe(v.number(), v.safeInteger(), v.minValue(1))
const changeSchema = v.strictObject({
  version: v.literal(1),
  counter,
  pinned: v.exactOptional(v.boolean()),
  name: v.exactOptional(v.pipe(v.string(), v.maxLength(longestName))),
  note: v.exactOptional(v.pipe(v.string(), v.maxLength(longestNote))),
  fine: v.exactOptional(v.boolean()),
})

export function sealIntent(keys: RepositoryKeys, ref: SnapshotRef, intent: Intent): Uint8Array {
  return sealObject(keys, intentName(ref), 'intent', encodeJson(intent))
}

/** Errors: `damaged`, `version`. */
export function openIntent(keys: RepositoryKeys, ref: SnapshotRef, bytes: Uint8Array): Intent {
  const name = intentName(ref)
  return parseJson(intentSchema, name, openObject(keys, name, 'intent', bytes))
}

export function sealDecision(keys: RepositoryKeys, ref: SnapshotRef, decision: Decision): Uint8Array {
  return sealObject(keys, snapshotName(ref), 'snapshot', encodeJson(decision))
}

/** Errors: `damaged`, `version`. */
export function openDecision(keys: RepositoryKeys, ref: SnapshotRef, bytes: Uint8Array): Decision {
  const name = snapshotName(ref)
  const decision = parseJson(decisionSchema, name, openObject(keys, name, 'snapshot', bytes))
  if (decision.type !== 'manifest') return decision
  return { ...decision, manifest: parseManifest(decision.manifest, name) }
}

export function sealRetireRecord(keys: RepositoryKeys, record: string, packs: readonly string[]): Uint8Array {
  return sealObject(keys, retireRecordName(record), 'gc', encodeJson({ packs }))
}

/** The packs' names. Errors: `damaged`, `version`. */
export function openRetireRecord(keys: RepositoryKeys, record: string, bytes: Uint8Array): readonly string[] {
  const name = retireRecordName(record)
  return parseJson(retireSchema, name, openObject(keys, name, 'gc', bytes)).packs
}

/** Says all with its name. */
export function sealAcknowledgement(keys: RepositoryKeys, record: string, ref: SnapshotRef): Uint8Array {
  return sealObject(keys, acknowledgementName(record, ref), 'ack', encodeJson({}))
}

/** Flags mode: says all with its name. */
export function sealExpiredFlag(keys: RepositoryKeys, ref: SnapshotRef): Uint8Array {
  return sealObject(keys, expiredName(ref), 'expired', encodeJson({}))
}

const deletedFlagSchema = v.object({ origin: v.optional(originSchema) })

/** Flags mode: says all with its name, but for the origin of a snapshot that was synced here. */
export function sealDeletedFlag(keys: RepositoryKeys, ref: SnapshotRef, origin?: Origin): Uint8Array {
  return sealObject(keys, deletedName(ref), 'deleted', encodeJson(origin ? { origin } : {}))
}

/** Errors: `damaged`, `version`. */
export function openDeletedFlag(keys: RepositoryKeys, ref: SnapshotRef, bytes: Uint8Array): { readonly origin?: Origin | undefined } {
  const name = deletedName(ref)
  return parseJson(deletedFlagSchema, name, openObject(keys, name, 'deleted', bytes))
}

export function sealAnnotation(keys: RepositoryKeys, ref: SnapshotRef, { id, counter: count, change }: AnnotationRecord): Uint8Array {
  return sealObject(keys, annotationName(ref, id), 'note', encodeJson({ version: 1, counter: count, ...change }))
}

/** Errors: `damaged`, `version` (a later version says more than this one could keep). */
export function openAnnotation(keys: RepositoryKeys, ref: SnapshotRef, id: string, bytes: Uint8Array): AnnotationRecord {
  const name = annotationName(ref, id)
  const plain = openObject(keys, name, 'note', bytes)
  const { version: _version, counter: count, ...change } = parseVersioned(changeSchema, name, plain)
  return { id, counter: count, change }
}
