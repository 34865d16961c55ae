import type { AccountReference, TokenAnswer } from '../../engine/protocol/accounts.ts'
import type { EngineJob, JobSecrets } from '../../engine/protocol/job.ts'
import type { EngineEvent, Limits } from '../../engine/protocol/messages.ts'
import type { TransferEvent } from '../../engine/protocol/progress.ts'
import { every } from '../system/timers.ts'
import type { Timers } from '../system/timers.ts'
import { AccountPauses } from './account-pauses.ts'
import { divide, estimateDemand, paceBesideRestore } from './bandwidth.ts'
import type { Consumer } from './bandwidth.ts'
import { Engine } from './engine.ts'
import type { EngineListener } from './engine.ts'
import type { StartHost } from './host.ts'
import { PermitBroker } from './permits.ts'

export interface SupervisorPorts {
  readonly startHost: StartHost
  readonly timers: Timers
  /** A token for a job's engine: only of an account that an address of it names. Never rejects. */
  readonly token: (job: EngineJob, account: AccountReference, rejected: string | undefined) => Promise<TokenAnswer>
  /** The one key under which an account's transfers are counted, where its storage's engine calls it so. */
  readonly sharedAccount: (job: EngineJob, account: string) => string
  /** Sets the CPU priority of a process (nice value); must not throw. */
  readonly renice: (pid: number, nice: number) => void
}

export interface StartRequest {
  readonly job: EngineJob
  readonly secrets: JobSecrets
  /** The job's own limit, beneath the shared one. */
  readonly uploadBytesPerSecond?: number
}

type Direction = 'up' | 'down'

interface Running {
  readonly id: string
  readonly engine: Engine
  readonly job: EngineJob
  /** Questions for tokens that are not answered yet. */
  asking: number
  readonly ownLimit: number
  /** Bytes of each transfer that goes on. */
  readonly lanes: Map<number, { readonly direction: Direction; readonly bytes: number }>
  /** Bytes since the speed was last measured, and that speed in bytes a second; Infinity before: then it counts as hungry. */
  readonly moved: Record<Direction, number>
  readonly used: Record<Direction, number>
  /** The last speeds that were measured outside of restores while something moved, oldest first. */
  readonly pace: Record<Direction, number[]>
  readonly share: Record<Direction, number | undefined>
}

const rebalanceMs = 1000
const paceSeconds = 3
const mostAsking = 16
const tooMany: TokenAnswer = { type: 'refused', error: { code: 'unavailable', message: 'Too many tokens were asked for at once.', retryable: true } }
/** CPU priority by what runs; all else has somebody in front of it. */
const niceness: Readonly<Partial<Record<EngineJob['type'], number>>> = { backup: 10, watch: 15, sync: 15, care: 19 }
/** Shares of a limit that all have together. */
const weights: Readonly<Partial<Record<EngineJob['type'], number>>> = { restore: 90, sync: 5, care: 1 }
const usualWeight = 10
/** What leaves the line to a restore also where no limit divides it. Care ends instead. */
const stepsBack: readonly EngineJob['type'][] = ['backup', 'sync']

/**
 * Starts engines and divides among them what they share: permits and pauses by account, bandwidth, CPU. While a restore runs, backups
 * and syncs yield all three (B5). Knows nothing of jobs, schedules or windows.
 */
export class Supervisor {
  readonly #ports: SupervisorPorts
  readonly #permits = new PermitBroker()
  readonly #pauses: AccountPauses
  readonly #running = new Map<string, Running>()
  #limits: Limits = {}
  #nextId = 1
  #balancedMs: number
  #cancelRebalance: (() => void) | undefined

  constructor(ports: SupervisorPorts) {
    this.#ports = ports
    this.#pauses = new AccountPauses(() => ports.timers.now())
    this.#balancedMs = ports.timers.now()
  }

