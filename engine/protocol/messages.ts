import type { AccountReference, TokenAnswer } from './accounts.ts'
import type { HeldJob, UnusualReason } from './changes.ts'
import type { WireError } from './errors.ts'
import type { EngineJob, JobSecrets, RestoreInto, RestoreJob } from './job.ts'
import type { FilePreview, TextComparison } from './preview.ts'
import type { PlanPage } from './restore-rules.ts'
import type { Progress, TransferEvent, RunSummary, Problem } from './progress.ts'

/** Version of this message set; `ready` announces it and the supervisor refuses another. */
export const protocolVersion = 1

/** What the supervisor tells an engine. `start` comes first and once; it and `token` are the only messages that carry secrets. */
export type EngineCommand =
  | { readonly type: 'start'; readonly job: EngineJob; readonly secrets: JobSecrets; readonly limits: Limits }
  | { readonly type: 'pause' }
  | { readonly type: 'resume' }
  | { readonly type: 'limits'; readonly limits: Limits }
  /** Ends the run: `drain` lets uploads in flight finish, `cancel` breaks them off. */
  | { readonly type: 'stop'; readonly mode: 'drain' | 'cancel' }
  | { readonly type: 'permit-granted'; readonly request: number }
  /** The storage of an account that this engine uses asked for so many ms of peace, whoever it asked. */
  | { readonly type: 'account-pause'; readonly account: string; readonly pauseMs: number }
  /** Answers a `token-request`. */
  | { readonly type: 'token'; readonly request: number; readonly answer: TokenAnswer }
  /** Only for a `browse`, `serve` or `watch` engine, which answers until it is stopped. */
  | { readonly type: 'query'; readonly request: number; readonly query: BrowseQuery }

/** What an engine tells the supervisor; the last one is exactly one `finished` or `failed`. */
export type EngineEvent =
  | { readonly type: 'ready'; readonly protocolVersion: number; readonly pid: number }
  | { readonly type: 'heartbeat' }
  | { readonly type: 'progress'; readonly progress: Progress }
  | { readonly type: 'transfer'; readonly transfer: TransferEvent }
  | { readonly type: 'log'; readonly level: 'debug' | 'info' | 'warning' | 'error'; readonly time: number; readonly message: string; readonly context: LogContextWire }
  /** Asks for leave to open one more transfer to `account`; answered by `permit-granted`. */
  | { readonly type: 'permit-request'; readonly request: number; readonly account: string; readonly cap: number }
  | { readonly type: 'permit-release'; readonly request: number }
  /** Requests to this account follow; answered by `account-pause` where its storage wants to be left alone, now or later. */
  | { readonly type: 'account-use'; readonly account: string }
  /** The storage asked to be left alone for so long, which all that use the account do. */
  | { readonly type: 'account-pause'; readonly account: string; readonly pauseMs: number }
  /** Asks for a token of an account that an address of the job names; answered by `token`. `rejected`: mark of one that the storage refused, never the token itself. */
  | { readonly type: 'token-request'; readonly request: number; readonly account: AccountReference; readonly rejected?: string }
  /** A file or folder that is not, or not wholly, in the snapshot. */
  | { readonly type: 'problem'; readonly problem: Problem }
  | { readonly type: 'answer'; readonly request: number; readonly answer: BrowseAnswer }
  | { readonly type: 'finished'; readonly summary: RunSummary }
  | { readonly type: 'failed'; readonly error: WireError; readonly summary?: RunSummary }

export interface LogContextWire {
  readonly job?: string
  readonly operation?: string
  /** `HOST/JOB`, and the snapshot of it that a sync is at. */
  readonly group?: string
  readonly snapshot?: string
  readonly file?: string
  readonly pack?: string
  readonly object?: string
  readonly attempt?: number
}

/** Bytes a second; absent means unlimited. Changeable while a run goes on. */
export interface Limits {
  readonly uploadBytesPerSecond?: number
  readonly downloadBytesPerSecond?: number
}

/** What of a snapshot is to be restored. */
export type PlannedPart = Pick<RestoreJob, 'snapshot' | 'paths' | 'except'>

