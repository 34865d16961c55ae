import type { AccountsView, AppState, Counters, FolderView, JobConfigInput, JobConfigView, JobView, LiveRun, MachineView, Problem, RunView, SettingsView, SnapshotView, TransferEvent } from '../../main/api/contract.ts'

const minute = 60_000
const hour = 60 * minute
const day = 24 * hour

const accounts: AccountsView = { list: [], available: ['dropbox', 'google', 'microsoft', 'box'] }

export const settings: SettingsView = {
  language: 'system',
  theme: 'system',
  autoStart: true,
  notifications: 'all',
  parallelJobs: 2,
  defaultConcurrency: 4,
  uploadBytesPerSecond: 8_000_000,
  secretStorage: 'keychain',
  autoStartSupported: true,
}

/** Here a folder's id is its path: what matters to the window is that it sends the id. */
export function folderAt(path: string): FolderView {
  return { id: path, path }
}

/** As main shows what the window asked for. */
export function shownConfig({ sources, destination, ...terms }: JobConfigInput): JobConfigView {
  const shown = destination.type === 'folder' ? { type: 'folder' as const, folder: folderAt(destination.folder.id) } : destination
  return { ...terms, sources: sources.map(({ id }) => folderAt(id)), destination: shown }
}

export function config(name: string, change: Partial<JobConfigView> = {}): JobConfigView {
  return {
    name,
    sources: [folderAt(`/home/mia/${name}`)],
    destination: { type: 'folder', folder: folderAt('/media/mia/Backup/holdfast') },
    excludes: { patterns: [], presets: ['caches', 'trash'], oneFileSystem: true },
    concurrency: 4,
    schedule: { type: 'daily', at: '20:00' },
    ...change,
  }
}

const counters = (found: number, unchanged: number, deduplicated: number, uploaded: number): Counters => ({
  found, unchanged, deduplicated, uploaded, waiting: Math.max(0, found - unchanged - deduplicated - uploaded),
})

export function run(jobId: string, id: string, now: number, change: Partial<RunView> = {}): RunView {
  const { snapshot, ...rest } = { snapshot: 'Documents@128', ...change }
  const made = !['failed', 'partial', 'stopped'].includes(change.outcome ?? 'success')
  return {
    id, jobId, operation: 'backup', trigger: 'schedule', outcome: 'success',
    startedMs: now - 3 * hour - 4 * minute, finishedMs: now - 3 * hour,
    files: counters(48_213, 47_902, 61, 250), bytes: counters(128.4e9, 126.9e9, 212e6, 1.29e9),
    throughput, uploadedBytes: 912_345_678, downloadedBytes: 2_400_000, adoptedPacks: 0, problems: 0, restarts: 0,
    ...rest, ...(made && { snapshot }),
  }
}

export function job(id: string, name: string, change: Partial<JobView> = {}, content: Partial<JobConfigView> = {}): JobView {
  const { lastRun } = change
  const complete = lastRun?.snapshot === undefined ? {} : { completeMs: lastRun.finishedMs }
  return { id, config: config(name, content), state: 'idle', lateFromMs: Infinity, recent: [], ...complete, copies: [], secrets: { password: true, storage: true }, ...change }
}

export const s3: Extract<JobConfigView['destination'], { type: 'provider' }> = {
  type: 'provider', provider: 's3', values: { endpoint: 'https://s3.eu-central-1.example.com', region: 'eu-central-1', bucket: 'mia-backups', prefix: 'laptop' },
}

function next(untilMs: number): Pick<JobView, 'waits'> {
  return { waits: { wait: { type: 'schedule' }, untilMs } }
}

/** A month of daily backups, oldest first. */
function recentBackups(now: number, count: number): JobView['recent'] {
  return Array.from({ length: count }, (_, index) => ({ finishedMs: now - (count - 1 - index) * day - 3 * hour, bytes: 128.4e9 - (count - 1 - index) * 4e8, addedBytes: index % 9 === 5 ? 1.9e9 : ((index * 37) % 11) * 8e7 }))
}

export function idleJobs(now: number): readonly JobView[] {
  return [
    job('j1', 'Documents', { lastRun: run('j1', 'r128', now), recent: recentBackups(now, 30), oldestMs: now - 430 * day, ...next(now + 5 * hour) }, { sources: [folderAt('/home/mia/Documents'), folderAt('/home/mia/Desktop'), folderAt('/home/mia/Mail/archive')], destination: s3 }),
    job('j2', 'Photos', {
      lastRun: run('j2', 'r41', now, { outcome: 'warnings', problems: 3, finishedMs: now - 26 * hour, startedMs: now - 27 * hour, snapshot: 'Photos@41' }),
      recent: recentBackups(now - 23 * hour, 12),
      ...next(now + 22 * hour),
    }),
    job('j3', 'Virtual machines', { lastRun: run('j3', 'r7', now, failedRun(now)), waits: { wait: { type: 'asked' } } }, { schedule: { type: 'manual' } }),
    job('j4', 'Projects', { ...next(now + 25 * minute) }, { schedule: { type: 'hourly' }, sources: [folderAt('/home/mia/src')] }),
  ]
}

