import type { RunView } from '../api/contract.ts'
import { mailAddressOf } from '../api/mail-address.ts'
import type { MailReason, MailServer, MailView, MailWhen } from '../api/mail-views.ts'
import { MainError } from '../api/errors.ts'
import type { JobRecord } from '../jobs/store.ts'
import type { SecretStore } from '../settings/secrets.ts'
import type { VersionedFile } from '../settings/versioned-file.ts'
import { every, type Timers } from '../system/timers.ts'
import { isTold, runMessage, testMessage, weekMessage } from './message.ts'
import { MailError, sendMail, type SendPorts, type Sent } from './send.ts'
import type { KeptMail, Waiting } from './store.ts'

export interface MailPorts {
  readonly file: Pick<VersionedFile<KeptMail>, 'value' | 'set'>
  readonly secrets: Pick<SecretStore, 'get' | 'set' | 'remove'>
  readonly timers: Timers
  /** This machine's name, for jobs that have none of their own. */
  readonly host: string
  readonly jobs: () => readonly JobRecord[]
  /** Of a job, newest first. */
  readonly runs: (jobId: string) => readonly RunView[]
  readonly log: (level: 'warning', message: string) => void
  readonly onChange: () => void
  readonly send?: SendPorts
}

const secretId = 'mail'
/** Before the second try and the ones after it, in ms; then it is given up. */
const pausesMs = [60_000, 5 * 60_000, 20 * 60_000, 3_600_000, 3 * 3_600_000, 8 * 3_600_000]
const weekMs = 7 * 24 * 3_600_000
const lookMs = 10 * 60_000
const mostWaiting = 100
const mostTold = 2000

/**
 * Sends messages about backups. They wait in a file until the server has them, one after the other, each for a bounded number of tries; of a run nobody hears
 * twice, also after a restart: where it cannot be known whether the server took a message, it is not sent again. A backup never waits for it.
 */
export class Mail {
  readonly #ports: MailPorts
  #sending: Promise<void> | undefined
  #cancel: (() => void) | undefined
  #closed = false
  readonly #ending = new AbortController()
  readonly #stop: () => void

  constructor(ports: MailPorts) {
    this.#ports = ports
    const { value } = ports.file
    const cutOff = value.waiting.filter(({ trying }) => trying === true)
    if (cutOff.length > 0) {
      void ports.file.set({ ...value, waiting: value.waiting.filter(({ trying }) => trying !== true), failed: { atMs: ports.timers.now(), reason: 'unsure', givenUp: true } })
      ports.log('warning', `${cutOff.length} messages may not have arrived: the app ended while they were sent`)
    }
    this.#stop = every(ports.timers, lookMs, () => { this.tick() })
    this.#plan()
  }

  get view(): MailView | undefined {
    const { server, jobs, failed } = this.#ports.file.value
    return server && { server, jobs, ...(failed && { failed }) }
  }

  when(jobId: string): MailWhen | undefined {
    return this.#ports.file.value.jobs[jobId]
  }

  get server(): MailServer | undefined {
    return this.#ports.file.value.server
  }

  /** The password that is kept for the server; undefined: none, or it cannot be opened. */
  get password(): string | undefined {
    return this.server && this.#passwordFor(this.server)
  }

