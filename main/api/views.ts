import type { UnusualReason } from '../../engine/protocol/changes.ts'
import type { ErrorCode, WireError } from '../../engine/protocol/errors.ts'
import type { CareDetails } from '../../engine/protocol/care.ts'
import type { ExcludeRules, RetentionPolicy } from '../../engine/protocol/job.ts'
import type { EntryView, FoundEntry, PathVersion, SearchCoverage, SnapshotChanges, SnapshotView } from '../../engine/protocol/messages.ts'
import type { AddressValues } from '../../engine/protocol/providers/description.ts'
import type { LanguageChoice } from '../text/language.ts'
import type { JobDisk } from './drive-views.ts'
import type { MailView } from './mail-views.ts'
import type { AccountsView, MissingAccount } from './account-views.ts'
import type { FilePreview, TextComparison } from '../../engine/protocol/preview.ts'
import type { OverwriteRule, PlannedEntry, PlanTotals } from '../../engine/protocol/restore-rules.ts'
import type { Schedule, Weekday } from '../../engine/protocol/schedule.ts'
import type { SpaceOutlook } from '../../engine/protocol/space.ts'
import type { SyncFigures } from '../../engine/protocol/sync.ts'
import type { Counters, Note, Operation, Problem, Progress, RunFigures, TransferEvent } from '../../engine/protocol/progress.ts'

/** What the window shows, as main publishes it. Plain data, no secrets; every list is in the order in which it is shown. */
export type { Counters, FilePreview, TextComparison, OverwriteRule, PlannedEntry, PlanTotals, Schedule, Note, EntryView, FoundEntry, PathVersion, SearchCoverage, SnapshotChanges, ErrorCode, ExcludeRules, Operation, Problem, Progress, SnapshotView, SpaceOutlook, SyncFigures, TransferEvent, UnusualReason, WireError }

/** The slow part of the picture: pushed whole whenever something in it changes. */
export interface AppState {
  readonly version: string
  /** Version of an Electron that gets no security fixes any more; absent where it is a current one. */
  readonly oldRuntime?: string
  readonly platform: 'linux' | 'darwin' | 'win32'
  readonly settings: SettingsView
  readonly jobs: readonly JobView[]
  /** Restores of this session, newest first, finished ones until they are dismissed. */
  readonly restores: readonly RestoreView[]
  /** The repository that is open without a job; it ends with the page. */
  readonly visit?: VisitView
  readonly accounts: AccountsView
  /** Folders of the person's home that no job covers, the largest first; empty without a job. */
  readonly uncovered: readonly UncoveredFolder[]
  /** Absent where nothing is open in the file manager. */
  readonly files?: FilesView
  /** Absent where no mail server is set up. */
  readonly mail?: MailView
  /** "Pause all" is on: running jobs are paused, scheduled runs wait. */
  readonly pausedAll: boolean
  /** When that ends by itself, ms since 1970; absent: only when somebody says so. */
  readonly pausedUntilMs?: number
  readonly surroundings: Surroundings
  /** Things the user should know that belong to no run; each can be dismissed by its id. */
  readonly notices: readonly Notice[]
}

/** A folder directly in the person's home. */
export interface UncoveredFolder {
  readonly name: string
  /** Sizes of its files, about; absent until it is known. */
  readonly bytes?: number
  /** There is more than was counted. */
  readonly isMore?: boolean
}

/** How long everything is paused: so many hours, until 8:00 of the next day, or until somebody goes on. */
export type PauseLength = 1 | 2 | 4 | 'tomorrow' | 'resumed'

/** The fast part: progress and lanes of what runs now. Each engine tells them at most four times a second. */
export interface LiveState {
  readonly runs: readonly LiveRun[]
  /** Upload and download of all engines together. */
  readonly bytesPerSecond: number
}

