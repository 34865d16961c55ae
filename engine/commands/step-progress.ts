import { noCounters, type Operation, type Phase, type Progress } from '../protocol/progress.ts'
import type { CommandContext } from './context.ts'
import type { Traffic } from './open.ts'

const intervalMs = 250

/** Progress of a command whose work is a number of equal steps: packs to read, objects to load. */
export class StepProgress {
  readonly #operation: Operation
  readonly #context: CommandContext
  readonly #traffic: Traffic
  readonly #startedMs: number
  #phase: Phase = 'opening'
  #expected = 0
  #done = 0
  #problems = 0
  #sentMs = -Infinity

  constructor(operation: Operation, context: CommandContext, traffic: Traffic) {
    this.#operation = operation
    this.#context = context
    this.#traffic = traffic
    this.#startedMs = context.clock.monotonic()
    traffic.onWaiting = () => { this.#send(true) }
  }

  /** A new phase, whose steps are counted anew. */
  phase(phase: Phase): void {
    this.#phase = phase
    this.#expected = 0
    this.#done = 0
    this.#send(true)
  }

  /** So many more steps are to come in this phase. */
  expect(steps: number): void {
    this.#expected += steps
  }

  /** For work that counts its own steps. */
  at(done: number, expected: number): void {
    this.#done = done
    this.#expected = expected
    this.#send(false)
  }

  problem(): void {
    this.#problems++
  }

  /** Call before each step: waits while the run is paused. Errors: `aborted`. */
  async step(signal: AbortSignal): Promise<void> {
    await this.#context.pauseGate.pass(signal)
    this.#done++
    this.#send(false)
  }

  #send(now: boolean): void {
    const timeMs = this.#context.clock.monotonic()
    if (!now && timeMs - this.#sentMs < intervalMs) return
    this.#sentMs = timeMs
    this.#context.events.progress(this.#progress(timeMs))
  }

  #progress(timeMs: number): Progress {
    const transferredBytes = this.#traffic.uploadedBytes + this.#traffic.downloadedBytes
    const seconds = Math.max(0.001, (timeMs - this.#startedMs) / 1000)
    const { waitingFor } = this.#traffic
    return {
      operation: this.#operation, phase: this.#phase, paused: this.#context.pauseGate.paused,
      files: { ...noCounters, found: this.#expected, uploaded: this.#done, waiting: Math.max(0, this.#expected - this.#done) }, bytes: noCounters,
      transferredBytes, bytesPerSecond: transferredBytes / seconds, problems: this.#problems,
      ...(waitingFor ? { waitingFor } : {}),
      ...(this.#expected > 0 ? { fraction: Math.min(1, this.#done / this.#expected) } : {}),
    }
  }
}