function failedRun(now: number): Partial<RunView> {
  return {
    outcome: 'failed', finishedMs: now - 4 * day, files: counters(48_213, 41_200, 20, 102), bytes: counters(128.4e9, 110e9, 40e6, 3.9e9), startedMs: now - 4 * day - 17 * minute, uploadedBytes: 3_200_000_000, problems: 0,
    error: { code: 'full', message: 'no space left', retryable: false, data: { place: 'storage' } },
  }
}

export function appState(jobs: readonly JobView[], change: Partial<AppState> = {}): AppState {
  return { version: '0.1.0', platform: 'linux', settings, jobs, restores: [], uncovered: [], accounts, pausedAll: false, surroundings: { onBattery: true, batteryPercent: 64, metered: false, networks: ['Home'], idle: false }, notices: [], ...change }
}

export function transfers(seconds: number): readonly TransferEvent[] {
  const total = 16_000_000
  return [0, 1, 2, 3].map((lane) => {
    const bytes = (seconds * (1.1e6 + lane * 410_000) + lane * 3.2e6) % total
    const round = Math.floor((seconds * (1.1e6 + lane * 410_000) + lane * 3.2e6) / total)
    return {
      id: round * 4 + lane, state: lane === 3 && seconds % 20 > 15 ? 'failed' : 'active', direction: 'up',
      name: `pack ${((round * 4 + lane + 11) * 2654435761 % 4294967296).toString(16).padStart(8, '0')}…`,
      bytes, totalBytes: total, bytesPerSecond: 1.1e6 + lane * 410_000, attempt: lane === 3 ? 2 : 1,
    } as const
  })
}

/** In spans of 16 seconds, with a pause. */
export const throughput = { everyMs: 16_000, bytes: Array.from({ length: 48 }, (_, at) => (at > 30 && at < 34 ? 0 : Math.round(110e6 + 60e6 * Math.sin(at / 3)))) }

export function liveRun(jobId: string, runId: string, now: number, seconds: number, change: Partial<NonNullable<LiveRun['progress']>> = {}): LiveRun {
  const fraction = Math.min(0.99, 0.42 + seconds / 400)
  const files = counters(48_213, Math.round(30_000 * fraction), 820, Math.round(9_000 * fraction))
  const bytes = counters(128.4e9, 80e9 * fraction, 2.12e9, 31e9 * fraction)
  return {
    runId, jobId, operation: 'backup', startedMs: now - 13 * minute, restarts: 0, transfers: transfers(seconds), throughput,
    progress: {
      operation: 'backup', phase: 'working', paused: false, files, bytes, transferredBytes: bytes.uploaded * 0.7, bytesPerSecond: 6_860_000,
      fraction, etaMs: { from: 12 * minute, to: 18 * minute }, currentPath: '/home/mia/Documents/Reports/2026/Quarterly figures and notes (final, really).odt',
      problems: 2, ...change,
    },
  }
}

export const problems: readonly Problem[] = [
  { code: 'unreadable', path: '/home/mia/Photos/.thumbnails/locked.db', message: 'EACCES' },
  { code: 'changed', path: '/home/mia/Photos/2026/11/import/IMG_20261118_142233.CR3', message: 'size changed' },
  { code: 'vanished', path: '/home/mia/Photos/2026/11/import/.~lock.catalog', message: 'ENOENT' },
]

export function snapshots(now: number): readonly SnapshotView[] {
  return Array.from({ length: 40 }, (_, index) => {
    const job = index % 4 === 3 ? 'Photos' : 'Documents'
    const revision = 128 - index
    const finishedMs = now - 3 * hour - index * 9 * hour
    return {
      id: `${job}@${revision}`, job, revision, host: 'mia-laptop', sources: [`/home/mia/${job}`], startedMs: finishedMs - 4 * minute, finishedMs,
      files: 48_213 - index * 12, bytes: 128.4e9 - index * 9e7, problems: index % 11 === 4 ? 2 : 0,
      ...(index === 5 ? { annotation: { pinned: true, name: 'Before the move', note: '' } } : {}),
    }
  })
}

export const machines: readonly MachineView[] = [
  {
    id: '0', host: 'mias-tower', user: 'mia.old', savedMs: Date.UTC(2026, 2, 1, 9), sameHost: false, home: { from: '/home/mia.old', to: '/home/mia' },
    jobs: [
      { name: 'Documents', schedule: { type: 'daily', at: '20:00' }, sources: [{ there: '/home/mia.old/Documents', here: '/home/mia/Documents', exists: true }], problem: 'taken' },
      { name: 'Family photos', schedule: { type: 'hourly' }, sources: [{ there: '/home/mia.old/Pictures', here: '/home/mia/Pictures', exists: true }, { there: '/srv/scans', here: '/srv/scans', exists: false }] },
      { name: 'Mail', schedule: { type: 'manual' }, sources: [{ there: '/home/mia.old/Mail', here: '/home/mia/Mail', exists: true }] },
    ],
  },
  { id: '1', host: 'laptop', user: 'mia', savedMs: Date.UTC(2026, 0, 1, 9), sameHost: true },
]