export type BrowseQuery =
  | { readonly type: 'snapshots' }
  /** One directory of a snapshot, a page at a time, so that a huge one needs no wait. `path` is a Uint8Array of exact bytes, empty for the root. */
  | { readonly type: 'list'; readonly snapshot: string; readonly path: Uint8Array; readonly after?: Uint8Array; readonly limit: number }
  /** Says something about a snapshot; what is not given stays. */
  | { readonly type: 'annotate'; readonly snapshot: string; readonly change: Partial<AnnotationView> }
  /** Says that what was unusual about a job on a host is as it should be. */
  | { readonly type: 'acknowledge'; readonly job: string; readonly host: string }
  /** Lets one more password open the repository. */
  | { readonly type: 'add-password'; readonly password: string }
  /** Lets the words of a new recovery kit open the repository. */
  | { readonly type: 'make-kit' }
  /** Takes a key away, by its whole name. */
  | { readonly type: 'remove-key'; readonly key: string }
  /** Of a `serve` engine, which answers nothing else: where its door is, once it is open. */
  | { readonly type: 'door' }
  /** What machines left in the repository so that another can take their place. */
  | { readonly type: 'machines' }
  /** Of a `watch` engine, which answers nothing else, and not before all folders are found and there is something new to tell. */
  | { readonly type: 'watched' }
  /** Entries of all snapshots by parts of their names; a newer search ends it (`aborted`). `after`: `next` of the answer before. */
  | { readonly type: 'search'; readonly text: string; readonly after?: string; readonly limit: number }
  /** What a snapshot changed, compared with the one before it of its job and host; `limit`: of entries that are told one by one. A newer such query ends it (`aborted`). */
  | { readonly type: 'diff'; readonly snapshot: string; readonly limit: number }
  /** A stretch of what a restore of these paths would meet where it goes; see PlanPage. Nothing is written. `after`: `next` of the answer before. */
  | ({ readonly type: 'plan'; readonly target: RestoreInto; readonly after?: Uint8Array; readonly limit: number } & PlannedPart)
  /** What a file holds, as far as it can be shown. Bytes as in `list`. */
  | { readonly type: 'preview'; readonly snapshot: string; readonly path: Uint8Array }
  /** How two versions of a text file differ. */
  | { readonly type: 'compare'; readonly older: string; readonly newer: string; readonly path: Uint8Array }
  /** What a path was in the snapshots of the same job and host. Bytes as in `list`. */
  | { readonly type: 'versions'; readonly snapshot: string; readonly path: Uint8Array }

export type BrowseAnswer =
  /** `missed`: what the repository lacks of what this machine has seen in it, in words. `held`: jobs of which a backup was unusual. */
  | { readonly type: 'snapshots'; readonly snapshots: readonly SnapshotView[]; readonly missed: readonly string[]; readonly held: readonly HeldJob[] }
  | { readonly type: 'list'; readonly entries: readonly EntryView[]; readonly more: boolean }
  /** What is said about it now. */
  | { readonly type: 'annotated'; readonly snapshot: string; readonly annotation: AnnotationView }
  /** `JOB@REV` of what was unusual, and is not any more. */
  | { readonly type: 'acknowledged'; readonly snapshots: readonly string[] }
  /** `key`: the name of the key that it opens. */
  | { readonly type: 'password-added'; readonly key: string }
  /** `key`: the name of its key. `words` and `page` (HTML that bears them) are for main alone. */
  | { readonly type: 'kit'; readonly repositoryId: string; readonly key: string; readonly words: string; readonly page: string }
  | { readonly type: 'key-removed' }
  /** The newest first. */
  | { readonly type: 'machines'; readonly repositoryId: string; readonly machines: readonly MachineRecord[] }
  /** On 127.0.0.1. The password is for main alone. */
  | { readonly type: 'door'; readonly port: number; readonly user: string; readonly password: string; readonly snapshots: number }
  /** Folders that are watched, sources that are not there, changes so far. */
  | { readonly type: 'watched'; readonly folders: number; readonly away: number; readonly changes: number }
  /** `next`: where there are more. */
  | { readonly type: 'found'; readonly entries: readonly FoundEntry[]; readonly next?: string; readonly coverage: SearchCoverage }
  | ({ readonly type: 'differences' } & SnapshotChanges)
  | ({ readonly type: 'planned' } & PlanPage)
  | { readonly type: 'previewed'; readonly preview: FilePreview }
  | { readonly type: 'compared'; readonly comparison: TextComparison }
  /** The newest first; empty where nothing is known of the path. */
  | { readonly type: 'versions'; readonly versions: readonly PathVersion[]; readonly coverage: SearchCoverage }
  | { readonly type: 'error'; readonly error: WireError }

