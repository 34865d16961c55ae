import type { BrowseAnswer, BrowseQuery } from '../../engine/protocol/messages.ts'
import type { Request, Response } from '../api/contract.ts'
import { EngineError, MainError } from '../api/errors.ts'
import type { SecretStore } from '../settings/secrets.ts'
import type { Engine } from '../supervisor/engine.ts'
import { engineLog } from '../runs/engine-log.ts'
import type { AskPorts } from './asked-engine.ts'
import { browseJobOf } from './engine-jobs.ts'
import { requireSecrets } from '../repositories/address.ts'
import type { JobStore } from './store.ts'

export interface BrowsePorts extends AskPorts {
  readonly store: JobStore
  readonly secrets: Pick<SecretStore, 'get'>
}

/** A browse engine that nobody asked anything for this long is ended. */
const idleMs = 2 * 60_000
const stopGraceMs = 3_000
/** Engines that answer at once: one for each job that is looked at, and the one that was longest not asked makes room. */
const mostSessions = 3
/** Questions of one job that wait for their answers. */
const mostWaiting = 32

interface Session {
  readonly engine: Engine
  cancelIdle: () => void
  waiting: number
}

/** Answers questions about snapshots: one engine for each job that is looked at, started by the first question. */
export class Browsing {
  readonly #ports: BrowsePorts
  readonly #sessions = new Map<string, Session>()

  constructor(ports: BrowsePorts) {
    this.#ports = ports
  }

  /** Newest first. Errors: `not-found`, `password`, and what the engine says. */
  async snapshots(jobId: string): Promise<Response<'browse.snapshots'>> {
    const answer = await this.#ask(jobId, { type: 'snapshots' })
    if (answer.type !== 'snapshots') throw unexpected(answer)
    return { snapshots: [...answer.snapshots].sort((a, b) => b.finishedMs - a.finishedMs), missed: answer.missed }
  }

  /** What the watch over repositories wants to know. Errors: as of snapshots. */
  async watched(jobId: string): Promise<Pick<Extract<BrowseAnswer, { type: 'snapshots' }>, 'snapshots' | 'held'>> {
    const answer = await this.#ask(jobId, { type: 'snapshots' })
    if (answer.type !== 'snapshots') throw unexpected(answer)
    return answer
  }

  /** Says that what was unusual about a job on a host is as it should be. Errors: as of snapshots. */
  async acknowledge(jobId: string, { job, host }: { readonly job: string; readonly host: string }): Promise<void> {
    const answer = await this.#ask(jobId, { type: 'acknowledge', job, host })
    if (answer.type !== 'acknowledged') throw unexpected(answer)
  }

  /** Lets one more password open the repository. Errors: as of snapshots; `arguments`. */
  async addPassword(jobId: string, password: string): Promise<void> {
    const answer = await this.#ask(jobId, { type: 'add-password', password })
    if (answer.type !== 'password-added') throw unexpected(answer)
  }

  async list(request: Request<'browse.list'>): Promise<Response<'browse.list'>> {
    const { jobId, snapshot, path, after, limit } = request
    const answer = await this.#ask(jobId, { type: 'list', snapshot, path, limit, ...(after && { after }) })
    if (answer.type !== 'list') throw unexpected(answer)
    return { entries: answer.entries, more: answer.more }
  }

  /** Ends the engine of a job, where there is one: its destination or secrets changed, or it is gone. */
  close(jobId: string): void {
    const session = this.#sessions.get(jobId)
    this.#sessions.delete(jobId)
    session?.cancelIdle()
    session?.engine.stop('cancel', stopGraceMs)
  }

  async #ask(jobId: string, query: BrowseQuery): Promise<BrowseAnswer> {
    const session = this.#sessions.get(jobId) ?? this.#open(jobId)
    if (session.waiting >= mostWaiting) throw new MainError('busy', 'Too many questions wait for an answer.', { pace: true })
    // The last one asked is the last one to go.
    this.#sessions.delete(jobId)
    this.#sessions.set(jobId, session)
    session.cancelIdle()
    session.cancelIdle = this.#ports.timers.after(idleMs, () => { this.close(jobId) })
    session.waiting += 1
    try {
      return await session.engine.query(query)
    } finally {
      session.waiting -= 1
    }
  }

  #open(jobId: string): Session {
    const record = this.#ports.store.get(jobId)
    const secrets = requireSecrets(this.#ports.secrets, record.repository)
    this.#ports.pace.take()
    const [oldest] = this.#sessions.keys()
    if (this.#sessions.size >= mostSessions && oldest !== undefined) this.close(oldest)
    const listener = engineLog(this.#ports.log, this.#ports.timers, { job: record.config.name, operation: 'browse' })
    const engine = this.#ports.engines.start({ job: browseJobOf(record, this.#ports.home), secrets }, listener)
    const session: Session = { engine, cancelIdle: () => undefined, waiting: 0 }
    this.#sessions.set(jobId, session)
    void engine.exited.then(() => {
      session.cancelIdle()
      if (this.#sessions.get(jobId) === session) this.#sessions.delete(jobId)
    })
    return session
  }
}

function unexpected(answer: BrowseAnswer): Error {
  if (answer.type === 'error') return new EngineError(answer.error)
  return new MainError('internal', 'The engine answered another question.')
}
