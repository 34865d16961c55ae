import { asHoldfastError, HoldfastError } from '../base/errors.ts'
import type { RunSummary } from '../protocol/progress.ts'

/** A run that failed after it had begun: the error's own code and words, and how far the run came. */
export class RunFailed extends HoldfastError {
  readonly summary: RunSummary

  constructor(error: unknown, summary: RunSummary) {
    const known = asHoldfastError(error)
    super(known.code, known.message, { cause: known.cause, data: known.data })
    this.summary = summary
  }
}
