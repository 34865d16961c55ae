/**
 * Runs `work` for every item, at most `limit` at a time; items are pulled only as places become free, so an endless iterable needs no
 * memory. The first error ends the pulling, is thrown after the running ones have settled, and aborts the signal they were given.
 */
export async function forEachParallel<T>(
  items: Iterable<T> | AsyncIterable<T>, limit: number, signal: AbortSignal, work: (item: T, signal: AbortSignal) => Promise<void>,
): Promise<void> {
  const failed = new AbortController()
  const either = AbortSignal.any([signal, failed.signal])
  const running = new Set<Promise<void>>()
  let failure: { readonly error: unknown } | undefined
  const start = (item: T): void => {
    const task = work(item, either).catch((error: unknown) => {
      failure ??= { error }
      failed.abort(error)
    }).finally(() => running.delete(task))
    running.add(task)
  }
  try {
    for await (const item of items) {
      if (failure) break
      start(item)
      if (running.size >= limit) await Promise.race(running)
    }
  } finally {
    await Promise.all(running)
  }
  if (failure) throw failure.error
}
