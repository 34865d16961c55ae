import type { TokenAnswer } from '../../engine/protocol/accounts.ts'
import type { BrowseAnswer, BrowseQuery, EngineEvent, Limits } from '../../engine/protocol/messages.ts'
import type { Timers } from '../system/timers.ts'
import type { StartHost } from './host.ts'
import { EngineProcess } from './process.ts'
import type { ProcessExit, ProcessStart } from './process.ts'
import { restartDelayMs } from './restarts.ts'

export type EngineExit = ProcessExit & { readonly restarts: number }

/** Who hears of an engine. Called in order; must not throw. */
export interface EngineListener {
  event(event: EngineEvent): void
  output(line: string): void
  /** The process crashed and starts again after `delayMs`. */
  restarting(restart: number, delayMs: number, detail: string): void
  restarted(): void
}

export interface EnginePorts {
  readonly startHost: StartHost
  readonly timers: Timers
  readonly listener: EngineListener
  /** Called for each process of the engine, with its pid, right after it was started. */
  readonly started: (pid: number | undefined) => void
  /** Called after each process has ended, before a restart. */
  readonly ended: () => void
}

/**
 * One run: an engine process and, where `restartable`, its successors after crashes. `exited` settles once with the last
 * process's end and never rejects.
 */
export class Engine {
  readonly exited: Promise<EngineExit>
  readonly #start: Omit<ProcessStart, 'limits'>
  readonly #restartable: boolean
  readonly #ports: EnginePorts
  #limits: Limits
  #process!: EngineProcess
  #settle: (exit: EngineExit) => void = () => undefined
  #restarts = 0
  #paused = false
  #stopping = false
  #cancelRestart: (() => void) | undefined
  #nextQuery = 1
  readonly #queries = new Map<number, (answer: BrowseAnswer) => void>()

  constructor(start: ProcessStart, restartable: boolean, ports: EnginePorts) {
    this.#start = { job: start.job, secrets: start.secrets }
    this.#limits = start.limits
    this.#restartable = restartable
    this.#ports = ports
    this.exited = new Promise((resolve) => { this.#settle = resolve })
    this.#launch()
  }

  pause(): void {
    if (this.#paused) return
    this.#paused = true
    this.#process.send({ type: 'pause' })
  }

  resume(): void {
    if (!this.#paused) return
    this.#paused = false
    this.#process.send({ type: 'resume' })
  }

  /** Ends the run; kills it after `graceMs`. Also ends the wait for a restart. */
  stop(mode: 'drain' | 'cancel', graceMs: number): void {
    this.#stopping = true
    if (this.#cancelRestart) {
      this.#cancelRestart()
      this.#cancelRestart = undefined
      this.#end({ type: 'crashed', reason: 'killed', detail: 'stopped while it waited for a restart' })
    } else this.#process.stop(mode, graceMs)
  }

  setLimits(limits: Limits): void {
    this.#limits = limits
    this.#process.send({ type: 'limits', limits })
  }

  grant(request: number): void {
    this.#process.send({ type: 'permit-granted', request })
  }

  /** The storage of an account wants to be left alone for so many ms. */
  pauseAccount(account: string, pauseMs: number): void {
    this.#process.send({ type: 'account-pause', account, pauseMs })
  }

  /** Answers the process that asked; its successor asks anew, with numbers of its own. */
  tokenAnswerer(request: number): (answer: TokenAnswer) => void {
    const asking = this.#process
    return (answer) => { asking.send({ type: 'token', request, answer }) }
  }

  /** Asks a browse engine. Resolves with an `error` answer of code `crashed` when the engine ends before it has answered. */
  query(query: BrowseQuery): Promise<BrowseAnswer> {
    const request = this.#nextQuery++
    return new Promise((resolve) => {
      this.#queries.set(request, resolve)
      this.#process.send({ type: 'query', request, query })
    })
  }

  #launch(): void {
    this.#process = new EngineProcess({ ...this.#start, limits: this.#limits }, {
      startHost: this.#ports.startHost,
      timers: this.#ports.timers,
      onEvent: (event) => { this.#onEvent(event) },
      onOutput: (line) => { this.#ports.listener.output(line) },
    })
    this.#ports.started(this.#process.pid)
    if (this.#paused) this.#process.send({ type: 'pause' })
    void this.#process.exited.then((exit) => { this.#onExit(exit) })
  }

  #onEvent(event: EngineEvent): void {
    if (event.type === 'answer') {
      this.#queries.get(event.request)?.(event.answer)
      this.#queries.delete(event.request)
    } else this.#ports.listener.event(event)
  }

  #onExit(exit: ProcessExit): void {
    this.#ports.ended()
    const delayMs = exit.type === 'crashed' && this.#restartable && !this.#stopping ? restartDelayMs(this.#restarts + 1) : undefined
    if (exit.type !== 'crashed' || delayMs === undefined) { this.#end(exit); return }
    this.#restarts += 1
    this.#ports.listener.restarting(this.#restarts, delayMs, exit.detail)
    this.#cancelRestart = this.#ports.timers.after(delayMs, () => {
      this.#cancelRestart = undefined
      this.#launch()
      this.#ports.listener.restarted()
    })
  }

  #end(exit: ProcessExit): void {
    const error = exit.type === 'failed' ? exit.error : { code: 'crashed' as const, message: 'The engine has ended.', retryable: true }
    for (const answer of this.#queries.values()) answer({ type: 'error', error })
    this.#queries.clear()
    this.#settle({ ...exit, restarts: this.#restarts })
  }
}
