import type { AccountView, AddressReading, AppState, Api, Bridge, Channel, CopyView, DriveView, EntryView, FoundEntry, JobView, LiveState, LogRow, MachineView, PathVersion, PlannedEntry, FilePreview, TextComparison, Pushes, RecoveryView, Reply, RestoreView, Response, RetentionPreview, SearchAnswer, WireError, SnapshotChanges } from '../../main/api/contract.ts'
import { logPage, logRows } from './fake-log.ts'
import type { MailReason } from '../../main/api/mail-views.ts'
import { appState, config, folderAt, idleJobs, job, liveRun, machines, problems, run, shownConfig, snapshots } from './fixtures.ts'

export type Scenario = 'first-run' | 'idle' | 'busy' | 'waiting' | 'paused' | 'crashed' | 'restoring' | 'restored' | 'loading' | 'broken' | 'offline'

type Handlers = { [C in Channel]?: (...request: Parameters<Api[C]>) => ReturnType<Api[C]> | WireError }
type Listeners = { [P in keyof Pushes]: Set<(value: Pushes[P]) => void> }

const hour = 3_600_000
const encoder = new TextEncoder()

function previewed(now: number): RetentionPreview['snapshots'] {
  return [['newest', 'last'], ['pinned'], []].map((stays, index) => ({ finishedMs: now - index * 24 * hour, stays }))
}

/** A main process that does nothing but answer: keeps a state, records every call, and fails where a test says so. */
export class FakeApi implements Bridge {
  readonly calls: { readonly channel: Channel; readonly request: unknown }[] = []
  /** The next answers to these channels are errors. */
  readonly failures = new Map<Channel, WireError>()
  /** What the folder dialog returns. */
  folders: readonly string[] = ['/home/mia/Documents']
  /** What the file dialog gives; undefined: it is cancelled. */
  file: string | undefined
  /** The disks that are attached. */
  drives: readonly DriveView[] = [{ id: '7c1e2d0a', name: 'Blue Disk', mount: '/media/mia/Blue Disk', freeBytes: 812e9, totalBytes: 1e12, removable: true }]
  /** There is a repository on the disks. */
  repositoryOnDisk = false
  /** What the repository lacks. */
  missed: readonly string[] = []
  /** What addresses mean. */
  readings: Readonly<Partial<Record<string, AddressReading>>> = {}
  /** What computers left in a repository. */
  machines: readonly MachineView[] = machines
  /** Whether it can be told that a password is none of a repository. */
  storageAnswers = true
  fileManager = true
  /** Whether a page is printed or saved; else the dialog is cancelled. */
  printed = true
  /** What the next tests of a destination find. */
  sameRepository = false
  serverKey: string | undefined
  /** Why test messages are not sent. */
  mailReason: MailReason | undefined
  /** Newest first. */
  log: readonly LogRow[]
  app: AppState
  live: LiveState
  readonly #now: number
  readonly #scenario: Scenario
  readonly #listeners: Listeners = { app: new Set(), live: new Set(), navigate: new Set() }
  #seconds = 0

  constructor(scenario: Scenario, now: number) {
    this.#scenario = scenario
    this.#now = now
    this.log = logRows(scenario === 'first-run' ? 0 : 450, now)
    this.app = startState(scenario, now)
    this.live = this.#liveNow()
    if (scenario === 'broken') this.failures.set('state.get', error('internal'))
    if (scenario === 'offline') this.failures.set('browse.snapshots', error('offline'))
  }