export interface LiveRun {
  readonly runId: string
  /** The job it belongs to; a restore has one too: the job, or the visit, whose repository it reads. */
  readonly jobId: string
  readonly operation: Operation
  readonly startedMs: number
  /** Absent until the engine's first report. */
  readonly progress?: Progress
  /** Lanes that are active, by id; ended ones stay for one push so that the bar can be seen to fill. */
  readonly transfers: readonly TransferEvent[]
  /** How many times the supervisor has started this run again after a crash. */
  readonly restarts: number
  readonly throughput?: ThroughputView
}

/** How fast a run went over the network, both directions: the bytes of each of its spans of so many ms, oldest first; the last one is not over yet. */
export interface ThroughputView {
  readonly everyMs: number
  readonly bytes: readonly number[]
}

/** A folder that main knows, by an id that only main can make. The window refers to it by id; `path` is there to be shown. */
export interface FolderView {
  readonly id: string
  readonly path: string
}

/** A folder as the window refers to it: one that was chosen in main's own dialog, or that the job in question holds already. */
export type FolderRef = Pick<FolderView, 'id'>

export interface JobView {
  readonly id: string
  readonly config: JobConfigView
  readonly state: JobRunState
  /** The computer's name in the job's snapshots, where it is known. */
  readonly host?: string
  /** Set while `state` is not `idle`. */
  readonly runId?: string
  readonly lastRun?: RunView
  /** When a backup was complete last, ms since 1970; absent: never yet. */
  readonly completeMs?: number
  /** From when on it is late unless a backup comes, ms since 1970. */
  readonly lateFromMs: number
  /** When the oldest of its snapshots was finished, as somebody has looked last; absent: nobody has. */
  readonly oldestMs?: number
  /** Its newest complete backups, at most 30, oldest first. */
  readonly recent: readonly RecentBackup[]
  /** It waits for somebody to sign in: nothing starts until then. */
  readonly signIn?: MissingAccount
  /** One of its backups was unusual: nothing older is let go until somebody says that it is fine. */
  readonly hold?: JobHold
  /** Other machines' jobs in its repository that are held so, as it was looked into last; the first twenty. Absent: none. */
  readonly otherHolds?: readonly OtherHold[]
  /** Why it does not run now; absent while it does, and where it is about to. */
  readonly waits?: Wait
  /** How its sources are watched; absent where its schedule does not ask for it, and while everything is paused. */
  readonly watch?: WatchView
  /** How its repository is looked after; absent where it is not, for want of a choice of what is kept. */
  readonly care?: CareView
  /** Disks that its backups go to, by turns where they are several; absent where it goes to none that can be told from others. */
  readonly disks?: readonly JobDisk[]
  /** Where else its backup is, in the order in which they were added. */
  readonly copies: readonly CopyView[]
  /** How originals, backup and copies are spread; absent before the first backup, and while nobody can say where the originals are. */
  readonly spread?: SpreadView
  /** Who is told of its backups. */
  readonly report?: ReportView
  /** Recovery kits of its repository; absent before the first backup. */
  readonly recovery?: RecoveryView
  /** Which secrets are kept; the values never reach the window. */
  readonly secrets: { readonly password: boolean; readonly storage: boolean }
}

export interface RecentBackup {
  readonly finishedMs: number
  /** What is in the backup, before anything is stored once only or compressed. */
  readonly bytes: number
  /** What it has sent to the storage. */
  readonly addedBytes: number
}

/** `starting`: folders are still being found. Where they are too many, or watching breaks off (it is tried again), the job runs each hour instead. */
export type WatchView =
  | { readonly state: 'starting' }
  /** `away`: sources that are not there. */
  | { readonly state: 'watching'; readonly folders: number; readonly away: number }
  | { readonly state: 'too-many' | 'broken' }

/** The words of kits never reach the window. */
export interface RecoveryView {
  /** Those whose pages were printed or saved, the newest first. */
  readonly kits: readonly KitView[]
  /** One whose words main knows until they are checked: it can be printed, saved and checked. */
  readonly fresh?: FreshKitView
}

