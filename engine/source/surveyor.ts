import { extname } from 'node:path'
import { Worker } from 'node:worker_threads'
import { unlessAborted } from '../base/abort.ts'
import type { SurveyRequest, SurveyTotals } from './survey.ts'

/**
 * Counts the sources in a thread of its own, ahead of the walk, which has to wait for slower stages. Its result is an estimate for people:
 * when the thread fails there is none.
 */
export class Surveyor implements Disposable {
  readonly #worker: Worker
  #totals: SurveyTotals | undefined
  readonly #ended = Promise.withResolvers<void>()

  /** Starts at once. */
  constructor(request: SurveyRequest) {
    // Beside this file both in the clone (.ts) and in the build (.js).
    const entry = new URL(`./survey-worker${extname(import.meta.url)}`, import.meta.url)
    this.#worker = new Worker(entry, { workerData: request, resourceLimits: { maxOldGenerationSizeMb: 96, maxYoungGenerationSizeMb: 4 } })
    this.#worker.unref()
    this.#worker.on('message', (totals: SurveyTotals) => { this.#totals = totals })
    this.#worker.on('error', () => undefined)
    this.#worker.on('exit', () => { this.#ended.resolve() })
  }

  /** What has been counted so far. */
  get totals(): SurveyTotals | undefined {
    return this.#totals
  }

  /** Waits until everything is counted; undefined where that failed. Errors: aborted. */
  async finished(signal: AbortSignal): Promise<SurveyTotals | undefined> {
    this.#worker.ref()
    await unlessAborted(this.#ended.promise, signal)
    return this.#totals?.complete ? this.#totals : undefined
  }

  /** Breaks it off where it is still counting: the thread makes no foreign calls, inside of which that would end the whole process. */
  [Symbol.dispose](): void {
    void this.#worker.terminate()
  }
}
