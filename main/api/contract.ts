import type { OverwriteRule, PlanPage } from '../../engine/protocol/restore-rules.ts'
import type { AccountView, SignInKind } from './account-views.ts'
import type { DriveFolderView, DriveView } from './drive-views.ts'
import type { AddressReading, AppState, FilePreview, TextComparison, DestinationInput, EntryView, ExcludeRules, FolderRef, FolderView, FoundEntry, JobConfigInput, LiveState, MachineView, PathVersion, PlaceRef, Problem, Retention, RetentionPreview, Route, RunView, SnapshotChanges } from './views.ts'
import type { LogFilter, LogPage, LogPosition, SupportPage, SupportView } from './log-views.ts'
import type { LimitTime, JobReport, PauseLength, SearchCoverage, SecretsInput, SettingsView, SnapshotView, TestView, WireError } from './views.ts'
import type { MailReason, MailServer, MailWhen } from './mail-views.ts'

export type * from './account-views.ts'
export type * from './log-views.ts'
export type * from './mail-views.ts'
export type * from './views.ts'
export type { DriveFolderView, DriveView, JobDisk } from './drive-views.ts'

/**
 * The one map of what the window may ask: channel → signature. Every request is one plain object (or none) and is parsed in main
 * before it is used; every reply comes wrapped in `Reply`, because Electron would strip an error of its code.
 *
 * The window may be compromised, so it has no authority: folders come from dialogs that main opened, kept secrets go only where
 * they were entered for, and what is marked "asks" is first confirmed in a native dialog of main. Where the person says no, the
 * error is `aborted` with `data.declined`. Any request may be refused with `busy` and `data.pace` when too many come at once.
 */
export interface Api {
  /** Everything, for the first paint and after a reload. */
  'state.get'(): { readonly app: AppState; readonly live: LiveState }

  /** Makes a job. Errors: `exists` (name taken), `arguments` (with `data.field`). Does not start it. Asks for a storage on the network that no job uses yet, and where fewer snapshots are kept than usual. */
  'job.add'(request: { readonly config: JobConfigInput; readonly secrets: SecretsInput }): { readonly jobId: string }
  /**
   * Changes a job; name and id stay. A running run goes on with what it was started with. Another destination wants all secrets
   * anew (`password`, `data.missing`). Asks before the destination changes, or the job protects less than before.
   */
  'job.update'(request: { readonly jobId: string; readonly config: JobConfigInput; readonly secrets: SecretsInput }): void
  /** Forgets the job, its history and its secrets; the repository stays untouched. `busy` while it runs. Asks. */
  'job.remove'(request: { readonly jobId: string }): void
  /** Starts or queues a backup now. `busy` when one is running or queued; `credentials` with `data.signIn` when somebody has to sign in first. */
  'job.run'(request: { readonly jobId: string }): { readonly runId: string }
  /** Starts a backup that takes the repository as it is, though it lacks snapshots that this computer has seen (`rolled-back`). Errors: `busy`. Asks. */
  'job.acceptOlder'(request: { readonly jobId: string }): { readonly runId: string }
  /**
   * Says that the unusual change for which the job is held (`JobView.hold`) is as it should be: older snapshots may go again. Waits for the storage.
   * `of`: another one in its repository (`JobView.otherHolds`); `not-found` where that is not held. Asks.
   */
  'job.acknowledge'(request: { readonly jobId: string; readonly of?: { readonly job: string; readonly host: string } }): void
  /** Looks after the job's repository now, as soon as nothing else runs in it. Errors: `busy` when that runs or waits already; `unsupported` where nobody has chosen what is kept. */
  'job.care'(request: { readonly jobId: string }): { readonly runId: string }
  /** Puts on the clipboard what backs up the job from a terminal, without secrets. Errors: `arguments` where this version does not know the storage. */
  'job.copyCommand'(request: { readonly jobId: string }): void
  /** Pause, resume, stop: without effect when there is nothing to act on, so repeating is safe. */
  'job.pause'(request: { readonly jobId: string }): void
  'job.resume'(request: { readonly jobId: string }): void
  /** `drain` lets uploads in flight finish, `cancel` breaks them off; the next run continues in both cases. */
  'job.stop'(request: { readonly jobId: string; readonly mode: 'drain' | 'cancel' }): void
  /** Pauses what runs and holds the schedule, from now on; also across a restart. Anew with another length: that one counts. */
  'jobs.pauseAll'(request: { readonly length: PauseLength }): void
  'jobs.resumeAll'(): void