  async invoke<C extends Channel>(channel: C, ...request: Parameters<Api[C]>): Promise<Reply<ReturnType<Api[C]>>> {
    // As the context bridge does: what cannot be cloned is refused.
    this.calls.push({ channel, request: structuredClone(request[0]) })
    if (this.#scenario === 'loading') return new Promise(() => undefined)
    const failure = this.failures.get(channel)
    if (failure) {
      this.failures.delete(channel)
      return { ok: false, error: failure }
    }
    const handler = this.#handlers[channel] as ((...request: Parameters<Api[C]>) => ReturnType<Api[C]>) | undefined
    return { ok: true, value: handler?.(...request) as ReturnType<Api[C]> }
  }

  subscribe<P extends keyof Pushes>(channel: P, listener: (value: Pushes[P]) => void): () => void {
    this.#listeners[channel].add(listener)
    return () => this.#listeners[channel].delete(listener)
  }

  push<P extends keyof Pushes>(channel: P, value: Pushes[P]): void {
    for (const listener of this.#listeners[channel]) listener(value)
  }

  /** Lets `seconds` of the running jobs go by. */
  advance(seconds: number): void {
    this.#seconds += seconds
    this.live = this.#liveNow()
    this.push('live', this.live)
  }

  change(change: Partial<AppState>): void {
    this.app = { ...this.app, ...change }
    this.live = this.#liveNow()
    this.push('app', this.app)
    this.push('live', this.live)
  }

  changeJob(id: string, change: (job: JobView) => JobView): void {
    this.change({ jobs: this.app.jobs.map((one) => (one.id === id ? change(one) : one)) })
  }

  #changeAccounts(change: (list: readonly AccountView[]) => readonly AccountView[]): void {
    this.change({ accounts: { ...this.app.accounts, list: change(this.app.accounts.list) } })
  }

  #changeCopies(change: (all: readonly CopyView[]) => readonly CopyView[]): void {
    this.change({ jobs: this.app.jobs.map((one) => ({ ...one, copies: change(one.copies) })) })
  }