export interface KitView {
  /** As it stands on the page. */
  readonly number: string
  /** ms since 1970. */
  readonly madeMs: number
  /** When some of its words were typed from the page; absent: never. */
  readonly checkedMs?: number
  /** The backup is at another address now than on the page. */
  readonly moved: boolean
}

export interface FreshKitView {
  readonly number: string
  /** Places of the words that are asked for, from 1. */
  readonly asks: readonly number[]
  /** Its page was printed or saved. */
  readonly given: boolean
}

/** `ping`: as healthchecks.io does it. `json`: one object for each event. */
export type ReportKind = 'ping' | 'json'

/** Somebody who is told of the backups of a job. The address never reaches the window: what identifies its owner is part of it. */
export interface ReportView {
  readonly kind: ReportKind
  /** Scheme, host and port. */
  readonly origin: string
  /** The last message did not arrive: `offline`, `timeout`, `lost` (the address cannot be opened), or the status of the answer. */
  readonly failed?: { readonly atMs: number; readonly reason: string }
}

/** The same as the window sends it. */
export interface JobReport {
  readonly kind: ReportKind
  readonly address: string
}

/** A copy of the repository of a job (of all jobs in it) at another place. */
export interface CopyView {
  readonly id: string
  readonly destination: DestinationView
  /** What is forgotten in the repository is forgotten there too; else it stays. */
  readonly removeVanished: boolean
  readonly state: JobRunState
  /** Set while `state` is not `idle`. */
  readonly runId?: string
  readonly lastRun?: RunView
  /** When it had all that there was to copy, ms since 1970; absent: never yet. */
  readonly completeMs?: number
  /** Of the repository's snapshots, as the last run that told it has found. */
  readonly snapshots?: number
  /** Why it does not run now; `asked`: there is nothing to copy yet. */
  readonly waits?: Wait
  /** How it is looked after; absent while it is not whole. */
  readonly care?: CareView
}

/** Counts of copies: the originals are one. */
export interface SpreadView {
  readonly copies: number
  /** Kinds of storage that they are on. */
  readonly kinds: number
  /** Of them, those that are not at this computer. */
  readonly elsewhere: number
  /** All would be lost together, and nobody has said that this is as it should be. */
  readonly hint?: 'disk' | 'computer'
}

export interface JobHold {
  /** `JOB@REV` of the first of them. */
  readonly since: string
  readonly reasons: readonly UnusualReason[]
}

/** Of a job that is none of this app's. */
export interface OtherHold extends JobHold {
  readonly job: string
  readonly host: string
  /** When that snapshot was finished, ms since 1970 by that machine's clock. */
  readonly sinceMs?: number
}

/** A job of which nothing has come for too long. */
export interface LateBackup {
  readonly job: string
  /** Absent: it is a job of this app. */
  readonly host?: string
  /** Whole days since the last one, or since the job was made. */
  readonly days: number
}

/** `restarting`: its engine crashed and the supervisor is about to start it again. `queued`: it waits for a free place (global concurrency). */
export type JobRunState = 'idle' | 'queued' | 'running' | 'paused' | 'restarting' | 'stopping'

/** Why something does not run now, and until when where that is known. */
export interface Wait {
  readonly wait: WaitReason
  readonly untilMs?: number
}

export type WaitReason =
  /** Its time has not come. */
  | { readonly type: 'schedule' }
  /** Nothing has changed in its sources; it runs in any case when the time comes. */
  | { readonly type: 'changes' }
  /** It was missed while the computer was off or asleep, and is made up for when things have settled. */
  | { readonly type: 'catch-up' }
  /** The last run failed for a reason that may be gone by then. */
  | { readonly type: 'retry' }
  /** The last run ended because this was away; it goes on when it is back. */
  | { readonly type: 'away'; readonly what: 'destination' | 'source' }
  /** None of its disks is plugged in; one is enough. */
  | { readonly type: 'disk'; readonly names: readonly string[] }
  /** Only a person starts it. */
  | { readonly type: 'asked' }
  | { readonly type: 'paused' }
  | ({ readonly type: 'sign-in' } & MissingAccount)
  /** Its conditions: mains power, enough battery, a connection on which data costs nothing, a network that it may use, nobody at the computer. */
  | { readonly type: 'power' }
  | { readonly type: 'battery'; readonly above: number }
  | { readonly type: 'metered' }
  | ({ readonly type: 'network' } & NamedNetworks)
  | { readonly type: 'idle' }
  /** So many run already as may at once. */
  | { readonly type: 'place'; readonly most: number }
  /** Something has just run in its repository, or is about to. */
  | { readonly type: 'quiet' }
  /** What works on the same repository has to end first. */
  | { readonly type: 'repository'; readonly operation: Operation }
  /** Holdfast is about to end. */
  | { readonly type: 'ending' }

