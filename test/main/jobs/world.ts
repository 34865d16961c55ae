import { mkdtempSync } from 'node:fs'
import { hostname, tmpdir } from 'node:os'
import { join } from 'node:path'
import type { KnownRepository } from '../../../engine/protocol/known.ts'
import type { JobConfig, LateBackup, MissingAccount, JobConfigInput, RestoreView, RunView, Surroundings } from '../../../main/api/contract.ts'
import { Pace } from '../../../main/api/pace.ts'
import { Folders } from '../../../main/authority/folders.ts'
import { Backups } from '../../../main/runs/backups.ts'
import { Care } from '../../../main/runs/care.ts'
import { Copies } from '../../../main/runs/copies.ts'
import type { CopyRecord } from '../../../main/repositories/copies.ts'
import { DestinationTests } from '../../../main/jobs/destination-test.ts'
import { Kits } from '../../../main/kit/kits.ts'
import { PasswordChecks } from '../../../main/jobs/password-check.ts'
import { RetentionPreviews } from '../../../main/jobs/retention-preview.ts'
import { Browsing } from '../../../main/jobs/browsing.ts'
import { Disks } from '../../../main/repositories/disks.ts'
import type { AttachedDrives } from '../../../main/system/drives.ts'
import { Whereabouts } from '../../../main/repositories/whereabouts.ts'
import type { Where } from '../../../main/repositories/spread.ts'
import { openReminders, PasswordReminder } from '../../../main/repositories/reminder.ts'
import { openWatched, RepositoryWatch } from '../../../main/repositories/watch.ts'
import { Mail } from '../../../main/mail/mail.ts'
import { openMailFile } from '../../../main/mail/store.ts'
import { openReportsFile, Reports } from '../../../main/reports/reports.ts'
import { repositoryUrl } from '../../../main/repositories/address.ts'
import { Places } from '../../../main/repositories/places.ts'
import { Visits } from '../../../main/visit/visits.ts'
import { RunHistory } from '../../../main/runs/history.ts'
import { RunQueue } from '../../../main/runs/queue.ts'
import { Restores } from '../../../main/runs/restores.ts'
import { JobStore } from '../../../main/jobs/store.ts'
import { keyFileCipher } from '../../../main/settings/ciphers.ts'
import { openSecrets } from '../../../main/settings/secrets.ts'
import { openSettings, pauseIn } from '../../../main/settings/settings.ts'
import { Supervisor } from '../../../main/supervisor/supervisor.ts'
import type { LogLine } from '../../../main/system/logs.ts'
import { fakeHosts, FakeTimers, noToken, ownKey } from '../fakes.ts'

export const config: JobConfig = {
  name: 'docs',
  sources: ['/home/u/docs'],
  destination: { type: 'folder', path: '/backup' },
  excludes: { patterns: [], presets: [], oneFileSystem: false },
  concurrency: 4,
  schedule: { type: 'manual' },
}

/** The same as the window asks for it, with folders that nobody has chosen. */
export const input: JobConfigInput = { ...config, sources: [{ id: 'a1' }], destination: { type: 'folder', folder: { id: 'b2' } } }

