import type { Folders } from '../authority/folders.ts'
import type { AccountsView, AppState, CareView, CopyView, FilesView, JobView, LiveState, MailView, Notice, SettingsView, Surroundings } from '../api/contract.ts'
import type { ActiveRun } from '../runs/active-run.ts'
import type { Care } from '../runs/care.ts'
import type { Copies } from '../runs/copies.ts'
import type { Backups } from '../runs/backups.ts'
import { keptRuns, type RunHistory } from '../runs/history.ts'
import { lateFromMs } from '../../engine/protocol/overdue.ts'
import { isComplete } from '../runs/run-view.ts'
import type { RunQueue } from '../runs/queue.ts'
import type { Restores } from '../runs/restores.ts'
import type { Visits } from '../visit/visits.ts'
import type { Disks } from '../repositories/disks.ts'
import type { Whereabouts } from '../repositories/whereabouts.ts'
import type { Kits } from '../kit/kits.ts'
import type { Reports } from '../reports/reports.ts'
import type { RepositoryWatch } from '../repositories/watch.ts'
import type { JobRecord, JobStore } from '../jobs/store.ts'
import type { Uncovered } from '../jobs/uncovered.ts'
import type { SecretStore } from '../settings/secrets.ts'
import type { Settings } from '../settings/settings.ts'

export interface StateSources {
  readonly version: string
  readonly now: () => number
  readonly oldRuntime: string | undefined
  readonly store: JobStore
  readonly history: RunHistory
  readonly queue: RunQueue
  readonly backups: Backups
  readonly care: Pick<Care, 'view' | 'viewOfCopy'>
  readonly copies: Pick<Copies, 'view'>
  readonly whereabouts: Pick<Whereabouts, 'view'>
  readonly restores: Restores
  readonly visits: Pick<Visits, 'current'>
  readonly watch: Pick<RepositoryWatch, 'hold' | 'holdsOfOthers' | 'oldestMs'>
  readonly reports: Pick<Reports, 'view'>
  readonly mail: { readonly view: MailView | undefined }
  readonly kits: Pick<Kits, 'view'>
  readonly disks: Pick<Disks, 'view'>
  readonly secrets: SecretStore
  readonly settings: () => Settings
  readonly autoStart: () => { readonly autoStart: boolean; readonly autoStartSupported: boolean }
  readonly notices: () => readonly Notice[]
  readonly surroundings: { readonly value: Surroundings }
  readonly accounts: { readonly view: AccountsView }
  readonly files: { readonly view: FilesView | undefined }
  readonly folders: Pick<Folders, 'view'>
  readonly uncovered: Pick<Uncovered, 'view'>
}

/** The whole picture for window and tray, put together from its owners. */
export function appState(sources: StateSources): AppState {
  const { version, oldRuntime, store, queue, restores } = sources
  const visit = sources.visits.current
  return {
    version,
    ...(oldRuntime !== undefined && { oldRuntime }),
    platform: platformName(),
    settings: settingsView(sources),
    jobs: store.all.map((record) => jobView(record, sources)),
    restores: restores.views,
    ...(visit && { visit: { id: visit.place.id, name: visit.place.name, machines: visit.found?.machines.length ?? 0 } }),
    accounts: sources.accounts.view,
    uncovered: store.all.length > 0 ? sources.uncovered.view : [],
    ...(sources.files.view && { files: sources.files.view }),
    ...(sources.mail.view && { mail: sources.mail.view }),
    pausedAll: queue.pausedAll,
    ...(queue.pausedUntilMs !== undefined && { pausedUntilMs: queue.pausedUntilMs }),
    surroundings: sources.surroundings.value,
    notices: sources.notices().filter((one) => one.type !== 'engine-crashed' || store.all.some((job) => job.id === one.jobId)),
  }
}

/** Runs that have an engine. */
export function activeRuns({ queue }: Pick<StateSources, 'queue'>): readonly ActiveRun[] {
  return queue.runs.filter((run) => run.state !== 'queued')
}

export function liveState(sources: Pick<StateSources, 'queue'>): LiveState {
  const runs = activeRuns(sources).map((run) => run.live)
  return { runs, bytesPerSecond: runs.reduce((sum, run) => sum + (run.progress?.bytesPerSecond ?? 0), 0) }
}

/** As many as a small chart shows. */
const mostRecent = 30

function jobView(record: JobRecord, { backups, care: carer, copies, history, whereabouts, secrets, folders, reports, kits, disks: known, watch, now }: StateSources): JobView {
  const { id, config, repository, host } = record
  const run = backups.of(id)
  const lastRun = history.last(id)
  const complete = history.page(id, keptRuns).runs.filter(isComplete)
  const completeMs = complete[0]?.finishedMs
  const oldestMs = watch.oldestMs(record)
  const signIn = backups.missingAccount(record)
  const waits = backups.wait(record)
  const hold = watch.hold(record)
  const others = watch.holdsOfOthers(record).map(({ words: _words, ...other }) => other)
  const care = carer.view(record)
  const report = reports.view(id)
  const spread = whereabouts.view(record)
  const watching = backups.watches.view(id)
  const recovery = kits.view(record)
  const disks = known.view(record)
  return {
    id,
    config: folders.view(id, config),
    state: run?.state ?? 'idle',
    copies: copies.view(record).map((copy) => withCare(copy, carer.viewOfCopy(copy.id))),
    ...(spread && { spread }),
    ...(disks.length > 0 && { disks }),
    secrets: secrets.has(repository.id),
    lateFromMs: lateFromMs(complete.length > 0 ? complete.map(({ finishedMs }) => finishedMs) : [record.scheduledSinceMs], now()),
    recent: complete.slice(0, mostRecent).reverse().map(({ finishedMs, bytes, uploadedBytes }) => ({ finishedMs, bytes: bytes.found, addedBytes: uploadedBytes })),
    ...(oldestMs !== undefined && { oldestMs }),
    ...(host !== undefined && { host }),
    ...(run && { runId: run.id }),
    ...(lastRun && { lastRun }),
    ...(completeMs !== undefined && { completeMs }),
    ...(signIn && { signIn }),
    ...(hold && { hold: { since: hold.since, reasons: hold.reasons } }),
    ...(others.length > 0 && { otherHolds: others }),
    ...(waits && { waits }),
    ...(watching && { watch: watching }),
    ...(care && { care }),
    ...(report && { report }),
    ...(recovery && { recovery }),
  }
}

function withCare(copy: CopyView, care: CareView | undefined): CopyView {
  return care ? { ...copy, care } : copy
}

function settingsView({ settings, secrets, autoStart }: StateSources): SettingsView {
  const { firstSuccessShown: _shown, dismissed: _dismissed, windowBounds: _bounds, pause: _pause, overdueToldMs: _told, ...shown } = settings()
  return { ...shown, ...autoStart(), secretStorage: secrets.storage }
}

function platformName(): AppState['platform'] {
  const { platform } = process
  return platform === 'darwin' || platform === 'win32' ? platform : 'linux'
}
