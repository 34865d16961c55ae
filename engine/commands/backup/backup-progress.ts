import { toShown } from '../../base/byte-string.ts'
import { addSample, remainingTime, type ProgressSample } from '../../pipeline/eta.ts'
import type { Tally } from '../../pipeline/tally.ts'
import type { Counters, Phase, Progress } from '../../protocol/progress.ts'
import type { CommandContext } from '../context.ts'
import type { Traffic } from '../open.ts'
import type { Expectation } from './expectation.ts'

const intervalMs = 250

/** Tells four times a second how a backup goes. */
export class BackupProgress implements Disposable {
  readonly #context: CommandContext
  readonly #tally: Tally
  readonly #timer: NodeJS.Timeout
  readonly #startMs: number
  readonly #traffic: Traffic
  #phase: Phase = 'opening'
  #samples: readonly ProgressSample[] = []
  /** What the source holds in all, once the catalog is open. */
  expectation: Expectation | undefined

  constructor(context: CommandContext, tally: Tally, traffic: Traffic) {
    this.#context = context
    this.#tally = tally
    this.#traffic = traffic
    this.#startMs = context.clock.monotonic()
    this.#timer = setInterval(() => { this.#send() }, intervalMs)
    this.#timer.unref()
    traffic.onWaiting = () => { this.#send() }
    this.#send()
  }

  phase(phase: Phase): void {
    if (phase === this.#phase) return
    this.#phase = phase
    this.#send()
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer)
    this.#send()
  }

  #send(): void {
    if (!this.#context.pauseGate.paused) this.expectation?.advance(this.#context.clock.monotonic() - this.#startMs, this.#tally.bytes.found)
    this.#context.events.progress(this.#progress())
  }

  #progress(): Progress {
    const now = this.#context.clock.monotonic()
    const transferredBytes = this.#traffic.uploadedBytes + this.#traffic.downloadedBytes
    const bytes = this.#bytes()
    const doneBytes = bytes.unchanged + bytes.deduplicated + bytes.uploaded
    const total = this.expectation?.totalBytes(this.#tally.bytes.found)
    const { waitingFor } = this.#traffic
    const sample = { timeMs: now, doneBytes }
    const speed = this.#speed(now, transferredBytes)
    const etaMs = total === undefined ? undefined : remainingTime(this.#samples, sample, this.#startMs, total - doneBytes)
    this.#samples = addSample(this.#samples, sample)
    const continued = this.expectation?.continuedBytes
    const { currentPath } = this.#tally
    return {
      // Everything is read, but as long as something has to be sent nothing is near its end.
      operation: 'backup', phase: this.#phase === 'finishing' && bytes.waiting > 0 ? 'working' : this.#phase, paused: this.#context.pauseGate.paused, files: this.#tally.fileCounters(this.expectation?.counted.files), bytes, transferredBytes,
      bytesPerSecond: speed, problems: this.#tally.problemCount,
      ...(waitingFor ? { waitingFor } : {}),
      ...(total ? { fraction: Math.min(1, doneBytes / total) } : {}),
      ...(etaMs ? { etaMs } : {}),
      ...(continued !== undefined && total ? { continuedFraction: Math.min(1, continued / total) } : {}),
      ...(currentPath === undefined ? {} : { currentPath: toShown(currentPath) }),
    }
  }

  /** A pack counts as it is sent, not only when it has arrived: a slow line sends one for minutes. */
  #bytes(): Counters {
    const arrived = this.#tally.byteCounters(this.expectation?.counted.bytes)
    const moving = Math.min(arrived.waiting, this.#traffic.uploadingBytes)
    return { ...arrived, uploaded: arrived.uploaded + moving, waiting: arrived.waiting - moving }
  }

  #transfers: { timeMs: number; bytes: number }[] = []

  /** Bytes per second over the last five seconds. */
  #speed(now: number, bytes: number): number {
    this.#transfers.push({ timeMs: now, bytes })
    while (this.#transfers.length > 1 && now - (this.#transfers[0]?.timeMs ?? now) > 5_000) this.#transfers.shift()
    const [first] = this.#transfers
    return first && now > first.timeMs ? Math.max(0, ((bytes - first.bytes) * 1000) / (now - first.timeMs)) : 0
  }
}