/** When a job may run by itself. Absent or false: whatever it is. */
export interface Conditions {
  readonly mains?: boolean
  /** On battery only with at least so many percent, 1 to 99. */
  readonly batteryAbove?: number
  /** Not where data costs. */
  readonly unmetered?: boolean
  /** Only when nobody uses the computer, or it is locked. A run under way goes on. */
  readonly idle?: boolean
  readonly networks?: NamedNetworks
}

/** Connections by the names that the desktop shows, 1 to 20. */
export interface NamedNetworks {
  readonly rule: 'only' | 'never'
  readonly names: readonly string[]
}

/** What this computer says of itself; absent: it cannot be known here, and a condition on it counts as met. */
export interface Surroundings {
  readonly onBattery?: boolean
  readonly batteryPercent?: number
  readonly metered?: boolean
  readonly networks?: readonly string[]
  readonly idle?: boolean
}

/** What a job is, but for its folders. */
interface JobTerms {
  /** Unique on this machine: 1–64 of letters, digits, space, `._-`. Fixed after the job was made (it is part of snapshot ids). */
  readonly name: string
  readonly excludes: ExcludeRules
  /** Uploads at a time, 1–32; the storage's own cap may be lower. */
  readonly concurrency: number
  /** Bytes a second for this job alone, beneath the limit of all jobs; absent: no own limit. */
  readonly uploadBytesPerSecond?: number
  readonly schedule: Schedule
  /** When it may run by itself; absent: always. What is started by hand runs in any case. */
  readonly conditions?: Conditions
  /** Which snapshots are kept. Without any rule all are; absent: nobody has chosen, and the repository is not looked after on behalf of this job. */
  readonly retention?: Retention
}

/** Counts of 1–9999 each; `withinMs` in ms, up to 36500 days. */
export type Retention = RetentionPolicy

/** What rules would do to the snapshots of a job. */
export interface RetentionPreview {
  readonly kept: number
  readonly forgotten: number
  /** When the oldest that stays was finished, ms since 1970; absent where none is there. */
  readonly oldestKeptMs?: number
  /** About what would be free after the next care; absent where it is not known. */
  readonly freedBytes?: number
  /** The newest of them, newest first, at most 500. */
  readonly snapshots: readonly PreviewedSnapshot[]
}

export interface PreviewedSnapshot {
  /** ms since 1970. */
  readonly finishedMs: number
  /** Whose it is, where snapshots of several computers are among them. */
  readonly host?: string
  /** The rules that keep it; empty: it goes. */
  readonly stays: readonly string[]
}

export interface CareView {
  readonly running: boolean
  /** With `care`, unless it broke off. */
  readonly lastRun?: RunView
  /** Why it does not run now. */
  readonly waits?: Wait
}

/** What a care has done. */
export interface CareFigures extends Pick<CareDetails, 'prune' | 'freedBytes' | 'affectedCount' | 'drill' | 'drilledFiles' | 'unreadPacks' | 'oldestVerifiedMs'> {
  /** Snapshots that were removed. */
  readonly forgotten: number
}

/** A job as main keeps it; it never crosses to the window or comes from there. */
export interface JobConfig extends JobTerms {
  /** Absolute paths, at least one. */
  readonly sources: readonly string[]
  readonly destination: Destination
}

