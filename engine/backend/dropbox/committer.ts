import { abortError, unlessAborted } from '../../base/abort.ts'
import type { Commit, FileMetadata } from './api.ts'

/** Dropbox takes no more in one request. */
const mostTogether = 1000

interface Waiter {
  readonly commit: Commit
  readonly signal: AbortSignal
  readonly resolve: (file: FileMetadata) => void
  readonly reject: (error: unknown) => void
}

export type CommitMany = (commits: readonly Commit[], signal: AbortSignal) => Promise<readonly (FileMetadata | Error)[]>

/**
 * Changes of an account go one after the other: Dropbox locks it for each, and refuses what comes at the same time
 * (`too_many_write_operations`; https://www.dropbox.com/developers/reference/data-ingress-guide). So transfers run side by side, and only
 * their ends wait for each other; those that wait for the same change to end are then ended in one request.
 */
export class Committer {
  readonly #commitMany: CommitMany
  #last: Promise<unknown> = Promise.resolve()
  #waiting: Waiter[] = []

  constructor(commitMany: CommitMany) {
    this.#commitMany = commitMany
  }

  /** Waits for its turn, and lets nobody else change anything meanwhile. */
  async alone<T>(work: () => Promise<T>, signal: AbortSignal): Promise<T> {
    const before = this.#last
    const done = Promise.withResolvers<void>()
    this.#last = before.then(() => done.promise)
    try {
      await unlessAborted(before, signal)
      return await work()
    } finally {
      done.resolve()
    }
  }

  /** What is replaced or new anyway; what must be absent is committed alone. */
  commit(commit: Commit, signal: AbortSignal): Promise<FileMetadata> {
    const { promise, resolve, reject } = Promise.withResolvers<FileMetadata>()
    this.#waiting.push({ commit, signal, resolve, reject })
    void this.alone(() => this.#commitWaiting(), new AbortController().signal)
    return unlessAborted(promise, signal)
  }

  async #commitWaiting(): Promise<void> {
    for (const { signal, reject } of this.#waiting.filter((waiter) => waiter.signal.aborted)) reject(abortError(signal))
    this.#waiting = this.#waiting.filter(({ signal }) => !signal.aborted)
    const waiters = this.#waiting.splice(0, mostTogether)
    if (waiters.length === 0) return
    try {
      const files = await this.#commitMany(waiters.map(({ commit }) => commit), whenAll(waiters.map(({ signal }) => signal)))
      for (const [index, { resolve, reject }] of waiters.entries()) {
        const file = files[index]
        if (file === undefined || file instanceof Error) reject(file)
        else resolve(file)
      }
    } catch (error) {
      for (const { reject } of waiters) reject(error)
    }
  }
}

/** Fires when nobody wants it any more. */
function whenAll(signals: readonly AbortSignal[]): AbortSignal {
  const controller = new AbortController()
  let left = signals.length
  for (const signal of signals) signal.addEventListener('abort', () => { if (--left === 0) controller.abort(signal.reason) }, { once: true })
  return controller.signal
}
