import type { AppState, Destination, EntryView, JobConfig, LiveState, Problem, Route, RunView } from './views.ts'
import type { SecretsInput, SettingsView, SnapshotView, TestView, WireError } from './views.ts'

export type * from './views.ts'

/**
 * The one map of what the window may ask: channel → signature. Every request is one plain object (or none) and is parsed in main
 * before it is used; every reply comes wrapped in `Reply`, because Electron would strip an error of its code.
 */
export interface Api {
  /** Everything, for the first paint and after a reload. */
  'state.get'(): { readonly app: AppState; readonly live: LiveState }

  /** Makes a job. Errors: `exists` (name taken), `arguments` (with `data.field`). Does not start it. */
  'job.add'(request: { readonly config: JobConfig; readonly secrets: SecretsInput }): { readonly jobId: string }
  /** Changes a job; name and id stay. A running run goes on with what it was started with. */
  'job.update'(request: { readonly jobId: string; readonly config: JobConfig; readonly secrets: SecretsInput }): void
  /** Forgets the job, its history and its secrets; the repository stays untouched. `busy` while it runs. */
  'job.remove'(request: { readonly jobId: string }): void
  /** Starts or queues a backup now. `busy` when one is running or queued. */
  'job.run'(request: { readonly jobId: string }): { readonly runId: string }
  /** Pause, resume, stop: without effect when there is nothing to act on, so repeating is safe. */
  'job.pause'(request: { readonly jobId: string }): void
  'job.resume'(request: { readonly jobId: string }): void
  /** `drain` lets uploads in flight finish, `cancel` breaks them off; the next run continues in both cases. */
  'job.stop'(request: { readonly jobId: string; readonly mode: 'drain' | 'cancel' }): void
  'jobs.pauseAll'(): void
  'jobs.resumeAll'(): void

  /** Newest first. `before`: id of the last run of the page before. */
  'history.runs'(request: { readonly jobId: string; readonly limit: number; readonly before?: string }): { readonly runs: readonly RunView[]; readonly more: boolean }
  'history.problems'(request: { readonly jobId: string; readonly runId: string }): readonly Problem[]
  /** Puts the log lines of the run on the clipboard; returns how many. */
  'history.copyLog'(request: { readonly jobId: string; readonly runId: string }): { readonly lines: number }

  /** Tries a destination. Secrets that are absent are taken from the job, when one is named. Waits at most four seconds for a storage that is away. */
  'destination.test'(request: { readonly destination: Destination; readonly secrets: SecretsInput; readonly jobId?: string }): TestView

  /** Native folder dialog; empty when the user cancelled. `sources` lets several be chosen. */
  'dialog.folders'(request: { readonly purpose: 'sources' | 'destination' | 'restore' }): readonly string[]

  /** Snapshots of the job's repository (of all jobs in it), newest first. */
  'browse.snapshots'(request: { readonly jobId: string }): readonly SnapshotView[]
  /** One page of a directory. `path`: exact bytes, names joined by `/`, empty for the root; `after`: name of the last entry of the page before. */
  'browse.list'(request: {
    readonly jobId: string
    readonly snapshot: string
    readonly path: Uint8Array
    readonly after?: Uint8Array
    readonly limit: number
  }): { readonly entries: readonly EntryView[]; readonly more: boolean }

  'restore.start'(request: {
    readonly jobId: string
    readonly snapshot: string
    readonly target: string
    /** Empty: everything. */
    readonly paths: readonly Uint8Array[]
    /** Left out, with what is below, unless a longer one in `paths` takes it in again. */
    readonly except: readonly Uint8Array[]
    readonly overwrite: 'never' | 'changed' | 'always'
  }): { readonly restoreId: string }
  'restore.pause'(request: { readonly restoreId: string }): void
  'restore.resume'(request: { readonly restoreId: string }): void
  'restore.stop'(request: { readonly restoreId: string }): void
  /** Takes an ended restore off the list. */
  'restore.dismiss'(request: { readonly restoreId: string }): void

  /** Absent keys stay as they are; `null` removes a limit. */
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
}

export interface SettingsChange {
  readonly theme?: SettingsView['theme']
  readonly autoStart?: boolean
  readonly notifications?: SettingsView['notifications']
  readonly parallelJobs?: number
  readonly defaultConcurrency?: number
  readonly uploadBytesPerSecond?: number | null
  readonly downloadBytesPerSecond?: number | null
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
  'job.pause': true,
  'job.resume': true,
  'job.stop': true,
  'jobs.pauseAll': true,
  'jobs.resumeAll': true,
  'history.runs': true,
  'history.problems': true,
  'history.copyLog': true,
  'destination.test': true,
  'dialog.folders': true,
  'browse.snapshots': true,
  'browse.list': true,
  'restore.start': true,
  'restore.pause': true,
  'restore.resume': true,
  'restore.stop': true,
  'restore.dismiss': true,
  'settings.set': true,
  'folder.open': true,
  'notice.dismiss': true,
}

/** Every channel, as a value: the preload's allow list and the list that tests walk. */
export const channels = Object.keys(everyChannel) as readonly Channel[]

export const pushChannels = ['app', 'live', 'navigate'] as const satisfies readonly PushChannel[]

/** Names on the wire. */
export const invokeName = (channel: Channel): string => `holdfast:${channel}`
export const pushName = (channel: PushChannel): string => `holdfast-push:${channel}`