  /**
   * Keeps a copy of the whole repository of a job at another place, from now on by itself about once a day. The first run makes it there. Errors: `exists`
   * (the repository itself, or a copy, is there: `data.reason`), `arguments` (with `data.field`), `unsupported` with `data.reason` `many-copies`, or `rotates` (its disks take turns). Does not start it.
   * Asks for a storage on the network that no job uses yet.
   */
  'copy.add'(request: { readonly jobId: string; readonly destination: DestinationInput; readonly secrets: SecretsInput; readonly removeVanished: boolean }): { readonly copyId: string }
  /** Forgets the place and its secrets; what was copied stays untouched. A run that goes on is ended. Asks. */
  'copy.remove'(request: { readonly copyId: string }): void
  /** Copies now, or as soon as what works on the repository has ended. Errors: `busy` when that runs or waits already; `not-found` with `data.reason` `no-snapshot` before the first backup; `credentials` with `data.signIn`. */
  'copy.run'(request: { readonly copyId: string }): { readonly runId: string }
  /** Ends a run; what has arrived stays, and the next run, a day later, goes on from there. Without effect where there is none. */
  'copy.stop'(request: { readonly copyId: string }): void
  /** Nobody wants to hear again that all copies of a job are in one place (`JobView.spread`). Without effect where nothing is said. */
  'copy.dismissHint'(request: { readonly jobId: string }): void

  /**
   * Tells an address of the start and the end of each backup of a job from now on, in place of the one that was told before; `null`: nobody. Nothing waits
   * for it. Errors: `arguments` (with `data.problem`) for what is neither https:// nor on this computer. Asks.
   */
  'report.set'(request: { readonly jobId: string; readonly report: JobReport | null }): void

  /**
   * Sends messages about backups by way of this server from now on; `null`: none any more. `password` absent: the one that is kept for this very server and user.
   * Errors: `arguments` with `data.field`. Asks.
   */
  'mail.set'(request: { readonly server: MailServer | null; readonly password?: string }): void
  /** Sends a message to try it. `reason`: why that failed; `refused`: addresses that the server did not take. Errors: `not-found` where no server is set up. */
  'mail.test'(): { readonly reason?: MailReason; readonly refused: readonly string[] }
  /** What is told of a job by e-mail; `null`: nothing. Asks before less is told than until now. */
  'mail.choose'(request: { readonly jobId: string; readonly when: MailWhen | null }): void

  /** What rules would do to the snapshots of a job; nothing is changed. Errors: `not-found` with `data.reason` `no-snapshot` before the first backup, `busy`, `password`, and what the engine says (`offline`, …). */
  'retention.preview'(request: { readonly jobId: string; readonly retention: Retention }): RetentionPreview

  /** Newest first. `before`: id of the last run of the page before. */
  'history.runs'(request: { readonly jobId: string; readonly limit: number; readonly before?: string }): { readonly runs: readonly RunView[]; readonly more: boolean }
  'history.problems'(request: { readonly jobId: string; readonly runId: string }): readonly Problem[]
  /** Puts the log lines of the run on the clipboard; returns how many. */
  'history.copyLog'(request: { readonly jobId: string; readonly runId: string }): { readonly lines: number }

  /**
   * Lines of the log, the newest first: from `before` on backwards, or those behind `after`. Looks through a bounded piece of it at a time, so that it may find
   * nothing and say where to look on.
   */
  'logs.page'(request: { readonly filter: LogFilter; readonly limit: number; readonly before?: LogPosition; readonly after?: LogPosition }): LogPage
  /** Puts lines on the clipboard, in this order; returns how many are still there. */
  'logs.copy'(request: { readonly lines: readonly LogPosition[] }): { readonly lines: number }

