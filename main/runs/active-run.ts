import { randomUUID } from 'node:crypto'
import type { KnownRepository } from '../../engine/protocol/known.ts'
import type { EngineEvent } from '../../engine/protocol/messages.ts'
import type { JobRunState, LiveRun, Operation, Problem, RunView, WaitReason } from '../api/contract.ts'
import type { Engine, EngineListener } from '../supervisor/engine.ts'
import type { LogWriter } from '../system/logs.ts'
import type { Timers } from '../system/timers.ts'
import { keptProblems } from './history.ts'
import { LiveProgress } from './live.ts'
import { runViewOf, runViewWithoutEngine } from './run-view.ts'
import { Throughput } from './throughput.ts'

export interface RunPorts {
  readonly timers: Timers
  readonly log: LogWriter
  /** The state changed. */
  readonly onChange: () => void
  /** Progress or a lane moved. */
  readonly onLive: () => void
  /** A process of the run crashed and starts again. */
  readonly onRestart: (run: ActiveRun, restarts: number) => void
}

export interface RunIdentity {
  readonly jobId: string
  /** For the log. */
  readonly jobName: string
  readonly operation: Operation
  readonly trigger: RunView['trigger']
}

/** How long a run that was told to drain may go on with uploads in flight. */
const drainGraceMs = 10 * 60_000
const cancelGraceMs = 5_000

/** One run of a job, from the queue to its end: what the window sees of it and what can be done with it. */
export class ActiveRun {
  readonly id = randomUUID()
  readonly identity: RunIdentity
  readonly startedMs: number
  /** Resolves once with the run as the history keeps it; never rejects. */
  readonly ended: Promise<RunView>
  readonly #ports: RunPorts
  readonly #live = new LiveProgress()
  readonly #throughput = new Throughput()
  readonly #problems: Problem[] = []
  #problemCount = 0
  #settle: (run: RunView) => void = () => undefined
  #engine: Engine | undefined
  #state: JobRunState = 'queued'
  #paused = false
  #heldBy: WaitReason | undefined
  #insists = false
  #stopped = false
  #restarts = 0
  #repositoryId: string | undefined
  #known: KnownRepository | undefined

