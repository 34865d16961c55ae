import type { PauseLength, Surroundings } from '../api/contract.ts'
import { MainError } from '../api/errors.ts'
import type { Timers } from '../system/timers.ts'
import type { ActiveRun } from './active-run.ts'
import { decide, isWait, mustHold, mustYield, type Active, type Candidate, type Decision, type Facts, type Trigger } from './decide.ts'
import { holds, pauseFrom, type Pause } from './pause.ts'

/** One operation in the queue, from when it was asked for to its end. */
export interface QueueEntry {
  /** Of one key there is one at a time. */
  readonly key: string
  readonly run: ActiveRun
  readonly asked: Trigger
  /** What it is, and where it works from now on, whatever becomes of its job. */
  readonly active: Active
  /** As things are whenever it is asked; only while the run waits. */
  readonly candidate: () => Candidate
  /** Gets an engine for the run, or fails it. */
  readonly start: () => void
}

export interface QueuePorts {
  readonly timers: Timers
  readonly parallelJobs: () => number
  /** When the app started, or the computer woke up last. */
  readonly awakeSinceMs: () => number
  readonly onChange: () => void
  /** What this computer says of itself. */
  readonly surroundings: () => Surroundings
  /** The pause of everything, kept for the next start. */
  readonly pause: { get: () => Pause | undefined; set: (pause: Pause | undefined) => void }
}

/** All operations that run or wait, of whatever kind, in the order in which they were asked for. What may run is decided in `decide` alone. */
export class RunQueue {
  readonly #ports: QueuePorts
  readonly #entries = new Map<string, QueueEntry>()
  readonly #endedMs = new Map<string, number>()
  /** What the pause of everything has paused, and nobody before it. */
  readonly #pausedWithAll = new Set<ActiveRun>()
  #ending = false

  constructor(ports: QueuePorts) {
    this.#ports = ports
  }

  get pausedAll(): boolean {
    return this.#pause !== undefined
  }

  /** When the pause of everything ends by itself, ms since 1970. */
  get pausedUntilMs(): number | undefined {
    return this.#pause?.untilMs
  }

  get #pause(): Pause | undefined {
    const pause = this.#ports.pause.get()
    return holds(pause, this.#ports.timers.now()) ? pause : undefined
  }

  get ending(): boolean {
    return this.#ending
  }

  /** What runs and what waits, in the order of arrival. */
  get runs(): readonly ActiveRun[] {
    return [...this.#entries.values()].map((one) => one.run)
  }

  /** Whether something is under way that a change of its conditions holds, or lets go on. */
  get minds(): boolean {
    return [...this.#entries.values()].some(({ run, asked, candidate }) => {
      if (asked === 'manual' || !isStoppable(run)) return false
      const about = candidate()
      return about.operation === 'backup' ? about.conditions !== undefined : about.operation !== 'restore' && (about.conditions ?? []).some((one) => one !== undefined)
    })
  }

  /** Whether something has an engine for a repository, by the id of its record. */
  isBusy(repository: string): boolean {
    return [...this.#entries.values()].some(({ active, run }) => active.repository === repository && run.state !== 'queued')
  }

  /** When something ended last in a repository, ms since 1970, as far as this session knows. */
  endedMs(repository: string): number | undefined {
    return this.#endedMs.get(repository)
  }

  find(key: string): ActiveRun | undefined {
    return this.#entries.get(key)?.run
  }

  /** Starts a run, or lets it wait. It leaves the queue when it ends. Errors: `busy` where one of this key is there. */
  add(entry: QueueEntry): void {
    if (this.#entries.has(entry.key)) throw new MainError('busy', `${entry.run.identity.jobName} is running already.`)
    this.#entries.set(entry.key, entry)
    void entry.run.ended.then(() => {
      this.#entries.delete(entry.key)
      this.#pausedWithAll.delete(entry.run)
      this.#endedMs.set(entry.active.repository, this.#ports.timers.now())
      this.pump()
    })
    this.pump()
    this.#ports.onChange()
  }

  /** Starts what waits, as far as it may, holds what may not go on for now, and ends for now what yields to something else. Calling it more often changes nothing. */
  pump(): void {
    for (const entry of this.#entries.values()) {
      if (entry.run.state === 'queued' && !isWait(this.#decideOn(entry))) entry.start()
    }
    for (const { run, asked, candidate } of this.#entries.values()) {
      if (isStoppable(run)) run.hold(asked === 'manual' ? undefined : mustHold(candidate(), this.#ports.surroundings()))
    }
    for (const { run, active } of this.#entries.values()) {
      if (isStoppable(run) && mustYield(active, this.#facts())) run.stop('cancel')
    }
  }

  /** What is decided now about something that is not in the queue, or about what waits in it; undefined for what has an engine. */
  decision(key: string, candidate: Candidate): Decision | undefined {
    const entry = this.#entries.get(key)
    if (!entry) return this.#decide(candidate)
    if (entry.run.heldBy) return { wait: entry.run.heldBy }
    return entry.run.state === 'queued' ? this.#decideOn(entry) : undefined
  }

  /** Pauses what runs and what waits, and holds all that nobody asks for by hand, also after a restart. Once more: from now on as long as that says. */
  pauseAll(length: PauseLength): void {
    this.#ports.pause.set(pauseFrom(length, this.#ports.timers.now()))
    for (const run of this.runs) {
      if (!isPausable(run) || run.paused) continue
      this.#pausedWithAll.add(run)
      run.pause()
    }
    this.#ports.onChange()
  }

  /** Somebody wants all of it to go on, also what was paused by itself. */
  resumeAll(): void {
    this.#goOn(this.runs.filter(isPausable))
  }

  /** Goes on, after a pause that has come to its end, with what it has paused. Called once in a while, and after wake-up; calling it more often changes nothing. */
  endPause(): void {
    if (this.#ports.pause.get() && !this.#pause) this.#goOn(this.runs.filter((run) => this.#pausedWithAll.has(run)))
  }

  #goOn(runs: readonly ActiveRun[]): void {
    this.#ports.pause.set(undefined)
    this.#pausedWithAll.clear()
    for (const run of runs) run.resume()
    this.pump()
    this.#ports.onChange()
  }

  /** From now on nothing starts. */
  end(): void {
    this.#ending = true
  }

  #decideOn({ candidate, asked, run }: QueueEntry): Decision {
    return this.#decide({ ...candidate(), asked, held: run.paused })
  }

  #decide(candidate: Candidate): Decision {
    return decide(candidate, this.#facts(), this.#ports.timers.now())
  }

  #facts(): Facts {
    const entries = [...this.#entries.values()]
    const active = entries.filter(({ run }) => run.state !== 'queued').map((one) => one.active)
    const waiting = entries.filter(({ run }) => run.state === 'queued').map((one) => one.active)
    return { ending: this.#ending, pausedAll: this.pausedAll, ...(this.pausedUntilMs !== undefined && { pausedUntilMs: this.pausedUntilMs }), active, waiting, parallelJobs: this.#ports.parallelJobs(), awakeSinceMs: this.#ports.awakeSinceMs(), surroundings: this.#ports.surroundings() }
  }
}

/** It has an engine that nobody has told to end yet. */
function isStoppable({ state }: ActiveRun): boolean {
  return state !== 'queued' && state !== 'stopping' && state !== 'idle'
}

/** Somebody waits for a restore; it is paused where it is shown. */
function isPausable(run: ActiveRun): boolean {
  return run.identity.operation !== 'restore'
}
