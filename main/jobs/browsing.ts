import type { RestoreInto } from '../../engine/protocol/job.ts'
import type { BrowseAnswer, BrowseQuery } from '../../engine/protocol/messages.ts'
import type { PlaceRef, Request, Response } from '../api/contract.ts'
import { EngineError, MainError } from '../api/errors.ts'
import type { Engine } from '../supervisor/engine.ts'
import { engineLog } from '../runs/engine-log.ts'
import type { AskPorts } from './asked-engine.ts'
import { placeKey, type Places } from '../repositories/places.ts'
import { browseJobOf } from './engine-jobs.ts'

type Snapshots = Extract<BrowseAnswer, { type: 'snapshots' }>

export interface BrowsePorts extends AskPorts {
  readonly places: Places
  /** The place is not what it was, or it is gone. */
  readonly onClose?: (place: PlaceRef) => void
}

/** A browse engine that nobody asked anything for this long is ended. */
const idleMs = 2 * 60_000
const stopGraceMs = 3_000
/** Engines that answer at once: one for each repository that is looked at, and the one that was longest not asked makes room. */
const mostSessions = 3
/** Questions to one of them that wait for their answers. */
const mostWaiting = 32

interface Session {
  readonly engine: Engine
  cancelIdle: () => void
  waiting: number
}

/** Answers questions about snapshots: one engine for each place that is looked at, started by the first question. */
export class Browsing {
  readonly #ports: BrowsePorts
  readonly #sessions = new Map<string, Session>()

  constructor(ports: BrowsePorts) {
    this.#ports = ports
  }

  /** Newest first, and what is held for an unusual backup. Errors: `not-found`, `password`, and what the engine says. */
  async snapshots(place: PlaceRef): Promise<Response<'browse.snapshots'> & Pick<Snapshots, 'held'>> {
    const answer = await this.#ask(place, { type: 'snapshots' })
    if (answer.type !== 'snapshots') throw unexpected(answer)
    return { snapshots: [...answer.snapshots].sort((a, b) => b.finishedMs - a.finishedMs), missed: answer.missed, held: answer.held }
  }

  /** What the watch over repositories wants to know. Errors: as of snapshots. */
  async watched(jobId: string): Promise<Pick<Snapshots, 'snapshots' | 'held'>> {
    const answer = await this.#ask({ jobId }, { type: 'snapshots' })
    if (answer.type !== 'snapshots') throw unexpected(answer)
    return answer
  }

  /** Says that what was unusual about a job on a host is as it should be. Errors: as of snapshots. */
  async acknowledge(jobId: string, { job, host }: { readonly job: string; readonly host: string }): Promise<void> {
    const answer = await this.#ask({ jobId }, { type: 'acknowledge', job, host })
    if (answer.type !== 'acknowledged') throw unexpected(answer)
  }

  /** Lets one more password open the repository. Errors: as of snapshots; `arguments`. */
  async addPassword(jobId: string, password: string): Promise<void> {
    const answer = await this.#ask({ jobId }, { type: 'add-password', password })
    if (answer.type !== 'password-added') throw unexpected(answer)
  }

  /** Lets the words of a new recovery kit open the repository. Repeated, it makes one more. Errors: as of snapshots; `arguments` (too many keys). */
  async makeKit(jobId: string): Promise<Omit<Extract<BrowseAnswer, { type: 'kit' }>, 'type'>> {
    const answer = await this.#ask({ jobId }, { type: 'make-kit' })
    if (answer.type !== 'kit') throw unexpected(answer)
    return answer
  }

  /** Takes a key away. Repeating it is safe. Errors: as of snapshots; `arguments` with `data.reason` `current` for the one that opens the repository here. */
  async removeKey(jobId: string, key: string): Promise<void> {
    const answer = await this.#ask({ jobId }, { type: 'remove-key', key })
    if (answer.type === 'error' && answer.error.code === 'not-found') return
    if (answer.type !== 'key-removed') throw unexpected(answer)
  }

  /** What machines left in a repository, and which repository it is. Errors: as of snapshots. */
  async machines(place: PlaceRef): Promise<Omit<Extract<BrowseAnswer, { type: 'machines' }>, 'type'>> {
    const answer = await this.#ask(place, { type: 'machines' })
    if (answer.type !== 'machines') throw unexpected(answer)
    return answer
  }

  async list(request: Request<'browse.list'>): Promise<Response<'browse.list'>> {
    const { place, snapshot, path, after, limit } = request
    const answer = await this.#ask(place, { type: 'list', snapshot, path, limit, ...(after && { after }) })
    if (answer.type !== 'list') throw unexpected(answer)
    return { entries: answer.entries, more: answer.more }
  }