  /** Puts a report for support together, in place of the one before, to be looked at and saved. `names`: names of folders, files and jobs are in it. */
  'support.make'(request: { readonly names: boolean }): SupportView
  /** A part of one of its files, exactly as it would be saved; from a byte on. Errors: `not-found`. */
  'support.read'(request: { readonly name: string; readonly from: number }): SupportPage
  /** Saves it as one file where a person chooses, for this user alone; `done`: false where that was cancelled. Errors: `not-found`, `busy`, `denied`, `full`. */
  'support.save'(): { readonly done: boolean }
  /** Nothing of it is kept. Without effect where there is none. */
  'support.discard'(): void

  /** Tries a destination. Secrets that are absent are taken from the job, when one is named and this is its destination. Waits at most four seconds for a storage that is away. Asks where a program of this computer is started for it. */
  'destination.test'(request: { readonly destination: DestinationInput; readonly secrets: SecretsInput; readonly jobId?: string }): TestView

  /**
   * Opens the service's own page in the system's browser and answers when somebody has come back from it. `account`: the one to sign in to again;
   * another is refused (`denied`, `data.reason` `other-account`). Errors: `credentials` (not allowed, nobody came back), `aborted` with
   * `data.declined` when it was given up, `unsupported` (no app key, no browser), `offline`, `unavailable`, `busy` (no port).
   */
  'account.signIn'(request: { readonly service: SignInKind; readonly account?: string }): AccountView
  /** Gives up the sign-in that waits for the browser; without effect when none does. */
  'account.cancelSignIn'(): void
  /** Forgets an account and asks its service to do the same; jobs with it wait. Errors: `not-found`. Asks. */
  'account.signOut'(request: { readonly service: SignInKind; readonly account: string }): void

  /**
   * Native folder dialog; empty when the user cancelled. `sources` lets several be chosen. A folder is good for its purpose only,
   * as long as the page is there; one to restore to for a single restore. `at`: name of one of `AppState.uncovered`, at which it begins. Errors: `busy`
   * while another dialog is open; `not-found`.
   */
  'dialog.folders'(request: { readonly purpose: FolderPurpose; readonly at?: string }): readonly FolderView[]
  /** Native file dialog, for a field that takes a path; nothing is read. Absent when the user cancelled. Errors: as dialog.folders. */
  'dialog.file'(): { readonly path?: string }

  /** The disks that a person may keep backups on, those made to be unplugged first; empty where none is attached. Takes some seconds at most. */
  'drives.list'(): readonly DriveView[]
  /**
   * The folder on a disk that backups would be kept in: that of a repository that is there already, or else a new one. Good as a destination; a job or a copy
   * there is asked about, since nobody chose it in a dialog. Errors: `not-found` (unplugged meanwhile).
   */
  'drives.choose'(request: { readonly id: string }): DriveFolderView
  /** What a first job may back up: the person's home, and patterns for what programs have downloaded into it. A job with this folder is asked about. */
  'sources.suggest'(): { readonly folder: FolderView; readonly leaveOut: readonly string[] }
  /** About how large folders are without what is left out. Bounded in time and entries; ends as well with the next such request, and with the page (`aborted`). */
  'sources.measure'(request: { readonly sources: readonly FolderRef[]; readonly excludes: ExcludeRules }): SizeView
  /** Nobody wants to know the size any more. Without effect where none is measured. */
  'sources.endMeasure'(): void
  /**
   * Lets a disk that is attached take turns with those of a job, from now on: backups go to the one that is plugged in, each has a repository of its own, and the
   * password opens all. Errors: `not-found` (unplugged, or the job goes to no disk), `exists`, `unsupported` with `data.reason` `many-disks` or `has-copies`. Asks.
   */
  'disk.add'(request: { readonly jobId: string; readonly id: string }): void
  /** Lets a disk take no more turns; what is on it stays. Errors: `not-found`, `arguments` with `data.reason` `only-disk`, `busy` while something works on it. Asks. */
  'disk.remove'(request: { readonly jobId: string; readonly id: string }): void

  /**
   * Whether a text is a password of the job's repository; only while it is asked for (notice `password`). `tried`: false where it is not the one that is kept
   * here, and the storage could not be asked whether it is another one. Errors: `not-found` while it is not asked for; `busy` after some tries a minute.
   */
  'password.check'(request: { readonly jobId: string; readonly password: string }): { readonly right: boolean; readonly tried: boolean }
  /** Lets one more password open the job's repository, and keeps it here in place of the one before. Waits for the storage. Errors: as password.check, and what the engine says. Asks. */
  'password.add'(request: { readonly jobId: string; readonly password: string }): void