  #changeKits(jobId: string, change: (recovery: RecoveryView) => RecoveryView): void {
    this.changeJob(jobId, (one) => ({ ...one, recovery: change(one.recovery ?? { kits: [] }) }))
  }

  #setRestore(id: string, state: RestoreView['state']): void {
    this.change({ restores: this.app.restores.map((one) => (one.id === id ? { ...one, state } : one)) })
  }

  #liveNow(): LiveState {
    const waitingFor = { code: 'offline', sinceMs: this.#now - 95_000 } as const
    const runs = this.app.jobs.flatMap((one, index) => {
      if (one.runId === undefined || one.state === 'queued') return []
      const change = this.#scenario === 'waiting' ? { waitingFor, bytesPerSecond: 0 } : index > 0 ? { continuedFraction: 0.31, problems: 0 } : {}
      const live = liveRun(one.id, one.runId, this.#now, this.#seconds + index * 60, { ...change, paused: one.state === 'paused' })
      const crashed = this.#scenario === 'crashed' ? { restarts: 1 } : {}
      if (one.state === 'paused') return [{ ...live, transfers: [] }]
      return [{ ...live, ...crashed, ...(this.#scenario === 'waiting' && { transfers: [] }) }]
    })
    const restores = this.app.restores.filter((one) => one.state !== 'idle').map((one) => {
      const live = liveRun('jobId' in one.place ? one.place.jobId : one.place.visitId, one.runId, this.#now, this.#seconds)
      const progress = live.progress && { ...live.progress, operation: 'restore' as const }
      return { ...live, operation: 'restore' as const, ...(progress && { progress }), transfers: live.transfers.map((lane) => ({ ...lane, direction: 'down' as const })) }
    })
    const all = [...runs, ...restores]
    return { runs: all, bytesPerSecond: all.reduce((sum, one) => sum + (one.progress?.bytesPerSecond ?? 0), 0) }
  }

  readonly #handlers: Handlers = {
    'state.get': () => ({ app: this.app, live: this.live }),
    'job.add': ({ config }) => {
      const jobId = `j${this.app.jobs.length + 1}`
      this.change({ jobs: [...this.app.jobs, { ...job(jobId, config.name), config: shownConfig(config) }] })
      return { jobId }
    },
    'job.update': ({ jobId, config }) => this.changeJob(jobId, (one) => ({ ...one, config: shownConfig(config) })),
    'job.remove': ({ jobId }) => this.change({ jobs: this.app.jobs.filter((one) => one.id !== jobId) }),
    'job.acceptOlder': ({ jobId }) => this.#handlers['job.run']?.({ jobId }) ?? { runId: '' },
    'job.acknowledge': ({ jobId, of }) => this.changeJob(jobId, ({ hold, otherHolds = [], ...one }) => {
      const others = otherHolds.filter(({ job: name, host }) => name !== of?.job || host !== of.host)
      return { ...one, ...(of && hold && { hold }), ...(others.length > 0 && { otherHolds: others }) }
    }),
    'job.run': ({ jobId }) => {
      this.changeJob(jobId, (one) => ({ ...one, state: 'running', runId: `run-${jobId}` }))
      return { runId: `run-${jobId}` }
    },
    'job.care': ({ jobId }) => {
      this.changeJob(jobId, (one) => ({ ...one, care: { ...one.care, running: true } }))
      return { runId: `care-${jobId}` }
    },
    'job.pause': ({ jobId }) => this.changeJob(jobId, (one) => ({ ...one, state: 'paused' })),
    'job.resume': ({ jobId }) => this.changeJob(jobId, (one) => ({ ...one, state: 'running' })),
    'job.stop': ({ jobId }) => this.changeJob(jobId, (one) => ({ ...one, state: 'stopping' })),
    'jobs.pauseAll': ({ length }) => this.change({ pausedAll: true, ...(typeof length === 'number' && { pausedUntilMs: this.#now + length * hour }) }),
    'jobs.resumeAll': () => {
      const { pausedUntilMs: _over, ...app } = this.app
      this.app = app
      this.change({ pausedAll: false })
    },
    'copy.add': ({ jobId, destination, removeVanished }) => {
      const shown = shownConfig({ ...config('x'), sources: [], destination }).destination
      this.changeJob(jobId, (one) => ({ ...one, copies: [...one.copies, { id: `c${one.copies.length + 1}`, destination: shown, removeVanished, state: 'idle', waits: { wait: { type: 'quiet' } } }] }))
      return { copyId: `c${this.app.jobs.find(({ id }) => id === jobId)?.copies.length ?? 0}` }
    },
    'copy.remove': ({ copyId }) => this.#changeCopies((all) => all.filter(({ id }) => id !== copyId)),
    'copy.run': ({ copyId }) => {
      this.#changeCopies((all) => all.map((one) => (one.id === copyId ? { ...one, state: 'running', runId: `sync-${copyId}` } : one)))
      return { runId: `sync-${copyId}` }
    },
    'copy.stop': ({ copyId }) => this.#changeCopies((all) => all.map((one) => (one.id === copyId ? { ...one, state: 'stopping' } : one))),
    'report.set': ({ jobId, report }) => this.changeJob(jobId, ({ report: _before, ...one }) => ({ ...one, ...(report && { report: { kind: report.kind, origin: new URL(report.address).origin } }) })),
    'copy.dismissHint': ({ jobId }) => this.changeJob(jobId, ({ spread, ...one }) => ({ ...one, ...(spread && { spread: { copies: spread.copies, kinds: spread.kinds, elsewhere: spread.elsewhere } }) })),
    'retention.preview': ({ retention }) => ({ kept: retention.last ?? 26, forgotten: 4, oldestKeptMs: this.#now - 400 * 24 * hour, freedBytes: 1.2e9, snapshots: previewed(this.#now) }),
    'history.runs': ({ jobId, limit, before }) => historyPage(this.app.jobs.find((one) => one.id === jobId), this.#now, limit, before),
    'history.problems': () => problems,
    'history.copyLog': () => ({ lines: 214 }),
    'logs.page': (request) => logPage(this.log, request),
    'mail.set': ({ server }) => {
      const { mail, ...rest } = this.app
      this.app = rest
      this.change(server ? { mail: { server, jobs: mail?.jobs ?? {} } } : {})
    },
    'mail.test': () => ({ ...(this.mailReason !== undefined && { reason: this.mailReason }), refused: [] }),
    'mail.choose': ({ jobId, when }) => {
      const { mail } = this.app
      if (mail) this.change({ mail: { ...mail, jobs: { ...mail.jobs, ...(when && { [jobId]: when }) } } })
    },
    'support.make': ({ names }) => ({ files: [{ name: 'read-me.txt', bytes: 612 }, { name: 'log.jsonl', bytes: names ? 130_000 : 120_000 }] }),
    'support.read': ({ name, from }) => (name === 'read-me.txt' ? { text: 'A report of Holdfast' } : { text: `line ${from} of ‹folder 1›\n`.repeat(30), ...(from === 0 && { next: 65_536 }) }),
    'support.save': () => ({ done: this.printed }),
    'logs.copy': ({ lines }) => ({ lines: lines.length }),
    'destination.test': ({ destination }) =>
      destination.type === 'provider' ? { repository: 'exists', repositoryId: 'ab', exclusiveCreate: true, maxConnections: 16, ...(this.serverKey !== undefined && { serverKey: this.serverKey }), ...(this.sameRepository && { sameRepository: true as const }) } : { repository: this.repositoryOnDisk ? 'exists' : 'none', exclusiveCreate: true },
    'account.signIn': ({ service, account }) => {
      const login = account ?? `mia@${service}.example`
      const signedIn: AccountView = { service, name: login, login, signedInMs: this.#now, state: 'signed-in' }
      this.#changeAccounts((list) => [...list.filter((one) => one.name !== login || one.service !== service), signedIn])
      return signedIn
    },
    'account.cancelSignIn': () => this.change({ accounts: { list: this.app.accounts.list, available: this.app.accounts.available } }),
    'account.signOut': ({ service, account }) => this.#changeAccounts((list) => list.filter((one) => one.name !== account || one.service !== service)),
    'dialog.folders': ({ at }) => (at === undefined ? this.folders : [`/home/mia/${at}`]).map(folderAt),
    'uncovered.fine': ({ name }) => this.change({ uncovered: this.app.uncovered.filter((one) => one.name !== name) }),
    'drives.list': () => this.drives,
    'drives.choose': ({ id }) => {
      const drive = this.drives.find((one) => one.id === id)
      return drive ? { ...folderAt(`${drive.mount}/Holdfast`), repository: this.repositoryOnDisk } : error('not-found')
    },
    'sources.suggest': () => ({ folder: folderAt('/home/mia'), leaveOut: ['/.cargo/registry/', '/go/pkg/mod/'] }),
    'sources.measure': ({ sources }) => ({ bytes: sources.length * 83.2e9, files: 120_000, isMore: false }),
    'disk.add': ({ jobId, id }) => {
      const drive = this.drives.find((one) => one.id === id)
      if (!drive) return error('not-found')
      return this.changeJob(jobId, (one) => ({ ...one, disks: [...(one.disks ?? []), { id, name: drive.name, current: false, present: true, seenMs: this.#now, safe: false }] }))
    },
    'disk.remove': ({ jobId, id }) => this.changeJob(jobId, (one) => ({ ...one, disks: (one.disks ?? []).filter((disk) => disk.id !== id) })),
    'dialog.file': () => (this.file === undefined ? {} : { path: this.file }),
    'password.check': ({ password }) => ({ right: password === 'tulip gravel omen lamp', tried: this.storageAnswers }),
    'password.add': () => this.change({ notices: this.app.notices.filter((one) => one.id !== 'password') }),
    'kit.make': ({ jobId }) => this.#changeKits(jobId, ({ kits }) => ({ kits, fresh: { number: '1a2b3c4d', asks: [2, 7, 11], given: false } })),
    'kit.page': ({ jobId }) => {
      if (this.printed) this.#changeKits(jobId, ({ kits, fresh }) => (fresh ? { kits: [{ number: fresh.number, madeMs: this.#now, moved: false }, ...kits], fresh: { ...fresh, given: true } } : { kits }))
      return { done: this.printed }
    },
    'kit.check': ({ jobId, words }) => {
      const wrong = [2, 7, 11].filter((_, at) => words[at] !== ['ozone', 'grace', 'elder'][at])
      if (wrong.length === 0) this.#changeKits(jobId, ({ kits }) => ({ kits: kits.map((one) => (one.number === '1a2b3c4d' ? { ...one, checkedMs: this.#now } : one)) }))
      return { wrong }
    },
    'kit.revoke': ({ jobId, number }) => this.#changeKits(jobId, ({ kits, fresh }) => ({ kits: kits.filter((one) => one.number !== number), ...(fresh && fresh.number !== number && { fresh }) })),
    'visit.open': ({ destination }) => {
      this.change({ visit: { id: 'v1', name: destination.type === 'folder' ? destination.folder.id : destination.provider, machines: 1 } })
      return { visitId: 'v1' }
    },
    'visit.machines': () => this.machines,
    'visit.import': ({ jobs }) => {
      const made = jobs.map((name, at) => job(`i${at}`, name))
      this.change({ jobs: [...this.app.jobs, ...made] })
      return { jobIds: made.map(({ id }) => id) }
    },
    'visit.address': ({ address }) => this.readings[address] ?? { type: 'unknown' },
    'files.open': ({ place }) => {
      this.change({ files: { place, address: 'dav://holdfast@127.0.0.1:40123/', user: 'holdfast', shown: this.fileManager } })
      return { shown: this.fileManager }
    },
    'files.close': () => {
      const { files: _files, ...rest } = this.app
      this.app = rest
      this.change({})
    },
    'files.copyPassword': () => undefined,
    'visit.close': () => {
      const { visit: _gone, ...rest } = this.app
      this.app = rest
      this.change({})
    },
    'browse.snapshots': () => ({ snapshots: snapshots(this.#now), missed: this.missed }),
    'browse.list': ({ path, after, limit }) => folderPage(new TextDecoder().decode(path), after, limit, this.#now),
    'browse.search': ({ text, after }) => foundPage(text, after, this.#now),
    'browse.preview': ({ snapshot }) => preview(snapshot),
    'browse.compare': ({ older }) => comparison(older),
    'browse.versions': ({ path }) => ({ versions: path.at(-1) === 0x66 ? pathVersions(this.#now) : [], coverage: { searched: 3, snapshots: 3, filling: false } }),
    'browse.changes': ({ snapshot }) => snapshotChanges(snapshot),
    'restore.plan': ({ after, target }) => planPage(this.#now, 'id' in target ? target.id : '/home/mia', after !== undefined),
    'restore.start': ({ place, snapshot, target, paths, except, more = [] }) => {
      const restore: RestoreView = {
        id: 'x9', place, from: this.app.jobs.find((one) => 'jobId' in place && one.id === place.jobId)?.config.name ?? this.app.visit?.name ?? '', snapshot, more: more.length, ...('id' in target && { target: target.id }), paths: paths.length, except: except.length, state: 'running', runId: 'run-x9', canRetry: false,
      }
      this.change({ restores: [restore, ...this.app.restores] })
      return { restoreId: restore.id }
    },
    'restore.retry': ({ restoreId }) => {
      const [before] = this.app.restores.filter(({ id }) => id === restoreId)
      if (before) this.change({ restores: [{ ...before, id: 'x10', state: 'running', runId: 'run-x10', canRetry: false }, ...this.app.restores] })
      return { restoreId: 'x10' }
    },
    'restore.pause': ({ restoreId }) => this.#setRestore(restoreId, 'paused'),
    'restore.resume': ({ restoreId }) => this.#setRestore(restoreId, 'running'),
    'restore.stop': ({ restoreId }) => this.#setRestore(restoreId, 'stopping'),
    'restore.dismiss': ({ restoreId }) => this.change({ restores: this.app.restores.filter((one) => one.id !== restoreId) }),
    'settings.set': (change) => {
      const { uploadBytesPerSecond: _up, downloadBytesPerSecond: _down, ...rest } = { ...this.app.settings, ...change }
      const limits = Object.entries({ ...this.app.settings, ...change }).filter(([key, value]) => key.endsWith('loadBytesPerSecond') && value !== null)
      this.change({ settings: { ...rest, ...Object.fromEntries(limits) } })
    },
    'notice.dismiss': ({ id }) => this.change({ notices: this.app.notices.filter((one) => one.id !== id) }),
  }
}

/** By the number of the snapshot: a text, a picture, what is neither. */
function preview(snapshot: string): FilePreview {
  if (snapshot.endsWith('128')) return { kind: 'text', text: 'Dear Zoë,\n<b>all is well</b>', size: 400_000, complete: false }
  if (snapshot.endsWith('120')) return { kind: 'image', format: 'png', bytes: Uint8Array.from(atob(picture), (character) => character.charCodeAt(0)), width: 3, height: 2, size: 74 }
  return { kind: 'none', reason: 'binary', size: 12_000 }
}

/** A red PNG of three points by two. */
const picture = 'iVBORw0KGgoAAAANSUhEUgAAAAMAAAACCAIAAAASFvFNAAAAEElEQVR4nGP4z8AAQQxwFgBB0gX7h/C5SAAAAABJRU5ErkJggg=='

function comparison(older: string): TextComparison {
  if (!older.endsWith('120')) return { kind: 'none', reason: 'large' }
  return { kind: 'lines', added: 2, removed: 1, complete: false, hunks: [{ olderLine: 4, newerLine: 4, lines: [{ kind: 'same', text: 'Dear Zoë,' }, { kind: 'removed', text: 'all is lost' }, { kind: 'added', text: 'all is well' }, { kind: 'added', text: '<i>truly</i>' }] }] }
}

/** Two pages of what stands in a folder; in an empty one there is nothing. */
function planPage(now: number, folder: string, second: boolean): Response<'restore.plan'> {
  const none = { entries: 0, bytes: 0 }
  const nothing = { same: none, older: none, newer: none, other: none, folder: none, blocked: none, below: none, unreadable: none }
  if (folder.endsWith('empty')) return { entries: [], totals: { new: { entries: 1234, bytes: 2_400_000_000 }, ...nothing } }
  const entry = (shown: string, of: PlannedEntry['of'], ageHours: number): PlannedEntry => ({
    path: encoder.encode(`Documents/${shown}`), shown, folder: 'Documents', of, type: of === 'blocked' ? 'directory' : 'file', mtimeMs: now - 48 * hour,
    ...(of !== 'blocked' && { size: 12_000 }), there: { size: 11_000, mtimeMs: now - ageHours * hour },
  })
  if (!second) return { entries: [entry('Budget.ods', 'older', 700)], totals: { new: { entries: 20, bytes: 90_000 }, ...nothing, same: { entries: 100, bytes: 5_000_000 }, older: { entries: 3, bytes: 36_000 } }, next: encoder.encode('Documents/Budget.ods') }
  return {
    entries: [entry('Letter.odt', 'newer', 2), entry('Photos', 'blocked', 900)],
    totals: { new: none, ...nothing, newer: { entries: 1, bytes: 12_000 }, blocked: { entries: 1, bytes: 0 }, below: { entries: 7, bytes: 700 } },
  }
}

/** Two pages of what has `report` in its name; `new` is still being read. */
function foundPage(text: string, after: string | undefined, now: number): SearchAnswer {
  const entry = (name: string, index: number): FoundEntry => ({
    snapshot: 'Documents@128', job: 'Documents', host: 'mia-laptop', path: encoder.encode(`Documents/Reports/${name}`), shown: name, folder: 'Documents/Reports', type: 'file', size: 12_345 + index,
    mtimeMs: now - 90 * hour, versions: 1 + index, lastMs: now - index * 30 * hour, there: index === 0,
  })
  const coverage = { searched: text === 'new' ? 1 : 3, snapshots: 3, filling: text === 'new' }
  if (!'report'.startsWith(text.toLowerCase())) return { entries: [], coverage }
  return after === undefined ? { entries: [entry('Report 2026.pdf', 0), entry('Old report.pdf', 1)], next: '1.1', coverage } : { entries: [entry('Report draft.pdf', 2)], coverage }
}

/** `…@1` is the first of its job, `…@2` changed only times. */
function snapshotChanges(snapshot: string): SnapshotChanges {
  const none = { entries: 0, bytes: 0 }
  const totals = { added: none, removed: none, content: none, metadata: { entries: 0, bytes: 0 }, type: none }
  if (snapshot.endsWith('@1')) return { newer: snapshot, entries: [], totals, complete: true }
  const older = 'Documents@127'
  if (snapshot.endsWith('@2')) return { older, newer: snapshot, entries: [], totals: { ...totals, metadata: { entries: 3, bytes: 9 } }, complete: true }
  const entry = (kind: SnapshotChanges['entries'][number]['kind'], path: string, more: object): SnapshotChanges['entries'][number] => {
    const slash = path.lastIndexOf('/')
    return { kind, path: encoder.encode(path), shown: path.slice(slash + 1), folder: path.slice(0, Math.max(0, slash)), type: 'file', ...more }
  }
  return {
    older, newer: snapshot, complete: true,
    entries: [
      entry('added', 'Documents/Reports/2027', { type: 'directory' }), entry('added', 'Documents/Reports/2027/Plan.odt', { size: 48_000 }),
      entry('content', 'Documents/Reports/Budget.ods', { sizeBefore: 20_000, size: 26_500 }), entry('removed', 'Documents/Old notes.txt', { sizeBefore: 900 }),
    ],
    totals: { ...totals, added: { entries: 1202, bytes: 48_000 }, content: { entries: 1, bytes: 26_500 }, removed: { entries: 1, bytes: 900 }, metadata: { entries: 1, bytes: 5 } },
  }
}

function pathVersions(now: number): readonly PathVersion[] {
  return [
    { snapshot: 'Documents@128', firstMs: now - 20 * hour, lastMs: now - hour, snapshots: 4, type: 'file', size: 20_000, mtimeMs: now - 21 * hour },
    { snapshot: 'Documents@120', firstMs: now - 300 * hour, lastMs: now - 200 * hour, snapshots: 1, type: 'file', size: 19_000, mtimeMs: now - 301 * hour, goneMs: now - 100 * hour },
    { snapshot: 'Documents@110', firstMs: now - 500 * hour, lastMs: now - 400 * hour, snapshots: 2, type: 'file', size: 18_000, mtimeMs: now - 501 * hour },
  ]
}

export function error(code: WireError['code']): WireError {
  return { code, message: `raw ${code}`, retryable: false }
}

function startState(scenario: Scenario, now: number): AppState {
  const jobs = idleJobs(now)
  const [first, second, ...rest] = jobs
  if (scenario === 'first-run' || !first || !second) return appState([], scenario === 'first-run' ? { notices: [{ id: 'n1', type: 'secrets-in-file' }] } : {})
  const state = scenario === 'paused' ? 'paused' : 'running'
  const running = [{ ...first, state, runId: 'run-j1' }, { ...second, state: 'running', runId: 'run-j2' }] as const
  const restore: RestoreView = { id: 'x1', place: { jobId: 'j1' }, from: 'Documents', snapshot: 'Documents@128', more: 0, target: '/home/mia/Restored', paths: 3, except: 1, state: 'running', runId: 'run-x1', canRetry: false }
  const result = run('j1', 'run-x1', now, { operation: 'restore', outcome: 'warnings', problems: 3, finishedMs: now - 90_000, startedMs: now - 8 * 60_000 })
  switch (scenario) {
    case 'busy':
    case 'waiting':
    case 'paused':
      return appState([...running, ...rest.map((one, index) => (index === 1 ? { ...one, state: 'queued' as const, runId: 'run-q', waits: { wait: { type: 'place' as const, most: 2 } } } : one))])
    case 'crashed':
      return appState([running[0], second, ...rest], { notices: [{ id: 'n2', type: 'engine-crashed', jobId: 'j1', restarts: 1, givenUp: false }] })
    case 'restoring':
      return appState(jobs, { restores: [restore] })
    case 'restored':
      return appState(jobs, { restores: [{ ...restore, state: 'idle', canRetry: true, result }] })
    case 'idle':
    case 'loading':
    case 'broken':
    case 'offline':
      return appState(jobs)
  }
}

function historyPage(owner: JobView | undefined, now: number, limit: number, before: string | undefined) {
  if (!owner?.lastRun) return { runs: [], more: false }
  const outcomes = ['success', 'unchanged', 'success', 'warnings', 'success', 'stopped', 'partial', 'failed'] as const
  const older = Array.from({ length: 45 }, (_, index) => {
    const outcome = outcomes[index % outcomes.length] ?? 'success'
    const failed = outcome === 'failed' || outcome === 'partial'
    return run(owner.id, `r${100 - index}`, now - (index + 1) * 23 * hour, {
      outcome, problems: outcome === 'warnings' ? 3 : 0, adoptedPacks: index % 5 === 2 ? 12 : 0, snapshot: `${owner.config.name}@${127 - index}`,
      uploadedBytes: outcome === 'unchanged' ? 18_400 : 90_123_456 * ((index % 7) + 1), ...(failed && { error: error(outcome === 'failed' ? 'credentials' : 'offline') }),
    })
  })
  const runs = [owner.lastRun, ...older]
  const start = before === undefined ? 0 : runs.findIndex((one) => one.id === before) + 1
  return { runs: runs.slice(start, start + limit), more: start + limit < runs.length }
}

const rootNames = ['Desktop', 'Documents', 'archive']
const folders = ['2024', '2025', '2026', 'Contracts', 'Letters', 'Reports', 'Taxes']
const notUtf8 = Uint8Array.from([0x63, 0x61, 0x66, 0xe9, 0x2e, 0x74, 0x78, 0x74])

function folderPage(path: string, after: Uint8Array | undefined, limit: number, now: number) {
  const entries = folderEntries(path, now)
  const start = after ? entries.findIndex((one) => one.name.join() === after.join()) + 1 : 0
  return { entries: entries.slice(start, start + limit), more: start + limit < entries.length }
}

function folderEntries(path: string, now: number): readonly EntryView[] {
  const directory = (name: string, age: number): EntryView => ({ name: encoder.encode(name), shown: name, type: 'directory', mtimeMs: now - age * hour })
  const file = (name: string, size: number, age: number): EntryView => ({ name: encoder.encode(name), shown: name, type: 'file', size, mtimeMs: now - age * hour })
  if (path === '') return rootNames.map((name, index) => directory(name, index * 31 + 2))
  if (path.endsWith('Letters')) return []
  if (path.endsWith('2026')) return Array.from({ length: 1000 }, (_, index) => file(`scan-${String(index).padStart(4, '0')}.pdf`, 120_000 + index * 731, index))
  return [
    ...folders.map((name, index) => directory(name, index * 100 + 3)),
    { name: notUtf8, shown: 'caf\\xe9.txt', type: 'file', size: 812, mtimeMs: now - 9000 * hour },
    file('Budget 2026.ods', 48_213, 5),
    file('Minutes of the meeting in which we decided where all of the minutes of the other meetings should be kept from now on.odt', 1_248_000, 29),
    { name: encoder.encode('latest'), shown: 'latest', type: 'symlink', mtimeMs: now - 50 * hour, linkTarget: 'Reports/2026' },
    { name: encoder.encode('spool'), shown: 'spool', type: 'fifo', mtimeMs: now - 800 * hour },
    file('holiday.mp4', 2_480_000_000, 400),
  ]
}