/** A job as the window shows it. */
export interface JobConfigView extends JobTerms {
  readonly sources: readonly FolderView[]
  readonly destination: DestinationView
}

/** A job as the window asks for it. */
export interface JobConfigInput extends JobTerms {
  readonly sources: readonly FolderRef[]
  readonly destination: DestinationInput
}

/** A storage that has an address: the id of its description (engine/protocol/providers), and checked values by field name. */
export interface ProviderDestination {
  readonly type: 'provider'
  readonly provider: string
  readonly values: AddressValues
}

export type Destination = { readonly type: 'folder'; readonly path: string } | ProviderDestination
export type DestinationView = { readonly type: 'folder'; readonly folder: FolderView } | ProviderDestination
export type DestinationInput = { readonly type: 'folder'; readonly folder: FolderRef } | ProviderDestination

/** Secrets as the window sends them; never the other way. Absent means: keep what is stored, as long as the destination stays the same. */
export interface SecretsInput {
  readonly password?: string
  /** By the names of the secrets in the provider's description; takes the place of all that are stored. */
  readonly storage?: Readonly<Record<string, string>>
}

/** One run in the history; `history.problems` returns the problems that were kept (the first 1000). */
export interface RunView extends RunFigures {
  readonly id: string
  readonly jobId: string
  readonly trigger: 'manual' | 'schedule' | 'catch-up'
  /** `stopped`: by the user. `failed` and `partial` carry `error`. */
  readonly outcome: 'success' | 'unchanged' | 'warnings' | 'partial' | 'failed' | 'stopped'
  readonly restarts: number
  readonly error?: WireError
  /** Of a care that came to its end. */
  readonly care?: CareFigures
  /** Of a sync that has told what it did. */
  readonly copy?: SyncFigures
  /** Absent where nothing was transferred, or in a moment. */
  readonly throughput?: ThroughputView
}

/** Whose repository is looked at: that of a job, or the one that somebody opened without a job (`visit.open`). */
export type PlaceRef = { readonly jobId: string } | { readonly visitId: string }

/** What an address means. `path`: of a folder, to be shown: it is chosen in a dialog. `words`: what is wrong with it, repeating nothing of it. */
export type AddressReading =
  | ProviderDestination
  | { readonly type: 'folder'; readonly path: string }
  | { readonly type: 'wrong'; readonly words: string }
  | { readonly type: 'unknown' }

/** Snapshots that are open to programs of this user, by WebDAV on this computer. */
export interface FilesView {
  readonly place: PlaceRef
  /** As a file manager takes it. */
  readonly address: string
  readonly user: string
  /** A file manager was told to show it. */
  readonly shown: boolean
}

/** A repository that is open without a job. */
export interface VisitView {
  readonly id: string
  /** Where it is, in one line. */
  readonly name: string
  /** No machine has left its jobs in it, or some have. */
  readonly machines: number
}

/** A computer that left its jobs in a repository, for another to take its place. */
export interface MachineView {
  /** Good as long as the repository is open. */
  readonly id: string
  readonly host: string
  readonly user: string
  /** ms since 1970, by that computer's clock. */
  readonly savedMs: number
  /** It has the name of this computer: there is no choice whose snapshots its jobs go on with. */
  readonly sameHost: boolean
  /** Its home folder is another than here, and sources are in it. */
  readonly home?: { readonly from: string; readonly to: string }
  /** Absent: they are damaged, or of a later version of Holdfast. */
  readonly jobs?: readonly MachineJobView[]
}

export interface MachineJobView {
  readonly name: string
  readonly schedule: Schedule
  readonly retention?: Retention
  /** `there`: its path on that computer; `here`: on this one. */
  readonly sources: readonly { readonly there: string; readonly here: string; readonly exists: boolean }[]
  /** Why it cannot be one of this computer: a job has its name, its sources hold the repository, or its settings mean nothing here. */
  readonly problem?: 'taken' | 'inside' | 'unusable'
}

