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

/** Waits for somebody else's work, which goes on where this signal fires. Errors: aborted, and those of the work. */
export function unlessAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const onAbort = (): void => { reject(abortError(signal)) }
    if (signal.aborted) onAbort()
    signal.addEventListener('abort', onAbort, { once: true })
    void work.then(resolve, reject).finally(() => { signal.removeEventListener('abort', onAbort) })
  })
}
