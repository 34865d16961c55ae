import { assertNever, HoldfastError, toWireError } from '../base/errors.ts'
import type { Clock } from '../base/clock.ts'
import { createLog } from '../base/log.ts'
import type { Log } from '../base/log.ts'
import { PauseGate } from '../base/pause.ts'
import { StopControl } from '../base/stop.ts'
import type { BrowseRequest } from '../commands/browse.ts'
import { LimitControl } from '../commands/context.ts'
import type { CommandContext } from '../commands/context.ts'
import { RunFailed } from '../commands/failure.ts'
import type { EngineCommand, EngineEvent } from '../protocol/messages.ts'
import type { EngineJob } from '../protocol/job.ts'
import type { RunSummary } from '../protocol/progress.ts'
import { protocolVersion } from '../protocol/messages.ts'
import { parseCommand } from '../protocol/validate.ts'
import { EventRelay } from './relay.ts'
import { SupervisorPauses } from './supervisor-pauses.ts'
import { SupervisorPermits } from './supervisor-permits.ts'
import { SupervisorTokens } from './supervisor-tokens.ts'

/** Runs one job; `requests` are those of the supervisor to a browse engine. */
export type JobRunner = (job: EngineJob, context: CommandContext, requests: AsyncIterable<BrowseRequest>) => Promise<RunSummary>

interface SessionOptions {
  readonly send: (event: EngineEvent) => void
  readonly clock: Clock
  readonly runner: JobRunner
  readonly logLevel: 'debug' | 'info'
}

/**
 * One job's talk with the supervisor: `ready`, then whatever the job has to say, then exactly one `finished` or `failed`.
 * Nothing that arrives can break it: what is no valid command is logged and ignored, a broken `start` fails the job.
 */
export class EngineSession {
  readonly #options: SessionOptions
  readonly #stop = new StopControl()
  readonly #pauseGate = new PauseGate()
  readonly #limits = new LimitControl()
  readonly #relay: EventRelay
  readonly #permits: SupervisorPermits
  readonly #pauses: SupervisorPauses
  readonly #tokens: SupervisorTokens
  readonly #log: Log
  readonly #requests = new RequestQueue()
  readonly #ended = Promise.withResolvers<undefined>()
  #state: 'waiting' | 'running' | 'ended' = 'waiting'

  constructor(options: SessionOptions) {
    this.#options = options
    const send = (event: EngineEvent): void => { if (this.#state !== 'ended') options.send(event) }
    this.#relay = new EventRelay(send)
    this.#permits = new SupervisorPermits(send)
    this.#pauses = new SupervisorPauses(send)
    this.#tokens = new SupervisorTokens(send)
    this.#log = createLog((line) => {
      if (line.level !== 'debug' || options.logLevel === 'debug') send({ type: 'log', ...line })
    }, () => options.clock.now())
    this.#stop.signal.addEventListener('abort', () => { this.#requests.close() })
  }

  /** Resolves after the last word was sent. */
  get ended(): Promise<undefined> {
    return this.#ended.promise
  }

  open(): void {
    this.#options.send({ type: 'ready', protocolVersion, pid: process.pid })
  }

  heartbeat(): void {
    if (this.#state !== 'ended') this.#options.send({ type: 'heartbeat' })
  }

  receive(message: unknown): void {
    const parsed = parseCommand(message)
    if (parsed.ok) this.#obey(parsed.value)
    else if (this.#state === 'waiting' && isStart(message)) this.fail(new HoldfastError('arguments', `The job cannot be understood: ${parsed.problem}`))
    else this.#log.write('error', `ignored a message of the supervisor: ${parsed.problem}`)
  }

  /** Ends the session with `failed`, unless it has ended: defects that nobody caught come here. */
  fail(error: unknown): void {
    const summary = error instanceof RunFailed ? error.summary : undefined
    this.#end({ type: 'failed', error: toWireError(error), ...(summary ? { summary } : {}) })
  }

  /** The supervisor is gone, or asks for it. */
  stop(mode: 'drain' | 'cancel'): void {
    this.#stop.request(mode)
    this.#pauseGate.resume()
    if (this.#state === 'waiting') this.fail(new HoldfastError('aborted', 'The run was stopped before it began.'))
  }

  #obey(command: EngineCommand): void {
    switch (command.type) {
      case 'start':
        if (this.#state === 'waiting') void this.#run(command)
        else this.#log.write('error', 'ignored a second start')
        return
      case 'pause': this.#pauseGate.pause(); return
      case 'resume': this.#pauseGate.resume(); return
      case 'limits': this.#limits.set(command.limits); return
      case 'stop': this.stop(command.mode); return
      case 'permit-granted': this.#permits.granted(command.request); return
      case 'account-pause': this.#pauses.heard(command.account, command.pauseMs); return
      case 'token': this.#tokens.answered(command.request, command.answer); return
      case 'query':
        this.#requests.push({ query: command.query, answer: (answer) => { this.#options.send({ type: 'answer', request: command.request, answer }) } })
        return
      default: assertNever(command)
    }
  }

  async #run(start: Extract<EngineCommand, { type: 'start' }>): Promise<void> {
    this.#state = 'running'
    this.#limits.set(start.limits)
    const name = 'name' in start.job ? start.job.name : undefined
    const context: CommandContext = {
      secrets: start.secrets,
      signal: this.#stop.signal,
      cancelSignal: this.#stop.cancelSignal,
      clock: this.#options.clock,
      log: this.#log.with({ operation: start.job.type, ...(name === undefined ? {} : { job: name }) }),
      events: this.#relay,
      limits: this.#limits,
      pauseGate: this.#pauseGate,
      permits: (account, cap) => this.#permits.forAccount(account, cap),
      pauses: (account) => this.#pauses.forAccount(account),
      accounts: this.#tokens,
    }
    try {
      const summary = await this.#options.runner(start.job, context, this.#requests)
      this.#end({ type: 'finished', summary })
    } catch (error) {
      this.fail(error)
    }
  }

  #end(last: EngineEvent): void {
    if (this.#state === 'ended') return
    this.#options.send(last)
    this.#state = 'ended'
    this.#requests.close()
    this.#ended.resolve(undefined)
  }
}

function isStart(message: unknown): boolean {
  return typeof message === 'object' && message !== null && Reflect.get(message, 'type') === 'start'
}

/** Requests wait here until the browse command takes them; closing ends its loop. */
class RequestQueue implements AsyncIterable<BrowseRequest> {
  readonly #waiting: BrowseRequest[] = []
  #wake: (() => void) | undefined
  #closed = false

  push(request: BrowseRequest): void {
    if (!this.#closed) this.#waiting.push(request)
    this.#wake?.()
  }

  close(): void {
    this.#closed = true
    this.#wake?.()
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<BrowseRequest, void> {
    for (;;) {
      const next = this.#waiting.shift()
      if (next) yield next
      else if (this.#closed) return
      else await new Promise<void>((resolve) => { this.#wake = resolve })
    }
  }
}