  /**
   * Makes a recovery kit for the repository of a job: one more key, whose words main keeps in memory until they are checked, an hour at most
   * (`JobView.recovery.fresh`). One of before whose page nobody has is taken back. Waits for the storage. Errors: `not-found` with `data.reason`
   * `no-snapshot` before the first backup, `busy`, `unsupported` with `data.reason` `many-kits`, and what the engine says. Asks.
   */
  'kit.make'(request: { readonly jobId: string }): void
  /** Prints its page, or saves it as a PDF file where a person chooses; `done`: false where that was cancelled. Errors: `not-found`, `busy`, `arguments` with `data.reason` `beside-backup`, `denied`, `full`. */
  'kit.page'(request: { readonly jobId: string; readonly to: 'printer' | 'pdf' }): { readonly done: boolean }
  /** Compares what was typed from the page with the words that are asked for. `wrong`: their places; with none the kit counts as checked. Errors: `not-found`, `arguments`, `busy` after some tries a minute. */
  'kit.check'(request: { readonly jobId: string; readonly words: readonly string[] }): { readonly wrong: readonly number[] }
  /** Takes a kit's key away: its page opens nothing any more. Waits for the storage. Errors: `not-found`, `arguments` with `data.reason` `current`, and what the engine says. Asks, unless nobody has its page. */
  'kit.revoke'(request: { readonly jobId: string; readonly number: string }): void

  /**
   * Opens a repository that no job goes to, to look at it and to restore from it; it is the only one, until `visit.close` or until the page is left. The
   * password may be recovery words, as they are typed. Nothing of it is kept. Errors: `not-a-repository`, `password`, what the engine says, `busy`. Asks
   * for a storage on the network that no job uses.
   */
  'visit.open'(request: { readonly destination: DestinationInput; readonly secrets: SecretsInput }): { readonly visitId: string }
  /** Says what an address means, as it stands on a recovery kit; nothing is reached for it. */
  'visit.address'(request: { readonly address: string }): AddressReading
  /** Restores from it go on. Without effect where it is not open. */
  'visit.close'(request: { readonly visitId: string }): void

  /** The computers that left their jobs in the repository that is open, the newest first. Errors: `not-found`. */
  'visit.machines'(request: { readonly visitId: string }): readonly MachineView[]
  /**
   * Makes jobs of this computer of those that another one left in the repository that is open; what opened it is kept with them. `replaces`: they go on
   * with the snapshots of that computer; else they begin anew under this one's name. Nothing that is there is sent again. All are made, or none.
   * Errors: `not-found`, `exists`, `arguments`, `unsupported`. Asks.
   */
  'visit.import'(request: { readonly visitId: string; readonly machineId: string; readonly jobs: readonly string[]; readonly replaces: boolean }): { readonly jobIds: readonly string[] }

  /** Snapshots of a repository (of all jobs in it), newest first. `missed`: what it lacks of what this computer has seen in it, in words. */
  'browse.snapshots'(request: { readonly place: PlaceRef }): { readonly snapshots: readonly SnapshotView[]; readonly missed: readonly string[] }
  /** One page of a directory. `path`: exact bytes, names joined by `/`, empty for the root; `after`: name of the last entry of the page before. */
  'browse.list'(request: {
    readonly place: PlaceRef
    readonly snapshot: string
    readonly path: Uint8Array
    readonly after?: Uint8Array
    readonly limit: number
  }): { readonly entries: readonly EntryView[]; readonly more: boolean }
  /**
   * Files and folders of all snapshots by parts of their names. `after`: `next` of the answer before. While `coverage.filling`, snapshots are read for the first
   * time, and the same may find more. Errors: `aborted` where a newer search was asked for.
   */
  'browse.search'(request: { readonly place: PlaceRef; readonly text: string; readonly after?: string; readonly limit: number }): SearchAnswer
  /** What a snapshot changed since the one before it of its job and computer, which is absent for the first. Errors: `aborted` where another was asked for. */
  'browse.changes'(request: { readonly place: PlaceRef; readonly snapshot: string; readonly limit: number }): SnapshotChanges
  /** What a file of a snapshot holds, as far as it can be shown: the beginning of a text, or a whole image of a bounded size. `path`: as in `browse.list`. Errors: `not-found`, `damaged`. */
  'browse.preview'(request: { readonly place: PlaceRef; readonly snapshot: string; readonly path: Uint8Array }): FilePreview
  /** How two versions of a text file differ, line by line, of a bounded size. Errors: as browse.preview. */
  'browse.compare'(request: { readonly place: PlaceRef; readonly older: string; readonly newer: string; readonly path: Uint8Array }): TextComparison
  /** What a path was in the snapshots of the same job and computer, the newest first. `path`: as in `browse.list`. */
  'browse.versions'(request: { readonly place: PlaceRef; readonly snapshot: string; readonly path: Uint8Array }): { readonly versions: readonly PathVersion[]; readonly coverage: SearchCoverage }

