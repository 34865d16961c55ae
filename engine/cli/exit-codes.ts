import type { ErrorCode } from '../protocol/errors.ts'
import type { RunSummary } from '../protocol/progress.ts'
import { assertNever } from '../base/errors.ts'

/** Exit codes of the command line (requirement A11). */
export const exitCodes = {
  success: 0,
  /** A success after which nothing had changed. */
  unchanged: 1,
  warnings: 2,
  /** Stored some, did not finish. */
  partial: 50,
  error: 100,
  arguments: 200,
} as const

export function exitCodeOfSummary(summary: RunSummary): number {
  switch (summary.outcome) {
    case 'success': return exitCodes.success
    case 'unchanged': return exitCodes.unchanged
    case 'warnings': return exitCodes.warnings
    case 'partial': return exitCodes.partial
    case 'failed': return exitCodes.error
    default: return assertNever(summary.outcome)
  }
}

/** `summary` says how far a failed run had come. */
export function exitCodeOfError(code: ErrorCode, summary?: RunSummary): number {
  if (code === 'arguments') return exitCodes.arguments
  return summary?.outcome === 'partial' ? exitCodes.partial : exitCodes.error
}