export interface RestoreView {
  readonly id: string
  readonly place: PlaceRef
  /** Name of the job, or where the repository is. */
  readonly from: string
  readonly snapshot: string
  /** How many more snapshots it takes something from. */
  readonly more: number
  /** A folder; absent: where the files were. */
  readonly target?: string
  /** How many paths were picked; 0: everything. */
  readonly paths: number
  /** How many were left out of what was picked. */
  readonly except: number
  readonly state: JobRunState
  /** Key into LiveState.runs while it runs. */
  readonly runId: string
  /** Something that was not restored can be tried again. */
  readonly canRetry: boolean
  readonly result?: RunView
}

/** Limits that hold between two times (`HH:MM`, local) on chosen days, in order; over midnight, the day is that of the beginning. */
export interface LimitTime {
  readonly days: readonly Weekday[]
  readonly from: string
  readonly to: string
  readonly uploadBytesPerSecond?: number
  readonly downloadBytesPerSecond?: number
}

export interface SettingsView {
  readonly language: LanguageChoice
  readonly theme: 'system' | 'light' | 'dark'
  readonly autoStart: boolean
  /** `failures`: warnings and failures only. */
  readonly notifications: 'all' | 'failures' | 'none'
  /** Backups that run at once, 1–8; restores do not count. */
  readonly parallelJobs: number
  /** For new jobs, 1–32. */
  readonly defaultConcurrency: number
  /** Shared by all jobs; absent: unlimited. */
  readonly uploadBytesPerSecond?: number
  readonly downloadBytesPerSecond?: number
  /** Times with limits of their own; the first that fits counts. */
  readonly limitTimes?: readonly LimitTime[]
  /** Where secrets are kept. `file`: no keychain was found, a key file readable by the user alone protects them; the window says so. */
  readonly secretStorage: 'keychain' | 'file'
  /** False where start on login cannot be set (message in place of the switch). */
  readonly autoStartSupported: boolean
}

export type Notice =
  | { readonly id: string; readonly type: 'settings-damaged'; readonly movedTo: string }
  | { readonly id: string; readonly type: 'jobs-damaged'; readonly movedTo: string }
  | { readonly id: string; readonly type: 'secrets-damaged'; readonly movedTo: string }
  | { readonly id: string; readonly type: 'secrets-in-file' }
  /** Others could write in the folder of settings and state until now. */
  | { readonly id: string; readonly type: 'home-was-open'; readonly folder: string }
  /** Backups that have not come for too long, longest first. */
  | { readonly id: 'late'; readonly type: 'late'; readonly late: readonly LateBackup[] }
  /** Is the password of this job's repository still known? */
  | { readonly id: 'password'; readonly type: 'password'; readonly jobId: string }
  /** There is no recovery kit of this job's repository yet. */
  | { readonly id: 'kit'; readonly type: 'kit'; readonly jobId: string }
  /** A package made for tests, with a runtime that gets no security fixes. */
  | { readonly id: string; readonly type: 'old-runtime'; readonly version: string }
  | { readonly id: string; readonly type: 'engine-crashed'; readonly jobId: string; readonly restarts: number; readonly givenUp: boolean }

/** What `destination.test` found. Failures come as an error with a code (`offline`, `credentials`, `denied`, `password`, …). */
export interface TestView {
  readonly repository: 'none' | 'exists'
  readonly repositoryId?: string
  /** False: exclusive creation is missing, the repository will use the slower `flags` mode. */
  readonly exclusiveCreate: boolean
  readonly maxConnections?: number
  /** The fingerprint that the server has shown, to be compared by a person. */
  readonly serverKey?: string
  /** At another address than the job's, and yet the job's own repository: it can move there with all that it knows. */
  readonly sameRepository?: true
}

/** Where a tray click or a notification asks the window to go. */
export type Route =
  | { readonly page: 'jobs' }
  | { readonly page: 'job'; readonly jobId: string; readonly runId?: string }
  | { readonly page: 'restore'; readonly restoreId: string }
  | { readonly page: 'settings' }