  /** Errors: as of snapshots; `aborted` where a newer search was asked for. */
  async search({ place, ...query }: Request<'browse.search'>): Promise<Response<'browse.search'>> {
    const answer = await this.#ask(place, { type: 'search', ...query })
    if (answer.type !== 'found') throw unexpected(answer)
    const { entries, next, coverage } = answer
    return { entries, coverage, ...(next === undefined ? {} : { next }) }
  }

  async versions({ place, snapshot, path }: Request<'browse.versions'>): Promise<Response<'browse.versions'>> {
    const answer = await this.#ask(place, { type: 'versions', snapshot, path })
    if (answer.type !== 'versions') throw unexpected(answer)
    return { versions: answer.versions, coverage: answer.coverage }
  }

  /** Errors: as of snapshots; `not-found`, `damaged`. */
  async preview({ place, snapshot, path }: Request<'browse.preview'>): Promise<Response<'browse.preview'>> {
    const answer = await this.#ask(place, { type: 'preview', snapshot, path })
    if (answer.type !== 'previewed') throw unexpected(answer)
    return answer.preview
  }

  /** Errors: as of preview. */
  async compare({ place, older, newer, path }: Request<'browse.compare'>): Promise<Response<'browse.compare'>> {
    const answer = await this.#ask(place, { type: 'compare', older, newer, path })
    if (answer.type !== 'compared') throw unexpected(answer)
    return answer.comparison
  }

  /** @param target a folder that a person chose, or where files were. Errors: as of snapshots; `not-found`, `denied`. */
  async plan({ place, ...query }: Omit<Request<'restore.plan'>, 'target'>, target: RestoreInto): Promise<Response<'restore.plan'>> {
    const answer = await this.#ask(place, { type: 'plan', ...query, target })
    if (answer.type !== 'planned') throw unexpected(answer)
    const { type: _type, ...page } = answer
    return page
  }

  /** Errors: as of snapshots; `not-found`, `aborted` where another comparison was asked for. */
  async changes({ place, snapshot, limit }: Request<'browse.changes'>): Promise<Response<'browse.changes'>> {
    const answer = await this.#ask(place, { type: 'diff', snapshot, limit })
    if (answer.type !== 'differences') throw unexpected(answer)
    const { type: _type, ...changes } = answer
    return changes
  }

  /** Ends the engine of a job or a visit, where there is one: its destination or secrets changed, or it is gone. */
  close(place: PlaceRef): void {
    this.#close(placeKey(place))
    this.#ports.onClose?.(place)
  }

  #close(key: string): void {
    const session = this.#sessions.get(key)
    this.#sessions.delete(key)
    session?.cancelIdle()
    session?.engine.stop('cancel', stopGraceMs)
  }

  async #ask(place: PlaceRef, query: BrowseQuery): Promise<BrowseAnswer> {
    const key = placeKey(place)
    const session = this.#sessions.get(key) ?? this.#open(place)
    if (session.waiting >= mostWaiting) throw new MainError('busy', 'Too many questions wait for an answer.', { pace: true })
    // The last one asked is the last one to go.
    this.#sessions.delete(key)
    this.#sessions.set(key, session)
    session.cancelIdle()
    session.cancelIdle = this.#ports.timers.after(idleMs, () => { this.#close(key) })
    session.waiting += 1
    try {
      return await session.engine.query(query)
    } finally {
      session.waiting -= 1
    }
  }

  #open(ref: PlaceRef): Session {
    const { place, secrets } = this.#ports.places.open(ref)
    const key = placeKey(ref)
    this.#ports.pace.take()
    const [oldest] = this.#sessions.keys()
    if (this.#sessions.size >= mostSessions && oldest !== undefined) this.#close(oldest)
    const listener = engineLog(this.#ports.log, this.#ports.timers, { job: place.name, operation: 'browse' })
    const engine = this.#ports.engines.start({ job: browseJobOf(place, this.#ports.home), secrets }, listener)
    const session: Session = { engine, cancelIdle: () => undefined, waiting: 0 }
    this.#sessions.set(key, session)
    void engine.exited.then(() => {
      session.cancelIdle()
      if (this.#sessions.get(key) === session) this.#sessions.delete(key)
    })
    return session
  }
}

function unexpected(answer: BrowseAnswer): Error {
  if (answer.type === 'error') return new EngineError(answer.error)
  return new MainError('internal', 'The engine answered another question.')
}