  /**
   * Opens the snapshots of a repository in the file manager, to read, for all programs of this user until it is closed, the app quits, or an hour passes
   * without a request; see `AppState.files`. `shown`: false where no file manager could be told to. Another place that is open is closed.
   */
  'files.open'(request: { readonly place: PlaceRef }): { readonly shown: boolean }
  /** Without effect where nothing is open. */
  'files.close'(): void
  /** Puts the password of what is open on the clipboard. Errors: `not-found`. */
  'files.copyPassword'(): void

  /**
   * A stretch of what a restore would meet in its target: what is there already, and how it differs. Nothing is written, and the folder can still be restored to.
   * `after`: `next` of the answer before. Errors: `arguments`, `not-found`, `denied`, and what the engine says.
   */
  'restore.plan'(request: {
    readonly place: PlaceRef
    readonly snapshot: string
    readonly target: RestoreTo
    readonly paths: readonly Uint8Array[]
    readonly except: readonly Uint8Array[]
    readonly after?: Uint8Array
    readonly limit: number
  }): PlanPage
  /** Asks where the folder holds configuration, or starts programs, or the originals are in it; and before it goes to where the files were. */
  'restore.start'(request: RestorePart & {
    readonly place: PlaceRef
    readonly target: RestoreTo
    readonly overwrite: OverwriteRule
    /** Restored after that, in one go; a second version of a path gets a name with its date. */
    readonly more?: readonly RestorePart[]
  }): { readonly restoreId: string }
  /** Tries again what an ended restore could not restore, and nothing else, as it was asked for then. Errors: `not-found`, with `data.reason` `nothing` where nothing can be. Asks as restore.start. */
  'restore.retry'(request: { readonly restoreId: string }): { readonly restoreId: string }
  'restore.pause'(request: { readonly restoreId: string }): void
  'restore.resume'(request: { readonly restoreId: string }): void
  'restore.stop'(request: { readonly restoreId: string }): void
  /** Takes an ended restore off the list. */
  'restore.dismiss'(request: { readonly restoreId: string }): void

  /** Absent keys stay as they are; `null` removes a limit. Asks before start on login changes, notifications go off, or uploads all but stop. */
  'settings.set'(request: SettingsChange): void
  /** Opens a folder in the file manager. Only folders that main knows can be opened. */
  'folder.open'(
    request:
      | { readonly type: 'source'; readonly jobId: string; readonly index: number }
      | { readonly type: 'destination'; readonly jobId: string }
      | { readonly type: 'restore'; readonly restoreId: string }
      | { readonly type: 'logs' }
  ): void
  'notice.dismiss'(request: { readonly id: string }): void
  /** Nobody wants to hear again that no job covers a folder (`AppState.uncovered`). Errors: `not-found`. */
  'uncovered.fine'(request: { readonly name: string }): void
}

/** What of a snapshot is restored. */
export interface RestorePart {
  readonly snapshot: string
  /** Empty: everything. */
  readonly paths: readonly Uint8Array[]
  /** Left out, with what is below, unless a longer one in `paths` takes it in again. */
  readonly except: readonly Uint8Array[]
}

/** A folder, or where the files were: where the jobs of this computer that share the repository back up from. Only of a job's repository. */
export type RestoreTo = FolderRef | { readonly original: true }

export interface SearchAnswer {
  readonly entries: readonly FoundEntry[]
  /** Where there are more. */
  readonly next?: string
  readonly coverage: SearchCoverage
}