  /** Starts an engine for the job. Only backups are restarted after a crash: care and syncs run again by themselves, and all else has somebody in front of it who decides. */
  start(request: StartRequest, listener: EngineListener): Engine {
    const id = String(this.#nextId++)
    const { job, secrets } = request
    const nice = niceness[job.type] ?? 0
    this.#permits.setForeground(id, nice === 0)
    const hear = (event: EngineEvent): void => {
      this.#onEvent(id, event)
      listener.event(event)
    }
    const engine = new Engine({ job, secrets, limits: this.#firstLimits(request) }, job.type === 'backup', {
      startHost: this.#ports.startHost,
      timers: this.#ports.timers,
      listener: { ...listener, event: hear, output: (line) => { listener.output(line) } },
      started: (pid) => { if (pid !== undefined && nice > 0) this.#ports.renice(pid, nice) },
      ended: () => { this.#onProcessEnded(id) },
    })
    const ownLimit = request.uploadBytesPerSecond ?? Infinity
    this.#running.set(id, { id, engine, job, asking: 0, ownLimit, lanes: new Map(), moved: { up: 0, down: 0 }, used: { up: Infinity, down: Infinity }, pace: { up: [], down: [] }, share: { up: undefined, down: undefined } })
    this.#onChange()
    void engine.exited.then(() => { this.#onExited(id) })
    return engine
  }

  /** The limit that all engines share, from now on. */
  setLimits(limits: Limits): void {
    this.#limits = limits
    this.#onChange()
  }

  get count(): number {
    return this.#running.size
  }

  /** Ends every engine: `cancel`, and a kill after `graceMs` in ms. Resolves when all are gone; repeating is safe. */
  async stopAll(graceMs: number): Promise<void> {
    const engines = [...this.#running.values()].map((one) => one.engine)
    for (const engine of engines) engine.stop('cancel', graceMs)
    await Promise.all(engines.map((engine) => engine.exited))
  }

  #onEvent(id: string, event: EngineEvent): void {
    const running = this.#running.get(id)
    if (!running) return
    switch (event.type) {
      case 'permit-request':
        this.#permits.request(running.id, event.request, this.#ports.sharedAccount(running.job, event.account), event.cap, () => { running.engine.grant(event.request) })
        return
      case 'permit-release':
        this.#permits.release(running.id, event.request)
        return
      case 'account-use':
        this.#pauses.use(running.id, this.#ports.sharedAccount(running.job, event.account), event.account, (account, pauseMs) => { running.engine.pauseAccount(account, pauseMs) })
        return
      case 'account-pause':
        this.#pauses.pause(running.id, this.#ports.sharedAccount(running.job, event.account), event.pauseMs)
        return
      case 'token-request':
        this.#answer(running, event)
        return
      case 'transfer': {
        this.#onTransfer(running, event.transfer)
        return
      }
      default:
    }
  }

  /** An engine asks once for all of its transfers; one that asks without end is not to keep main from its work. */
  #answer(running: Running, { request, account, rejected }: Extract<EngineEvent, { type: 'token-request' }>): void {
    const answer = running.engine.tokenAnswerer(request)
    if (running.asking >= mostAsking) {
      answer(tooMany)
      return
    }
    running.asking += 1
    void this.#ports.token(running.job, account, rejected).then(answer).finally(() => { running.asking -= 1 })
  }

  #onTransfer(running: Running, { id, state, direction, bytes }: TransferEvent): void {
    const before = running.lanes.get(id)?.bytes ?? 0
    running.moved[direction] += Math.max(0, bytes - before)
    const isFirst = state === 'active' && ![...running.lanes.values()].some((lane) => lane.direction === direction)
    if (state === 'active') running.lanes.set(id, { direction, bytes })
    else running.lanes.delete(id)
    // Who comes back need not wait for its turn to be measured.
    if (!isFirst || !this.#cancelRebalance || running.used[direction] > 0) return
    running.used[direction] = Infinity
    this.#rebalance()
  }

  /** What each has used since the last time. */
  #measure(): void {
    const nowMs = this.#ports.timers.now()
    const passedMs = Math.max(1, nowMs - this.#balancedMs)
    this.#balancedMs = nowMs
    for (const { moved, used, pace } of this.#running.values()) {
      for (const direction of ['up', 'down'] as const) {
        used[direction] = (moved[direction] * 1000) / passedMs
        moved[direction] = 0
        if (!this.#isRestoring && used[direction] > 0) pace[direction] = [...pace[direction], used[direction]].slice(-paceSeconds)
      }
    }
  }

  #onProcessEnded(id: string): void {
    this.#permits.drop(id)
    this.#pauses.drop(id)
    const running = this.#running.get(id)
    running?.lanes.clear()
    if (running) Object.assign(running.used, { up: Infinity, down: Infinity })
  }

  #onExited(id: string): void {
    this.#running.delete(id)
    this.#permits.setForeground(id, false)
    this.#permits.drop(id)
    this.#pauses.drop(id)
    this.#onChange()
  }

  #onChange(): void {
    this.#permits.setYielding(this.#isRestoring)
    this.#rebalance()
    const wanted = this.#transferring.length > 0
    if (wanted && !this.#cancelRebalance) {
      this.#measure()
      for (const { used } of this.#running.values()) Object.assign(used, { up: Infinity, down: Infinity })
      this.#cancelRebalance = every(this.#ports.timers, rebalanceMs, () => {
        this.#measure()
        this.#rebalance()
      })
    } else if (!wanted) {
      this.#cancelRebalance?.()
      this.#cancelRebalance = undefined
    }
  }

  /** A watch sends nothing: it takes no share, and nothing has to be measured for it alone. */
  get #transferring(): readonly Running[] {
    return [...this.#running.values()].filter((one) => one.job.type !== 'watch')
  }

  get #isRestoring(): boolean {
    return [...this.#running.values()].some((one) => one.job.type === 'restore')
  }

  /** Shrinks shares before others grow, so that the sum stays beneath the limit on the way. */
  #rebalance(): void {
    const up = this.#divide('up')
    const down = this.#divide('down')
    const engines = this.#transferring.toSorted((a, b) => growth(a, up) - growth(b, up))
    for (const one of engines) {
      const before = { ...one.share }
      one.share.up = up.get(one.id) ?? Infinity
      one.share.down = down.get(one.id) ?? Infinity
      if (differs(before.up, one.share.up) || differs(before.down, one.share.down)) one.engine.setLimits(limitsOf(one.share))
      else Object.assign(one.share, before)
    }
  }