  constructor(identity: RunIdentity, ports: RunPorts) {
    this.identity = identity
    this.#ports = ports
    this.startedMs = ports.timers.now()
    this.ended = new Promise((resolve) => { this.#settle = resolve })
  }

  get state(): JobRunState {
    return this.#state
  }

  get problems(): readonly Problem[] {
    return this.#problems
  }

  /** The repository that the engine worked on, where it said so. */
  get repositoryId(): string | undefined {
    return this.#repositoryId
  }

  /** What the engine knows of the repository now, where it said so. */
  get known(): KnownRepository | undefined {
    return this.#known
  }

  get live(): LiveRun {
    const { jobId, operation } = this.identity
    const throughput = this.#throughput.view
    return { runId: this.id, jobId, operation, startedMs: this.startedMs, restarts: this.#restarts, ...this.#live.picture, ...(throughput && { throughput }) }
  }

  /** The picture was pushed to the window. */
  liveShown(): void {
    this.#live.dropEnded()
  }

  /** Takes the run off the queue. */
  start(startEngine: (listener: EngineListener) => Engine): void {
    const engine = startEngine(this.#listener())
    this.#engine = engine
    this.#write('info', `started (${this.identity.trigger})`)
    if (this.#stands) engine.pause()
    this.#become(this.#stands ? 'paused' : 'running')
    void engine.exited.then((exit) => {
      if (exit.type === 'crashed') this.#write('error', exit.detail)
      // What a sync has made is its destination from now on, however far it came.
      if (exit.type === 'finished' || (exit.type === 'failed' && this.identity.operation === 'sync')) this.#repositoryId = exit.summary?.repositoryId
      if (exit.type === 'finished' || exit.type === 'failed') this.#known = exit.summary?.known
      this.#end(runViewOf(this.#facts(), exit))
    })
  }

  pause(): void {
    this.#paused = true
    this.#engine?.pause()
    if (this.#state === 'running') this.#become('paused')
  }

  resume(): void {
    this.#paused = false
    if (!this.#stands) this.#goOn()
  }

  /** Stands still while a condition of its job does not hold, or goes on after it (undefined), unless somebody paused it or wants it to go on all the same. */
  hold(reason: WaitReason | undefined): void {
    const wanted = this.#insists ? undefined : reason
    if (wanted?.type === this.#heldBy?.type) return
    this.#heldBy = wanted
    if (wanted) this.#write('info', `held: ${wanted.type}`)
    if (this.#paused) return
    if (!wanted) this.#goOn()
    else {
      this.#engine?.pause()
      if (this.#state === 'running') this.#become('paused')
    }
  }

  /** Somebody wants it to go on, whatever its conditions are from now on. */
  insist(): void {
    this.#insists = true
    this.#heldBy = undefined
    this.resume()
  }

  /** The condition that it stands still for. */
  get heldBy(): WaitReason | undefined {
    return this.#heldBy
  }

  #goOn(): void {
    this.#engine?.resume()
    if (this.#state === 'paused') this.#become('running')
  }

  get #stands(): boolean {
    return this.#paused || this.#heldBy !== undefined
  }

  get paused(): boolean {
    return this.#paused
  }

  /** A run that still waits in the queue ends at once. */
  stop(mode: 'drain' | 'cancel'): void {
    if (this.#state === 'idle') return
    this.#stopped = true
    if (!this.#engine) {
      this.#end(runViewWithoutEngine(this.#facts(), false))
      return
    }
    this.#become('stopping')
    this.#engine.stop(mode, mode === 'drain' ? drainGraceMs : cancelGraceMs)
  }

  /** Ends a run whose engine could not even be asked for. */
  fail(error: NonNullable<RunView['error']>): void {
    this.#end({ ...runViewOf(this.#facts(), { type: 'failed', error, restarts: 0 }) })
  }

  #listener(): EngineListener {
    return {
      event: (event) => { this.#onEvent(event) },
      output: (line) => { this.#write('warning', line) },
      restarting: (restarts, delayMs, detail) => {
        this.#restarts = restarts
        this.#live.clearLanes()
        this.#write('error', `${detail}; start ${restarts + 1} follows in ${delayMs} ms`)
        if (this.#state !== 'stopping') this.#become('restarting')
        this.#ports.onRestart(this, restarts)
      },
      restarted: () => { if (this.#state === 'restarting') this.#become(this.#stands ? 'paused' : 'running') },
    }
  }

  #onEvent(event: EngineEvent): void {
    if (event.type === 'progress') this.#throughput.add(this.#ports.timers.now(), event.progress.transferredBytes)
    if (event.type === 'problem') {
      this.#problemCount += 1
      if (this.#problems.length < keptProblems) this.#problems.push(event.problem)
    } else if (event.type === 'log') {
      const { level, time, message, context } = event
      this.#ports.log.write({ time, level, message, context: { ...context, job: this.identity.jobName, run: this.id } })
    } else if (this.#live.receive(event)) this.#ports.onLive()
  }

  #write(level: 'info' | 'warning' | 'error', message: string): void {
    const { jobName, operation } = this.identity
    this.#ports.log.write({ time: this.#ports.timers.now(), level, message, context: { job: jobName, run: this.id, operation } })
  }

  #facts() {
    const { jobId, operation, trigger } = this.identity
    const finishedMs = this.#ports.timers.now()
    return { id: this.id, jobId, operation, trigger, startedMs: this.startedMs, finishedMs, stopped: this.#stopped, problems: this.#problemCount, throughput: this.#throughput.view }
  }

  #become(state: JobRunState): void {
    this.#state = state
    this.#ports.onChange()
  }

  #end(run: RunView): void {
    this.#state = 'idle'
    const cause = run.error ? `: ${run.error.code}, ${run.error.message}` : ''
    this.#write(run.error ? 'error' : 'info', `ended: ${run.outcome}${cause}`)
    this.#settle(run)
  }
}
