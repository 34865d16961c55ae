import { toShown } from '../../base/byte-string.ts'
import type { Tally } from '../../pipeline/tally.ts'
import { Meter, type Work } from '../../progress/meter.ts'
import type { Traffic } from '../../progress/traffic.ts'
import type { Counters, Phase } from '../../protocol/progress.ts'
import type { CommandContext } from '../context.ts'
import type { Expectation } from './expectation.ts'

/** Tells how a backup goes, from before its storage is open until it is disposed. */
export class BackupProgress implements Disposable {
  readonly meter: Meter
  readonly #context: CommandContext
  readonly #tally: Tally
  readonly #startMs: number
  #phase: Phase = 'opening'
  /** What the source holds in all, once the catalog is open. */
  expectation: Expectation | undefined

  constructor(context: CommandContext, tally: Tally) {
    this.#context = context
    this.#tally = tally
    this.#startMs = context.clock.monotonic()
    this.meter = new Meter('backup', context)
    this.meter.show(() => this.#work())
  }

  phase(phase: Phase): void {
    if (phase === this.#phase) return
    this.#phase = phase
    this.meter.tell()
  }

  [Symbol.dispose](): void {
    this.meter[Symbol.dispose]()
  }

  #work(): Work {
    const { bytes: { found }, problemCount, currentPath } = this.#tally
    const { expectation } = this
    if (!this.#context.pauseGate.paused) expectation?.advance(this.#context.clock.monotonic() - this.#startMs, found)
    const bytes = movingBytes(this.#tally.byteCounters(expectation?.counted.bytes), this.meter.traffic)
    const continued = expectation?.continuedBytes
    return {
      // Everything is read, but as long as something has to be sent nothing is near its end.
      phase: this.#phase === 'finishing' && bytes.waiting > 0 ? 'working' : this.#phase,
      files: this.#tally.fileCounters(expectation?.counted.files),
      bytes,
      problems: problemCount,
      done: bytes.unchanged + bytes.deduplicated + bytes.uploaded,
      total: expectation?.totalBytes(found),
      ...(continued === undefined ? {} : { continued }),
      ...(currentPath === undefined ? {} : { currentPath: toShown(currentPath) }),
    }
  }
}

/** A pack counts as it is sent, not only when it has arrived: a slow line sends one for minutes. Until its reply is there, something waits. */
function movingBytes(arrived: Counters, traffic: Pick<Traffic, 'uploadingBytes'>): Counters {
  const moving = Math.max(0, Math.min(arrived.waiting - 1, traffic.uploadingBytes))
  return { ...arrived, uploaded: arrived.uploaded + moving, waiting: arrived.waiting - moving }
}