  #divide(direction: Direction): ReadonlyMap<string, number> {
    const limit = this.#limit(direction)
    const consumers = this.#transferring.map((one): Consumer => ({
      id: one.id,
      weight: weights[one.job.type] ?? usualWeight,
      demand: estimateDemand(one.used[direction], one.share[direction], limit),
      cap: Math.min(direction === 'up' ? one.ownLimit : Infinity, this.#besideRestore(one, direction)),
    }))
    return divide(limit, consumers)
  }

  /** A limit is divided by weight; where there is none, backups and syncs step back by themselves (B5). */
  #besideRestore({ job, pace }: Running, direction: Direction): number {
    return stepsBack.includes(job.type) && this.#limit(direction) === Infinity && this.#isRestoring ? paceBesideRestore(pace[direction]) : Infinity
  }

  #limit(direction: Direction): number {
    return (direction === 'up' ? this.#limits.uploadBytesPerSecond : this.#limits.downloadBytesPerSecond) ?? Infinity
  }

  /** What goes with `start`: the least it will have; the first division follows at once. */
  #firstLimits(request: StartRequest): Limits {
    const engines = this.#transferring.length + 1
    const up = Math.min(request.uploadBytesPerSecond ?? Infinity, this.#limit('up') / engines)
    return limitsOf({ up, down: this.#limit('down') / engines })
  }
}

function growth(running: Running, shares: ReadonlyMap<string, number>): number {
  const finite = (share: number | undefined): number => Math.min(share ?? 0, Number.MAX_SAFE_INTEGER)
  return finite(shares.get(running.id)) - finite(running.share.up)
}

/** Changes below 2 % are not worth a message. */
function differs(before: number | undefined, after: number): boolean {
  if (before === undefined) return true
  if (before === Infinity || after === Infinity) return before !== after
  return Math.abs(after - before) > before * 0.02
}

function limitsOf(share: Readonly<Record<Direction, number | undefined>>): Limits {
  const { up = Infinity, down = Infinity } = share
  return {
    ...(up !== Infinity && { uploadBytesPerSecond: Math.max(1, Math.floor(up)) }),
    ...(down !== Infinity && { downloadBytesPerSecond: Math.max(1, Math.floor(down)) }),
  }
}
