import type { SnapshotRef } from './names.ts'

/** Why a pack is retired. */
export type RetireReason =
  /** No snapshot needs anything in it. */
  | 'unreferenced'
  /** Part of it is needed and is copied out first. */
  | 'partly-used'
  /** Everything needed in it is in other packs too. */
  | 'redundant'

export interface RetiredPack {
  readonly name: string
  readonly reason: RetireReason
  /** Bytes of the object. */
  readonly size: number
  /** Plain bytes that are needed and in no other pack: copied before the pack is retired. */
  readonly copiedBytes: number
}

/** A retire record that an earlier prune left; this one completes it. */
export interface OpenRecord {
  readonly id: string
  /** Packs of the record that still exist. */
  readonly packs: number
  readonly bytes: number
}

/** A session whose end is open, as a prune sees it. */
export interface OpenSession {
  readonly ref: SnapshotRef
  readonly host: string
  /** Since its last sign of life, by the storage's clock. */
  readonly silentMs: number
  readonly declared: boolean
}

/** What a prune would do, as a value: shown first, executed second. Any of it may be out of date without harm. */
export interface PrunePlan {
  readonly retire: readonly RetiredPack[]
  readonly records: readonly OpenRecord[]
  readonly sessions: readonly OpenSession[]
  /** Packs that cannot be read: left alone, and never counted as a copy. */
  readonly unreadable: readonly string[]
  readonly snapshots: number
  readonly packs: number
  readonly storedBytes: number
  /** Bytes of packs to be retired plus those of open records, less what is copied. */
  readonly reclaimedBytes: number
  readonly copiedBytes: number
}

/** What a prune did. */
export interface PruneResult {
  readonly outcome:
    /** Everything retired is gone. */
    | 'complete'
    /** Sessions that are still open may rest on retired packs: nothing was deleted, a later prune goes on. */
    | 'waiting'
  readonly waitingFor: readonly OpenSession[]
  readonly expiredSessions: number
  readonly retiredPacks: number
  readonly deletedPacks: number
  readonly deletedBytes: number
  readonly copiedBytes: number
  readonly removedRecords: number
  /** Retired packs that stay because something needed in them can no longer be read; `check --repair` may find it elsewhere. */
  readonly damagedPacks: number
  readonly indexObjects: { readonly before: number, readonly after: number }
}
