import * as v from 'valibot'

/** The newest that a machine has seen of one job on one host: it must be there for ever, as it is or as its tombstone (rule R11). */
export interface KnownRevision {
  /** 32 hex digits, see jobKeyOf. */
  readonly jobKey: string
  /** Of the manifest; empty where the revision was seen without one, as a tombstone. */
  readonly host: string
  /** Name of the job; empty where only a tombstone was seen. */
  readonly job: string
  readonly revision: number
  /** Flags mode: the random part of the revision's name, else empty. */
  readonly suffix: string
  readonly state: 'snapshot' | 'deleted' | 'expired'
  /** Of the session that made it, 32 hex digits: two snapshots under one name differ in it. Empty where it is not known. */
  readonly nonce: string
  /** Of the manifest, ms since 1970; 0 where it is not known. */
  readonly finishedMs: number
  /** When this machine saw it last, ms since 1970. */
  readonly seenMs: number
}

/** No revision of the job up to this one is ever given out again, whatever has become of it. */
export interface KnownFloor {
  readonly jobKey: string
  readonly revision: number
}

/** What a machine knows of a repository, and must not be told otherwise: as it travels between main and an engine, and as main keeps it. */
export interface KnownRepository {
  /** 32 hex digits. */
  readonly repositoryId: string
  readonly revisions: readonly KnownRevision[]
  readonly floors: readonly KnownFloor[]
}

/** Of both lists each; a repository of more jobs than this is remembered by those seen last. */
export const maxKnown = 4096

const revision = v.pipe(v.number(), v.safeInteger(), v.minValue(1))
const time = v.pipe(v.number(), v.finite())
const hex32 = v.pipe(v.string(), v.regex(/^[0-9a-f]{32}$/))
const hex32OrNone = v.pipe(v.string(), v.regex(/^(?:[0-9a-f]{32})?$/))

export const knownRevision: v.GenericSchema<unknown, KnownRevision> = v.object({
  jobKey: hex32, host: v.pipe(v.string(), v.maxLength(4096)), job: v.pipe(v.string(), v.maxLength(4096)), revision, suffix: hex32OrNone,
  state: v.picklist(['snapshot', 'deleted', 'expired']), nonce: hex32OrNone, finishedMs: time, seenMs: time,
})

export const knownRepository: v.GenericSchema<unknown, KnownRepository> = v.object({
  repositoryId: hex32,
  revisions: v.pipe(v.array(knownRevision), v.maxLength(maxKnown)),
  floors: v.pipe(v.array(v.object({ jobKey: hex32, revision })), v.maxLength(maxKnown)),
})
