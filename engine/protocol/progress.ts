import type { UnusualReason } from './changes.ts'
import type { KnownRepository } from './known.ts'
import type { SpaceOutlook } from './space.ts'

/** A whole picture of a run, sent at most four times a second; the receiver keeps only the newest. */
export interface Progress {
  readonly operation: Operation
  readonly phase: Phase
  readonly paused: boolean
  /** Set while transfers wait for a storage that is away. */
  readonly waitingFor?: { readonly code: 'offline' | 'throttled' | 'unavailable' | 'permit'; readonly sinceMs: number }
  readonly files: Counters
  readonly bytes: Counters
  /** Transfers of this run in bytes, over the network, both directions. */
  readonly transferredBytes: number
  /** Over the network, both directions, in the last five seconds; the same in every operation. */
  readonly bytesPerSecond: number
  /** While transfers go on: how many may run at once now, of how many somebody wants. */
  readonly atOnce?: AtOnce
  /** 0..1 where it is known. */
  readonly fraction?: number
  /** Remaining time as a range, in ms. */
  readonly etaMs?: { readonly from: number; readonly to: number }
  /** The run takes up an interrupted one: what is already there. */
  readonly continuedFraction?: number
  readonly currentPath?: string
  readonly sync?: SyncProgress
  readonly problems: number
}

/** How a sync goes beyond what every run tells. */
export interface SyncProgress {
  readonly groups: Share
  readonly snapshots: Share
  /** Snapshots on their way now, one for each group that is copied. Bytes of their files. */
  readonly at: readonly { readonly group: string; readonly snapshot: string; readonly doneBytes: number; readonly totalBytes: number }[]
  /** Over the network: from the source, and to the destination. */
  readonly readBytes: number
  readonly readBytesPerSecond: number
  readonly sentBytes: number
  readonly sentBytesPerSecond: number
}

interface Share {
  readonly done: number
  readonly total: number
}

export interface AtOnce {
  readonly limit: number
  readonly wanted: number
  /** Why these are not the same: the storage bears no more just now (`refused`), or more bring nothing, as far as is known (`enough`). */
  readonly because?: 'refused' | 'enough'
}

export type Operation = 'backup' | 'restore' | 'check' | 'forget' | 'prune' | 'care' | 'drill' | 'rebuild' | 'browse' | 'serve' | 'watch' | 'test' | 'init' | 'sync'

export type Phase = 'opening' | 'scanning' | 'working' | 'finishing' | 'verifying'

/** The five counters of requirement A8, for files and for bytes. */
export interface Counters {
  /** Seen so far. */
  readonly found: number
  readonly unchanged: number
  readonly deduplicated: number
  /** Stored (backup) or written (restore). */
  readonly uploaded: number
  readonly waiting: number
}

/** Of what handles no files. */
export const noCounters: Counters = { found: 0, unchanged: 0, deduplicated: 0, uploaded: 0, waiting: 0 }

/** One lane: a transfer begins, moves, ends. */
export interface TransferEvent {
  readonly id: number
  readonly state: 'active' | 'done' | 'failed'
  readonly direction: 'up' | 'down'
  /** Short and fit to show, e.g. `pack 3f2a…`. */
  readonly name: string
  readonly bytes: number
  readonly totalBytes: number
  /** Since this attempt began. */
  readonly bytesPerSecond: number
  /** 1 for the first try. */
  readonly attempt: number
}

/**
 * A file that is not, or not wholly, in the snapshot (or not restored), or a snapshot that was seen in the repository and is gone (`rolled-back`; its
 * id is the path), that a sync could not copy (`not-synced`; the path is `HOST/JOB › JOB@REV`), or that what a backup found is unusual as a whole (`unusual-change`; the job is the
 * path). A warning of the run.
 */
export interface Problem {
  readonly code: 'source-missing' | 'source-changed' | 'unreadable' | 'vanished' | 'changed' | 'damaged' | 'not-restored' | 'metadata' | 'rolled-back' | 'not-synced' | 'unusual-change'
  /** For people: escaped as in EntryView. */
  readonly path: string
  readonly message: string
  /** Of what was not restored: which version of what. `pathBytes`: its exact path in the snapshot, in base64. */
  readonly from?: { readonly snapshot: string; readonly pathBytes: string }
}

/** What a backup met that is worth telling once, and takes nothing from the snapshot: never a warning. */
export interface Note {
  readonly code: 'socket' | 'device' | 'own-folder' | 'time' | 'attributes' | 'database'
  /** How often. */
  readonly count: number
  /** Where it was met first; escaped as in EntryView. */
  readonly path: string
  readonly message: string
}

/** What a run did in figures, as its engine tells it and as a history keeps it. */
export interface RunFigures {
  readonly operation: Operation
  readonly startedMs: number
  readonly finishedMs: number
  readonly files: Counters
  readonly bytes: Counters
  /** Bytes that went to the storage, packs and all else. */
  readonly uploadedBytes: number
  readonly downloadedBytes: number
  /** Packs of an earlier, interrupted run that this run took over instead of sending them again. */
  readonly adoptedPacks: number
  /** Bytes of the repository that were read back to verify a sample. */
  readonly verifiedBytes?: number
  /** How many there were, also where fewer are kept. */
  readonly problems: number
  /** One for each kind. */
  readonly notes?: readonly Note[]
  /** `JOB@REV` where the run made one. */
  readonly snapshot?: string
  /** Of a backup: why what it found is unusual. Absent: it is not. */
  readonly unusual?: readonly UnusualReason[]
  /** Of a backup: what the storage has left, where it says. */
  readonly space?: SpaceOutlook
}

export interface RunSummary extends RunFigures {
  readonly outcome: 'success' | 'unchanged' | 'warnings' | 'partial' | 'failed'
  /** The first 100, the log has them all. */
  readonly firstProblems: readonly Problem[]
  readonly repositoryId?: string
  /** What the machine knows of the repository now, for who sent `known`. */
  readonly known?: KnownRepository
  /** Anything a command has to say beyond this, as plain JSON (check: damage list; prune: plan; test: what was found). */
  readonly details?: unknown
}