  /** From now on messages go this way. @param password absent: the one that is kept for this very server and user. Errors: `arguments` where there is none. */
  async setServer(server: MailServer, password: string | undefined): Promise<void> {
    const { file, secrets, onChange } = this.#ports
    if (server.user !== undefined && password === undefined && this.#passwordFor(server) === undefined) throw new MainError('arguments', 'The server asks for a password.', { field: 'password' })
    const { failed: _before, ...kept } = file.value
    const now = this.#ports.timers.now()
    await Promise.all([
      // What waits is sent the new way, at once.
      file.set({ ...kept, server, waiting: kept.waiting.map((one) => ({ ...one, dueMs: Math.min(one.dueMs, now) })) }),
      ...(server.user === undefined ? [secrets.remove(secretId)] : password === undefined ? [] : [secrets.set(secretId, mailAddressOf(server), { password, storage: {} })]),
    ])
    onChange()
    this.#plan()
  }

  /** Nothing is sent any more, and nothing of it is kept but what each job had chosen. */
  async removeServer(): Promise<void> {
    const { file, secrets, onChange } = this.#ports
    const { jobs, told } = file.value
    await Promise.all([file.set({ jobs, told, waiting: [] }), secrets.remove(secretId)])
    onChange()
  }

  /** What is told of a job; undefined: nothing. */
  async choose(jobId: string, when: MailWhen | undefined): Promise<void> {
    const { file, timers, onChange } = this.#ports
    const { [jobId]: _before, ...others } = file.value.jobs
    const jobs = when === undefined ? others : { ...others, [jobId]: when }
    const { weekSinceMs, ...kept } = file.value
    const weekly = Object.values(jobs).includes('weekly')
    await file.set({ ...kept, jobs, ...(weekly && { weekSinceMs: weekSinceMs ?? timers.now() }) })
    onChange()
  }

  /** A message, at once. Errors: MailError; `not-found` where no server is known. */
  async test(): Promise<Sent> {
    const { server } = this
    if (!server) throw new MainError('not-found', 'No mail server is set up.')
    return await this.#send(server, { id: `test-${this.#ports.timers.now()}`, ...testMessage, atMs: this.#ports.timers.now() })
  }

  ended(run: RunView, { id, config, host }: JobRecord): void {
    const when = this.when(id)
    if (when === undefined || !this.server || !isTold(when, run)) return
    this.#add({ id: run.id, ...runMessage(config.name, host ?? this.#ports.host, run), atMs: run.finishedMs })
  }

  /** Sends what is due; calling it more often than necessary is the same. */
  tick(): void {
    for (const id of this.#gone()) void this.choose(id, undefined)
    this.#tellWeek()
    this.#plan()
  }

  /** The app ends: what is under way is given up, and goes on at the next start unless the server may have it already. */
  async close(): Promise<void> {
    this.#closed = true
    this.#stop()
    this.#cancel?.()
    this.#ending.abort()
    await this.#sending
  }

  /** Jobs that were removed. */
  #gone(): readonly string[] {
    const there = new Set(this.#ports.jobs().map(({ id }) => id))
    return Object.keys(this.#ports.file.value.jobs).filter((id) => !there.has(id))
  }

  #tellWeek(): void {
    const { file, timers, jobs, runs, host } = this.#ports
    const { weekSinceMs, server } = file.value
    const nowMs = timers.now()
    const weekly = jobs().filter(({ id }) => this.when(id) === 'weekly')
    if (weekSinceMs === undefined || !server || weekly.length === 0) return
    // A clock that was set back begins the week anew.
    if (weekSinceMs > nowMs) void file.set({ ...file.value, weekSinceMs: nowMs })
    if (nowMs - weekSinceMs < weekMs) return
    const told = weekly.map(({ id, config, host: own }) => ({ job: config.name, host: own ?? host, runs: runs(id).filter(({ finishedMs }) => finishedMs >= weekSinceMs) }))
    this.#add({ id: `week-${weekSinceMs}`, ...weekMessage(told, weekSinceMs, nowMs), atMs: nowMs }, nowMs)
  }

  /** In one write with the mark that it is told. */
  #add(message: Pick<Waiting, 'id' | 'subject' | 'text' | 'atMs'>, weekSinceMs?: number): void {
    const { file, timers, log } = this.#ports
    const { told, waiting, ...kept } = file.value
    if (told.includes(message.id)) return
    if (waiting.length >= mostWaiting) log('warning', `${mostWaiting} messages wait to be sent: the oldest is dropped`)
    void file.set({
      ...kept, ...(weekSinceMs !== undefined && { weekSinceMs }), told: [...told, message.id].slice(-mostTold),
      waiting: [...waiting.slice(waiting.length >= mostWaiting ? 1 : 0), { ...message, dueMs: timers.now(), tries: 0 }],
    })
    this.#plan()
  }

  /** Begins with what is due, or waits until something is. */
  #plan(): void {
    if (this.#sending || this.#closed) return
    this.#cancel?.()
    this.#cancel = undefined
    const { file, timers } = this.#ports
    const [next] = [...file.value.waiting].sort((a, b) => a.dueMs - b.dueMs)
    if (!next || !this.server) return
    const inMs = next.dueMs - timers.now()
    if (inMs > 0) {
      this.#cancel = timers.after(Math.min(inMs, lookMs), () => { this.#plan() })
      return
    }
    this.#sending = this.#try(next).finally(() => {
      this.#sending = undefined
      this.#plan()
    })
  }

  /** Never rejects. */
  async #try(message: Waiting): Promise<void> {
    const { log } = this.#ports
    const { server } = this
    if (!server) return
    try {
      // On disk before a word of it is said: a crash must not send it again.
      await this.#change(message.id, (one) => ({ ...one, trying: true, tries: one.tries + 1 }))
      const { refused } = await this.#send(server, message)
      await this.#change(message.id, () => undefined, refused.length === 0 ? undefined : { reason: 'recipient', givenUp: true })
      if (refused.length > 0) log('warning', `a message was not taken for ${refused.length} of its recipients`)
    } catch (error) {
      const { reason, passes } = error instanceof MailError ? error : new MailError('offline', true, error)
      const pauseMs = passes ? pausesMs[message.tries] : undefined
      log('warning', `a message was not sent: ${reason}${pauseMs === undefined ? '' : '; it is tried again'}`)
      await this.#change(message.id, ({ trying: _over, ...one }) => (pauseMs === undefined ? undefined : { ...one, dueMs: this.#ports.timers.now() + pauseMs }), { reason, givenUp: pauseMs === undefined }).catch(() => undefined)
    }
  }

  /** @param change undefined: it waits no longer @param failed undefined: all is well */
  #change(id: string, change: (one: Waiting) => Waiting | undefined, failed?: { readonly reason: MailReason; readonly givenUp: boolean }): Promise<void> {
    const { file, timers, onChange } = this.#ports
    const { failed: before, ...kept } = file.value
    let trying = false
    const waiting = kept.waiting.flatMap((one) => {
      if (one.id !== id) return [one]
      const changed = change(one)
      trying = changed?.trying === true
      return changed ? [changed] : []
    })
    const shown = failed ? { ...failed, atMs: timers.now() } : trying ? before : undefined
    const written = file.set({ ...kept, waiting, ...(shown && { failed: shown }) })
    onChange()
    return written
  }

  async #send(server: MailServer, message: Pick<Waiting, 'id' | 'subject' | 'text' | 'atMs'>): Promise<Sent> {
    const password = this.#passwordFor(server)
    if (server.user !== undefined && password === undefined) throw new MailError('lost', false)
    return await sendMail(server, password, message, { ...this.#ports.send, signal: this.#ending.signal })
  }

  #passwordFor(server: MailServer): string | undefined {
    return this.#ports.secrets.get(secretId, mailAddressOf(server))?.password
  }
}
