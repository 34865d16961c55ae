import type { WireError } from '../../engine/protocol/errors.ts'
import type { EngineJob, JobSecrets } from '../../engine/protocol/job.ts'
import type { EngineCommand, EngineEvent, Limits } from '../../engine/protocol/messages.ts'
import { protocolVersion } from '../../engine/protocol/messages.ts'
import type { RunSummary } from '../../engine/protocol/progress.ts'
import { parseEvent } from '../../engine/protocol/validate.ts'
import type { Timers } from '../system/timers.ts'
import type { EngineHost, StartHost } from './host.ts'

/** How one engine process ended. A process that goes without a last word has crashed, whatever its exit code says. */
export type ProcessExit =
  | { readonly type: 'finished'; readonly summary: RunSummary }
  | { readonly type: 'failed'; readonly error: WireError; readonly summary?: RunSummary }
  | { readonly type: 'crashed'; readonly reason: CrashReason; readonly detail: string }

/** `killed`: by the supervisor, after a stop was asked for and its grace ended. */
type CrashReason = 'exit' | 'silent' | 'protocol' | 'killed'

export interface ProcessStart {
  readonly job: EngineJob
  readonly secrets: JobSecrets
  readonly limits: Limits
}

export interface ProcessPorts {
  readonly startHost: StartHost
  readonly timers: Timers
  /** Every valid event but `ready` and `heartbeat`, in order, until the process has ended. */
  readonly onEvent: (event: EngineEvent) => void
  readonly onOutput: (line: string) => void
}

/** Longest silence of a healthy engine: it beats every few seconds, also while it is paused or waits. */
export const heartbeatTimeoutMs = 30_000
/** What an engine may take to exit after its last word. */
const exitGraceMs = 10_000

/**
 * One engine process from start to exit: sends `start` when it is ready, checks every message, watches the heartbeat.
 * `exited` settles once, when the process is gone, and never rejects.
 */
export class EngineProcess {
  readonly exited: Promise<ProcessExit>
  readonly #ports: ProcessPorts
  readonly #start: ProcessStart
  readonly #host: EngineHost
  #settle: (exit: ProcessExit) => void = () => undefined
  #lastWord: ProcessExit | undefined
  #ready = false
  #ended = false
  #pending: EngineCommand[] = []
  #cancelWatch: () => void = () => undefined
  #cancelGrace: () => void = () => undefined

  constructor(start: ProcessStart, ports: ProcessPorts) {
    this.#start = start
    this.#ports = ports
    this.exited = new Promise((resolve) => { this.#settle = resolve })
    this.#watch()
    this.#host = ports.startHost({
      message: (message) => { this.#receive(message) },
      output: ports.onOutput,
      exit: (how) => { this.#exit(how) },
    })
  }

  get pid(): number | undefined {
    return this.#host.pid
  }

  /** Before the engine is ready, commands wait; after its end they are dropped. */
  send(command: EngineCommand): void {
    if (this.#ended) return
    if (this.#ready) this.#host.send(command)
    else this.#pending.push(command)
  }

  /** Asks the engine to end; kills it when it is still there after `graceMs`. A later call replaces mode and grace. */
  stop(mode: 'drain' | 'cancel', graceMs: number): void {
    if (this.#ended) return
    this.send({ type: 'stop', mode })
    this.#cancelGrace()
    this.#cancelGrace = this.#ports.timers.after(graceMs, () => { this.#kill('killed', `still running ${graceMs} ms after it was told to stop`) })
  }

  #receive(message: unknown): void {
    if (this.#ended || this.#lastWord) return
    const parsed = parseEvent(message)
    if (!parsed.ok) { this.#kill('protocol', `unreadable message: ${parsed.problem}`); return }
    this.#watch()
    const event = parsed.value
    if (event.type === 'ready') this.#onReady(event.protocolVersion)
    else if (event.type === 'finished') this.#onLastWord({ type: 'finished', summary: event.summary }, event)
    else if (event.type === 'failed') {
      const { error, summary } = event
      this.#onLastWord({ type: 'failed', error, ...(summary && { summary }) }, event)
    } else if (event.type !== 'heartbeat') this.#ports.onEvent(event)
  }

  #onReady(version: number): void {
    if (version !== protocolVersion) { this.#kill('protocol', `speaks protocol ${version}, not ${protocolVersion}`); return }
    if (this.#ready) return
    this.#ready = true
    this.#host.send({ type: 'start', ...this.#start })
    for (const command of this.#pending) this.#host.send(command)
    this.#pending = []
  }

  #onLastWord(exit: ProcessExit, event: EngineEvent): void {
    this.#lastWord = exit
    this.#cancelWatch()
    this.#cancelGrace()
    this.#cancelGrace = this.#ports.timers.after(exitGraceMs, () => { this.#host.kill() })
    this.#ports.onEvent(event)
  }

  #watch(): void {
    this.#cancelWatch()
    const kill = (): void => { this.#kill('silent', `no sign of life for ${heartbeatTimeoutMs} ms`) }
    this.#cancelWatch = this.#ports.timers.after(heartbeatTimeoutMs, kill)
  }

  #kill(reason: CrashReason, detail: string): void {
    this.#lastWord ??= { type: 'crashed', reason, detail }
    this.#cancelWatch()
    this.#host.kill()
  }

  #exit(how: string): void {
    if (this.#ended) return
    this.#ended = true
    this.#cancelWatch()
    this.#cancelGrace()
    this.#settle(this.#lastWord ?? { type: 'crashed', reason: 'exit', detail: `ended without a last word (${how})` })
  }
}
