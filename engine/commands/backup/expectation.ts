import type { Reached } from '../../catalog/run-journal.ts'
import type { SurveyTotals } from '../../source/survey.ts'

/** A shorter run ends before an estimate would help, so counting ahead must not cost it anything. */
const surveyAfterMs = 3_000
/** A source that has grown by more than this since the last snapshot is counted anew. */
const grownBy = 1.2

export interface Survey extends Disposable {
  readonly totals: SurveyTotals | undefined
}

export interface ExpectationOptions {
  /** Bytes of the last snapshot's source. */
  readonly lastBytes: number | undefined
  /** What an interrupted run left to continue from, and how far it had come; undefined where there was none. */
  readonly interrupted: Reached | undefined
  /** Begins to count the sources. */
  readonly survey: () => Survey
  /** How long a run has to last until they are counted, in ms; by default 3000. */
  readonly surveyAfterMs?: number
}

/**
 * What the source holds in all, before the walk has seen it: as much as the snapshot before, or as an interrupted run knew, else
 * what a survey counts that begins when the run turns out to be a long one.
 */
export class Expectation implements Disposable {
  readonly #options: ExpectationOptions
  #survey: Survey | undefined
  #walked = false

  constructor(options: ExpectationOptions) {
    this.#options = options
  }

  /** To be called again and again while the sources are walked; begins the survey when it is time for it. */
  advance(elapsedMs: number, foundBytes: number): void {
    if (this.#walked || this.#survey || elapsedMs < (this.#options.surveyAfterMs ?? surveyAfterMs)) return
    const expected = this.#options.lastBytes ?? this.#options.interrupted?.totalBytes
    if (expected === undefined || foundBytes > expected * grownBy) this.#survey = this.#options.survey()
  }

  /** Everything has been walked: what was found is what there is. */
  end(): void {
    this.#walked = true
    this[Symbol.dispose]()
  }

  /** Bytes of the whole source; undefined while nobody knows. */
  totalBytes(foundBytes: number): number | undefined {
    if (this.#walked) return foundBytes
    const expected = this.#expectedBytes
    return expected === undefined ? undefined : Math.max(expected, foundBytes)
  }

  /**
   * Bytes of the source that are not done yet; undefined where nobody can tell, as after more was found than was expected.
   * @param doneBytes as many of those found are stored, or on their way.
   */
  leftBytes(foundBytes: number, doneBytes: number): number | undefined {
    const expected = this.#expectedBytes
    return expected === undefined || Math.max(foundBytes, doneBytes) > expected ? undefined : expected - doneBytes
  }

  /** What has been counted ahead, as far as that has come; nothing once the walk has seen it all. */
  get counted(): { readonly files: number; readonly bytes: number } {
    return (this.#walked ? undefined : this.#survey?.totals) ?? { files: 0, bytes: 0 }
  }

  /** Bytes that an interrupted run had finished; undefined where this run continues none. */
  get continuedBytes(): number | undefined {
    return this.#options.interrupted?.doneBytes
  }

  /** Ahead of the walk: what was counted, else what was there the last time, as long as the count has not gone beyond that. */
  get #expectedBytes(): number | undefined {
    const { lastBytes, interrupted } = this.#options
    const counted = this.#survey?.totals
    if (counted?.complete) return counted.bytes
    const expected = lastBytes ?? interrupted?.totalBytes
    return expected === undefined || (counted && counted.bytes > expected) ? undefined : expected
  }

  [Symbol.dispose](): void {
    this.#survey?.[Symbol.dispose]()
  }
}