/** About how much is in folders. */
export interface SizeView {
  /** Of what was looked at. */
  readonly bytes: number
  readonly files: number
  /** There is more than was looked at. */
  readonly isMore: boolean
}

/** What a folder may be used for. */
export type FolderPurpose = 'sources' | 'destination' | 'restore'

export interface SettingsChange {
  readonly language?: SettingsView['language']
  readonly theme?: SettingsView['theme']
  readonly autoStart?: boolean
  readonly notifications?: SettingsView['notifications']
  readonly parallelJobs?: number
  readonly defaultConcurrency?: number
  readonly uploadBytesPerSecond?: number | null
  readonly downloadBytesPerSecond?: number | null
  /** In place of all that are there. */
  readonly limitTimes?: readonly LimitTime[]
}

/** What main sends unasked. */
export interface Pushes {
  readonly app: AppState
  readonly live: LiveState
  readonly navigate: Route
}

export type Channel = keyof Api
export type PushChannel = keyof Pushes
export type Request<C extends Channel> = Parameters<Api[C]>[0]
export type Response<C extends Channel> = ReturnType<Api[C]>
export type Reply<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly error: WireError }

/** What the preload puts on `window.holdfast`. `invoke` never rejects. */
export interface Bridge {
  invoke<C extends Channel>(channel: C, ...request: Parameters<Api[C]>): Promise<Reply<Response<C>>>
  /** Returns the function that ends the subscription. */
  subscribe<P extends PushChannel>(channel: P, listener: (value: Pushes[P]) => void): () => void
}

const everyChannel: Readonly<Record<Channel, true>> = {
  'state.get': true,
  'job.add': true,
  'job.update': true,
  'job.remove': true,
  'job.run': true,
  'job.acceptOlder': true,
  'job.acknowledge': true,
  'job.care': true,
  'job.copyCommand': true,
  'job.pause': true,
  'job.resume': true,
  'job.stop': true,
  'jobs.pauseAll': true,
  'jobs.resumeAll': true,
  'copy.add': true,
  'copy.remove': true,
  'copy.run': true,
  'copy.stop': true,
  'copy.dismissHint': true,
  'report.set': true,
  'mail.set': true,
  'mail.test': true,
  'mail.choose': true,
  'retention.preview': true,
  'history.runs': true,
  'history.problems': true,
  'history.copyLog': true,
  'logs.page': true,
  'logs.copy': true,
  'support.make': true,
  'support.read': true,
  'support.save': true,
  'support.discard': true,
  'destination.test': true,
  'account.signIn': true,
  'account.cancelSignIn': true,
  'account.signOut': true,
  'dialog.folders': true,
  'dialog.file': true,
  'drives.list': true,
  'drives.choose': true,
  'sources.suggest': true,
  'sources.measure': true,
  'sources.endMeasure': true,
  'disk.add': true,
  'disk.remove': true,
  'password.check': true,
  'password.add': true,
  'kit.make': true,
  'kit.page': true,
  'kit.check': true,
  'kit.revoke': true,
  'visit.open': true,
  'visit.address': true,
  'visit.close': true,
  'visit.machines': true,
  'visit.import': true,
  'browse.snapshots': true,
  'browse.list': true,
  'browse.search': true,
  'browse.preview': true,
  'browse.compare': true,
  'browse.versions': true,
  'browse.changes': true,
  'files.open': true,
  'files.close': true,
  'files.copyPassword': true,
  'restore.plan': true,
  'restore.start': true,
  'restore.retry': true,
  'restore.pause': true,
  'restore.resume': true,
  'restore.stop': true,
  'restore.dismiss': true,
  'settings.set': true,
  'folder.open': true,
  'notice.dismiss': true,
  'uncovered.fine': true,
}

/** Every channel, as a value: the preload's allow list and the list that tests walk. */
export const channels = Object.keys(everyChannel) as readonly Channel[]

export const pushChannels = ['app', 'live', 'navigate'] as const satisfies readonly PushChannel[]

/** Names on the wire. */
export const invokeName = (channel: Channel): string => `holdfast:${channel}`
export const pushName = (channel: PushChannel): string => `holdfast-push:${channel}`
