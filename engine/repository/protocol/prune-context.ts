import type { Clock } from '../../base/clock.ts'
import type { BlobId, BlobKind } from '../../snapshot/node.ts'
import type { Body } from '../../backend/backend.ts'
import type { Random } from '../crypto.ts'
import type { PackContents } from '../pack-info.ts'
import type { Repository } from '../repository.ts'
import type { Frontier } from './closure.ts'
import type { PackShards } from './listing.ts'
import type { LivenessStore } from './liveness.ts'
import type { RevisionMemory } from './revision-memory.ts'
import { DecisionCache } from './snapshots.ts'

export interface CopiedBlob {
  readonly id: BlobId
  readonly bytes: Uint8Array
}

/** A pack that a prune fills with copies. */
export interface OpenPack {
  /** One segment. */
  append(blobs: readonly CopiedBlob[]): void
  /** All segments of another one, which stays. */
  absorb(other: FinishedPack): void
  readonly bytesWritten: number
  finish(): FinishedPack
  /** Instead of `finish`. */
  discard(): void
}

export interface FinishedPack {
  readonly body: Body
  readonly size: number
  readonly contents: PackContents
  /** After the upload, or when it failed for good. */
  discard(): void
}

/** Where a prune's new packs are written before they are uploaded. */
export interface PackMaker {
  /** Packs of a kind that are filled at a time; each segment goes to one by chance. */
  readonly atOnce: number
  begin(kind: BlobKind): OpenPack
}

export interface PruneOptions {
  /** Younger packs are not candidates: a hint that spares sessions which upload before they open. Default one day. */
  readonly minimumAgeMs: number
  /** A session without a sign of life for this long, by the storage's clock, is expired. Default three days. */
  readonly expireAfterMs: number
  /** Packs of which a larger share is dead are repacked, 0..1. Default a quarter. */
  readonly repackAboveDeadShare: number
  /** Bytes at which a pack of copies is closed. Default 32 MiB. */
  readonly packBytes: number
  /** Index objects are merged when there are more small ones than this. Default 16. */
  readonly smallIndexObjects: number
  readonly shards: PackShards
}

const standardPruneOptions: PruneOptions = {
  minimumAgeMs: 24 * 3_600_000,
  expireAfterMs: 72 * 3_600_000,
  repackAboveDeadShare: 0.25,
  packBytes: 32 * 1024 * 1024,
  smallIndexObjects: 16,
  shards: 16,
}

/** Everything one prune works with. `store`, `decisions` and `loadedIndexes` fill while it plans and are used on. */
export interface PruneContext {
  readonly repository: Repository
  readonly store: LivenessStore
  readonly packs: PackMaker
  readonly clock: Clock
  readonly random: Random
  readonly options: PruneOptions
  readonly decisions: DecisionCache
  readonly loadedIndexes: Set<string>
  readonly frontier: Frontier
  /** Retire records that this run put: their time is the storage's own clock. */
  readonly ownRecords: Set<string>
  /** Footers that cannot be read. */
  readonly unreadable: Set<string>
  /** What this machine knows of snapshots; absent: nothing. */
  readonly memory?: RevisionMemory
}

type Given = Pick<PruneContext, 'repository' | 'store' | 'packs' | 'clock' | 'random' | 'memory'>

export function pruneContext(given: Given, options: Partial<PruneOptions> = {}): PruneContext {
  return {
    ...given, options: { ...standardPruneOptions, ...options }, decisions: new DecisionCache(), loadedIndexes: new Set(), ownRecords: new Set(),
    frontier: { required: [], optional: [], missing: [] }, unreadable: new Set(),
  }
}
