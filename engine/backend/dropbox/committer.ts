import { abortError, unlessAborted } from '../../base/abort.ts'
import type { Commit, FileMetadata } from './api.ts'
import { isLocked, type NamespaceTurns } from './turns.ts'

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
  readonly #turns: NamespaceTurns
  #last: Promise<unknown> = Promise.resolve()
  #waiting: Waiter[] = []

  constructor(commitMany: CommitMany, turns: NamespaceTurns) {
    this.#commitMany = commitMany
    this.#turns = turns
  }

  /** Waits for its turn, and lets nobody else change anything meanwhile. @param work is repeated when others hold the account: it has changed nothing then */
  alone<T>(work: () => Promise<T>, signal: AbortSignal): Promise<T> {
    return this.#next(() => this.#turns.take(work, signal), signal)
  }

  /** What is replaced or new anyway; what must be absent is committed alone. */
  commit(commit: Commit, signal: AbortSignal): Promise<FileMetadata> {
    const { promise, resolve, reject } = Promise.withResolvers<FileMetadata>()
    this.#waiting.push({ commit, signal, resolve, reject })
    void this.#next(() => this.#commitWaiting(), new AbortController().signal)
    return unlessAborted(promise, signal)
  }

  async #next<T>(work: () => Promise<T>, signal: AbortSignal): Promise<T> {
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

  /** Never rejects. */
  async #commitWaiting(): Promise<void> {
    for (const { signal, reject } of this.#waiting.filter((waiter) => waiter.signal.aborted)) reject(abortError(signal))
    this.#waiting = this.#waiting.filter(({ signal }) => !signal.aborted)
    let left: readonly Waiter[] = this.#waiting.splice(0, mostTogether)
    if (left.length === 0) return
    const signal = whenAll(left.map((waiter) => waiter.signal))
    try {
      await this.#turns.take(async () => {
        const files = await this.#commitMany(left.map(({ commit }) => commit), signal)
        const asked = left
        left = asked.filter((_, index) => isLocked(files[index]))
        for (const [index, { resolve, reject }] of asked.entries()) {
          const file = files[index]
          if (file === undefined || (file instanceof Error && !isLocked(file))) reject(file)
          else if (!(file instanceof Error)) resolve(file)
        }
        // Each of a batch can meet the lock for itself.
        const held = files.find(isLocked)
        if (held) throw held
      }, signal)
    } catch (error) {
      for (const { reject } of left) reject(error)
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