/** All of main's work with engines that a test plays. `folder`: go on with what an earlier world left. */
export function openWorld(folder = mkdtempSync(join(tmpdir(), 'holdfast-jobs-')), parallelJobs = 2) {
  const timers = new FakeTimers()
  const now = (): number => timers.now()
  const { start, hosts, last } = fakeHosts()
  const lines: LogLine[] = []
  const ended: RunView[] = []
  const restored: RestoreView[] = []
  const restarts: number[] = []
  const store = new JobStore(join(folder, 'jobs.json'), now)
  const { store: secrets } = openSecrets(join(folder, 'secrets.json'), [keyFileCipher(join(folder, 'key'))], now)
  const history = new RunHistory(join(folder, 'history'))
  const interrupted = history.load()
  const supervisor = new Supervisor({ startHost: start, timers, renice: () => undefined, token: noToken, sharedAccount: ownKey })
  const log = { write: (line: LogLine) => { lines.push(line) } }
  const counts = { change: 0, live: 0 }
  const settings = openSettings(join(folder, 'settings.json'), now)
  /** Long before anything of these tests; they set it. */
  const awake = { sinceMs: 0 }
  const surroundings: { value: Surroundings } = { value: {} }
  const queue = new RunQueue({ timers, parallelJobs: () => parallelJobs, pause: pauseIn(settings), awakeSinceMs: () => awake.sinceMs, surroundings: () => surroundings.value, onChange: () => { counts.change += 1 } })
  /** What is plugged in. */
  const attached: { value: AttachedDrives } = { value: { all: [], of: async () => undefined } }
  const flushed: string[] = []
  const safe: string[] = []
  const knownDisks = new Disks({
    store, secrets, queue, now, attached: async () => attached.value, mounts: async () => JSON.stringify(attached.value.all),
    flush: async (place) => flushed.push(place) > 0,
    onMoved: (jobId) => { browsing.close({ jobId }) }, onSafe: (disk) => { safe.push(disk) }, onChange: () => { counts.change += 1 },
  })
  const visits = new Visits()
  const places = new Places({ store, secrets, visits })
  const ports = {
    queue, timers, log, store, places, disks: knownDisks, secrets, history, engines: supervisor, home: folder, quietFolders: [], pace: new Pace({ burst: 12, perSecond: 0.5, now }),
    onChange: () => { counts.change += 1 },
    onLive: () => { counts.live += 1 },
    onRestart: (_run: unknown, count: number) => { restarts.push(count) },
  }
  const missing = new Map<string, MissingAccount>()
  const told: string[] = []
  const reports = new Reports({ ...ports, file: openReportsFile(join(folder, 'reports.json'), now), host: hostname(), log: (_level, words) => { told.push(words) }, timeoutMs: 300 })
  const mail = new Mail({ ...ports, file: openMailFile(join(folder, 'mail.json'), now), host: hostname(), jobs: () => store.all, runs: (jobId) => history.page(jobId, 200).runs, log: (_level, words) => { told.push(words) } })
  const backups = new Backups({ ...ports, missingAccount: (address) => missing.get(address), onStarted: (startedMs, record) => { reports.started(startedMs, record) }, onEnded: (run, record) => {
    ended.push(run)
    reports.ended(run, record)
    mail.ended(run, record)
    watch.runEnded(run, record)
  } })
  const restores = new Restores({ ...ports, onEnded: (restore) => { restored.push(restore) } })
  const browsing = new Browsing(ports)
  visits.tell({ close: (place) => { browsing.close(place) }, onChange: ports.onChange })
  const previews = new RetentionPreviews(ports)
  const shown: (readonly LateBackup[])[] = []
  const announced: (readonly LateBackup[])[] = []
  const watch = new RepositoryWatch({
    file: openWatched(join(folder, 'watch.json'), now), store, history, browsing, timers, host: hostname(), mayLook: () => true,
    show: (late) => { shown.push(late) },
    announce: (late) => announced.push(late) > 0,
    onChange: () => { counts.change += 1 },
  })
  const tests = new DestinationTests(ports)
  const passwords = new PasswordChecks({ secrets, browsing, tests, guesses: new Pace({ burst: 8, perSecond: 1 / 60, now }) })
  const asksFor: (string | undefined)[] = []
  const reminded: string[] = []
  const reminders = openReminders(join(folder, 'reminders.json'), now)
  const reminder = new PasswordReminder({
    file: reminders, store, history, secrets, timers,
    show: (jobId) => { asksFor.push(jobId) },
    announce: ({ config: { name } }) => { reminded.push(name) },
  })
  const offered: (string | undefined)[] = []
  const kits = new Kits({ store, history, browsing, timers, guesses: new Pace({ burst: 8, perSecond: 1 / 60, now }), show: (jobId) => { offered.push(jobId) }, onChange: ports.onChange })
  const cared: { readonly run: RunView; readonly before: RunView | undefined; readonly copy?: CopyRecord }[] = []
  const care = new Care({ ...ports, missingAccount: (address) => missing.get(address), onEnded: (run, _record, before, copy) => { cared.push({ run, before, ...(copy && { copy }) }) } })
  const folders = new Folders()
  /** Places that are not there now. */
  const awayPlaces = new Set<string>()
  const copied: { readonly run: RunView; readonly before: RunView | undefined }[] = []
  const copies = new Copies({
    ...ports, folders, missingAccount: (address) => missing.get(address), onEnded: (run, _record, before) => { copied.push({ run, before }) },
    isThere: async (destination) => !awayPlaces.has(repositoryUrl(destination)),
  })
  /** Where folders lie; others are nowhere. */
  const whereabout = new Map<string, Where>()
  const dismissed = new Set<string>()
  const whereabouts = new Whereabouts({
    store, history, copies, diskOf: async (path) => whereabout.get(path), isDismissed: (key) => dismissed.has(key), onChange: () => { counts.change += 1 },
  })
  const dismiss = (key: string): void => { dismissed.add(key) }
  const add = async (name: string, changes: Partial<JobConfig> = {}): Promise<string> => {
    const record = await store.add({ ...config, ...changes, name })
    const { id } = record
    await secrets.set(record.repository.id, repositoryUrl(record.config.destination), { password: 'pw', storage: {} })
    return id
  }
  const learn = (id: string, repositoryId: string, known: KnownRepository | undefined): Promise<void> => store.repositories.learn(store.get(id).repository.id, repositoryId, known)
  const repositoryOf = (id: string): string => store.get(id).repository.id
  return { folder, settings, awake, surroundings, learn, repositoryOf, missing, timers, hosts, last, lines, ended, restored, restarts, store, secrets, history, interrupted, supervisor, counts, queue, backups, care, cared, copies, copied, awayPlaces, previews, restores, visits, places, browsing, reports, mail, told, watch, shown, announced, tests, passwords, reminder, reminders, asksFor, reminded, kits, offered, log, add, folders, pace: ports.pace, whereabout, disks: knownDisks, attached, flushed, safe, whereabouts, dismissed, dismiss }
}
