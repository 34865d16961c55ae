import { HoldfastError } from './errors.ts'

/** Throws `aborted` when the signal has fired: the entry check of everything that takes a signal. */
export function throwIfAborted(signal: AbortSignal): void {
  if (signal.aborted) throw abortError(signal)
}

/** The error of a fired signal; a HoldfastError given as reason is kept, so that a failing neighbour's code survives. */
export function abortError(signal: AbortSignal): HoldfastError {
  const reason: unknown = signal.reason
  if (reason instanceof HoldfastError) return reason
  return new HoldfastError('aborted', 'The operation was cancelled.', { cause: reason })
}
