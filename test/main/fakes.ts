import type { EngineCommand, EngineEvent } from '../../engine/protocol/messages.ts'
import type { BackupJob, RestoreJob, SyncJob } from '../../engine/protocol/job.ts'
import type { Counters, RunSummary } from '../../engine/protocol/progress.ts'
import type { HostListener, StartHost } from '../../main/supervisor/host.ts'
import type { SupervisorPorts } from '../../main/supervisor/supervisor.ts'
import type { Timers } from '../../main/system/timers.ts'

/** A clock that stands still until a test advances it. */
export class FakeTimers implements Timers {
  time: number
  #due: { at: number; action: () => void }[] = []

  constructor(start = Date.UTC(2026, 0, 5, 12)) {
    this.time = start
  }

  now(): number {
    return this.time
  }

  after(ms: number, action: () => void): () => void {
    const entry = { at: this.time + ms, action }
    this.#due.push(entry)
    return () => { this.#due = this.#due.filter((one) => one !== entry) }
  }

  get pending(): number {
    return this.#due.length
  }

  /** Runs everything that falls due, in order; lets promises settle between two of them. */
  async advance(ms: number): Promise<void> {
    const end = this.time + ms
    await settle()
    for (;;) {
      const next = this.#due.filter((one) => one.at <= end).sort((a, b) => a.at - b.at)[0]
      if (!next) break
      this.time = Math.max(this.time, next.at)
      this.#due = this.#due.filter((one) => one !== next)
      next.action()
      await settle()
    }
    this.time = end
  }
}

/** Nobody is signed in to anything. */
/** Every account is called by its one name. */
export const ownKey: SupervisorPorts['sharedAccount'] = (_, key) => key

export const noToken: SupervisorPorts['token'] = () => Promise.resolve({ type: 'refused', error: { code: 'credentials', message: 'nobody', retryable: false } })

/** As fast as anybody likes. */
export const noPace = (): void => undefined

/** Lets everything that is already decided happen. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve))
}

export class FakeHost {
  readonly commands: EngineCommand[] = []
  readonly pid: number
  killed = false
  readonly #listener: HostListener
  #gone = false

  constructor(listener: HostListener, pid: number) {
    this.#listener = listener
    this.pid = pid
  }

  send(command: EngineCommand): void {
    this.commands.push(command)
  }

  kill(): void {
    this.killed = true
    this.exit('SIGKILL')
  }

  says(event: EngineEvent): void {
    this.#listener.message(event)
  }

  saysRaw(message: unknown): void {
    this.#listener.message(message)
  }

  prints(line: string): void {
    this.#listener.output(line)
  }

  ready(): void {
    this.says({ type: 'ready', protocolVersion: 1, pid: this.pid })
  }

  finish(changes: Partial<RunSummary> = {}): void {
    this.says({ type: 'finished', summary: summary(changes) })
    this.exit('code 0')
  }

  exit(how: string): void {
    if (this.#gone) return
    this.#gone = true
    this.#listener.exit(how)
  }

  got(type: EngineCommand['type']): EngineCommand[] {
    return this.commands.filter((one) => one.type === type)
  }
}

export function fakeHosts(): { readonly start: StartHost; readonly hosts: FakeHost[]; readonly last: () => FakeHost } {
  const hosts: FakeHost[] = []
  const start: StartHost = (listener) => {
    const host = new FakeHost(listener, 1000 + hosts.length)
    hosts.push(host)
    return host
  }
  const last = (): FakeHost => {
    const host = hosts.at(-1)
    if (!host) throw new Error('no engine was started')
    return host
  }
  return { start, hosts, last }
}

export const noCounters: Counters = { found: 0, unchanged: 0, deduplicated: 0, uploaded: 0, waiting: 0 }

export function summary(changes: Partial<RunSummary> = {}): RunSummary {
  return {
    operation: 'backup',
    outcome: 'success',
    startedMs: 1,
    finishedMs: 2,
    files: noCounters,
    bytes: noCounters,
    uploadedBytes: 0,
    downloadedBytes: 0,
    adoptedPacks: 0,
    problems: 0,
    firstProblems: [],
    ...changes,
  }
}

export const backupJob: BackupJob = {
  type: 'backup',
  name: 'docs',
  sources: ['/home/u/docs'],
  excludes: { patterns: [], presets: [], oneFileSystem: false },
  dryRun: false,
  onFailure: 'drain',
  repository: 'file:///backup',
  home: '/home/u/.holdfast',
  concurrency: 4,
}

export const restoreJob: RestoreJob = {
  type: 'restore',
  snapshot: 'docs@1',
  target: '/tmp/restore',
  paths: [],
  overwrite: 'never',
  repository: 'file:///backup',
  home: '/home/u/.holdfast',
  concurrency: 4,
}

/** From the repository of the backup to another. */
export const syncJob: SyncJob = {
  type: 'sync',
  from: 'file:///backup',
  repository: 'file:///copy',
  groups: [],
  removeVanished: false,
  parallelGroups: 2,
  dryRun: false,
  home: '/home/u/.holdfast',
  concurrency: 4,
}
