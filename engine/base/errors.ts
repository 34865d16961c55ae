import type { ErrorCode, WireError } from '../protocol/errors.ts'

type ErrorData = Readonly<Record<string, string | number | boolean>>

/** Codes after which the same request may succeed when it is repeated later. The one place that decides what is retried. */
const retryableCodes: ReadonlySet<ErrorCode> = new Set(['throttled', 'offline', 'unavailable'])

/** The only error class that Holdfast throws on purpose. Callers switch on `code`. */
export class HoldfastError extends Error {
  override readonly name = 'HoldfastError'
  readonly code: ErrorCode
  readonly data: ErrorData

  constructor(code: ErrorCode, message: string, options: { readonly cause?: unknown; readonly data?: ErrorData } = {}) {
    super(message, 'cause' in options ? { cause: options.cause } : undefined)
    this.code = code
    this.data = options.data ?? {}
  }
}

export function isRetryable(error: unknown): boolean {
  return error instanceof HoldfastError && retryableCodes.has(error.code)
}

/** True for a HoldfastError with one of the codes. */
export function hasCode(error: unknown, ...codes: readonly ErrorCode[]): error is HoldfastError {
  return error instanceof HoldfastError && codes.includes(error.code)
}

/** Any thrown value as a HoldfastError: what is not one becomes `aborted` (AbortError) or `internal`, with the value as cause. */
export function asHoldfastError(error: unknown): HoldfastError {
  if (error instanceof HoldfastError) return error
  if (error instanceof Error && error.name === 'AbortError') return new HoldfastError('aborted', 'The operation was cancelled.', { cause: error })
  const message = error instanceof Error ? error.message : String(error)
  return new HoldfastError('internal', message, { cause: error })
}

/** For the process border: no stack, causes up to three deep. */
export function toWireError(error: unknown, depth = 3): WireError {
  const known = asHoldfastError(error)
  const wire = { code: known.code, message: known.message, retryable: isRetryable(known), data: known.data }
  // What is no HoldfastError is the cause of the one that stands for it here: it is told once.
  const cause = error === known || !(error instanceof Error) ? known.cause : error.cause
  if (depth === 0 || !(cause instanceof Error)) return wire
  return { ...wire, cause: toWireError(cause, depth - 1) }
}

/** For the end of a `switch` over a union: a new member makes this a type error. */
export function assertNever(value: never): never {
  throw new HoldfastError('internal', `unexpected value ${JSON.stringify(value)}`)
}
