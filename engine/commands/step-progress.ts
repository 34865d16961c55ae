import type { Meter } from '../progress/meter.ts'
import { noCounters, type Phase } from '../protocol/progress.ts'
import type { CommandContext } from './context.ts'

/** Progress of a command whose work is a number of equal steps: packs to read, objects to load. */
export class StepProgress {
  readonly #context: CommandContext
  readonly #meter: Meter
  #phase: Phase = 'opening'
  #expected = 0
  #done = 0
  #problems = 0

  constructor(context: CommandContext, meter: Meter) {
    this.#context = context
    this.#meter = meter
  }

  /** A new phase, whose steps are counted anew. */
  phase(phase: Phase): void {
    this.#phase = phase
    this.#expected = 0
    this.#done = 0
    this.#meter.show(() => ({
      phase: this.#phase,
      files: { ...noCounters, found: this.#expected, uploaded: this.#done, waiting: Math.max(0, this.#expected - this.#done) },
      bytes: noCounters,
      problems: this.#problems,
      done: this.#done,
      total: this.#expected,
    }))
  }

  /** So many more steps are to come in this phase. */
  expect(steps: number): void {
    this.#expected += steps
  }

  /** For work that counts its own steps. */
  at(done: number, expected: number): void {
    this.#done = done
    this.#expected = expected
    this.#meter.changed()
  }

  problem(): void {
    this.#problems++
  }

  /** Call before each step: waits while the run is paused. Errors: `aborted`. */
  async step(signal: AbortSignal): Promise<void> {
    await this.#context.pauseGate.pass(signal)
    this.#done++
    this.#meter.changed()
  }
}
