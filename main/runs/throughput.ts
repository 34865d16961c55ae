import type { ThroughputView } from '../api/contract.ts'

/** Spans that a run is told in at most. */
export const mostSpans = 60
const shortestMs = 1_000

/**
 * How fast a run went over its time, in few numbers however long it takes: bytes of each span of equal length, which doubles when there are too many. Nothing
 * is lost by that: the sum is always what was transferred.
 */
export class Throughput {
  #startedMs: number | undefined
  #everyMs = shortestMs
  #bytes: number[] = []
  #seen = 0

  /** @param transferred bytes since the engine began; less than before where it was started again */
  add(nowMs: number, transferred: number): void {
    this.#startedMs ??= nowMs
    const more = transferred < this.#seen ? transferred : transferred - this.#seen
    this.#seen = transferred
    let span = this.#spanAt(nowMs)
    while (span >= mostSpans) {
      this.#halve()
      span = this.#spanAt(nowMs)
    }
    while (this.#bytes.length <= span) this.#bytes.push(0)
    this.#bytes[span] = (this.#bytes[span] ?? 0) + more
  }

  /** Undefined while there is nothing that a picture would show. */
  get view(): ThroughputView | undefined {
    return this.#bytes.length < 2 || this.#seen === 0 ? undefined : { everyMs: this.#everyMs, bytes: [...this.#bytes] }
  }

  /** A clock that was set back goes on in the span where it was. */
  #spanAt(nowMs: number): number {
    return Math.max(0, this.#bytes.length - 1, Math.floor((nowMs - (this.#startedMs ?? nowMs)) / this.#everyMs))
  }

  #halve(): void {
    this.#everyMs *= 2
    this.#bytes = Array.from({ length: Math.ceil(this.#bytes.length / 2) }, (_, at) => (this.#bytes[at * 2] ?? 0) + (this.#bytes[at * 2 + 1] ?? 0))
  }
}