/** How an entry of one snapshot differs from that of its path in another. `metadata`: it holds the same, and its time, rights, owner or attributes differ. */
export const differenceKinds = ['added', 'removed', 'content', 'metadata', 'type'] as const
export type DifferenceKind = (typeof differenceKinds)[number]

/** How many entries differ in a way, and how many bytes the files among them have: before where they are gone, else after. */
export interface DifferenceTotal {
  readonly entries: number
  readonly bytes: number
}

export type DifferenceTotals = Readonly<Record<DifferenceKind, DifferenceTotal>>

/** What changed from one snapshot to another. */
export interface SnapshotChanges {
  /** Absent: nothing came before. */
  readonly older?: string
  readonly newer: string
  /** The first of them by their paths, without those of metadata alone. */
  readonly entries: readonly DifferenceView[]
  readonly totals: DifferenceTotals
  /** False: there are more than were counted. */
  readonly complete: boolean
}

/** An entry that is not in both snapshots as it is in the other. */
export interface DifferenceView {
  readonly kind: DifferenceKind
  /** Exact bytes; the same for people: its name, and the folder that it is in (empty: the root). */
  readonly path: Uint8Array
  readonly shown: string
  readonly folder: string
  /** Of the newer one; of the older where it is gone. */
  readonly type: EntryView['type']
  /** Of files, bytes. */
  readonly sizeBefore?: number
  readonly size?: number
}

/** How much of the repository the index of names has. */
export interface SearchCoverage {
  /** Snapshots that were searched, of those that there are. */
  readonly searched: number
  readonly snapshots: number
  /** More are being taken in: asked again, there may be more. */
  readonly filling: boolean
}

/** A path that a search has found. */
export interface FoundEntry {
  /** The newest snapshot that has it, `JOB@REV`. */
  readonly snapshot: string
  readonly job: string
  readonly host: string
  /** In the snapshot, exact bytes; the same for people: its name, and the folder that it is in (empty: the root). */
  readonly path: Uint8Array
  readonly shown: string
  readonly folder: string
  /** Of its newest version. */
  readonly type: EntryView['type']
  readonly size?: number
  readonly mtimeMs: number
  readonly versions: number
  /** When the newest snapshot that has it was finished, ms since 1970. */
  readonly lastMs: number
  /** In the newest snapshot of its job and host. */
  readonly there: boolean
}

/** A path as it was in one snapshot or several one after the other: of the same type, size and content. Times in ms since 1970. */
export interface PathVersion {
  /** The newest snapshot that has it, `JOB@REV`. */
  readonly snapshot: string
  /** When the oldest and the newest snapshot that have it were finished. */
  readonly firstMs: number
  readonly lastMs: number
  readonly snapshots: number
  readonly type: EntryView['type']
  readonly size?: number
  readonly mtimeMs: number
  /** When the snapshot was finished in which nothing was at the path any more; absent: another version followed, or it is there still. */
  readonly goneMs?: number
}

/** What a machine left in a repository; see engine/protocol/machine-settings.ts for what the app's settings hold. */
export interface MachineRecord {
  readonly host: string
  readonly user: string
  /** ms since 1970, by that machine's clock. */
  readonly savedMs: number
  /** JSON of the app that left it. */
  readonly settings: string
}

export interface SnapshotView {
  /** `JOB@REV` */
  readonly id: string
  readonly job: string
  readonly revision: number
  readonly host: string
  readonly sources: readonly string[]
  readonly startedMs: number
  readonly finishedMs: number
  readonly files: number
  readonly bytes: number
  readonly problems: number
  /** Why the run that made it was unusual. Absent: it was not, or somebody has said that it is fine. */
  readonly unusual?: readonly UnusualReason[]
  /** What people said about it; absent: nothing. */
  readonly annotation?: AnnotationView
}

/** See engine/snapshot/annotation.ts; `name` and `note` may be empty. */
export interface AnnotationView {
  readonly pinned: boolean
  readonly name: string
  readonly note: string
  readonly fine?: boolean
}

export interface EntryView {
  /** Exact bytes, to send back. */
  readonly name: Uint8Array
  /** For people: invalid UTF-8 and control characters escaped. */
  readonly shown: string
  readonly type: 'file' | 'directory' | 'symlink' | 'fifo'
  readonly size?: number
  readonly mtimeMs: number
  readonly linkTarget?: string
}
