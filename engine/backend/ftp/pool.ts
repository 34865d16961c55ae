import { abortError, throwIfAborted } from '../../base/abort.ts'
import type { Watch } from '../http/watch.ts'
import type { FtpConnection } from './connection.ts'
import { isCrowded } from './errors.ts'

/** A connection that was idle this long is asked whether it still stands: servers end those after some minutes. */
const askedAfterMs = 20_000

/** Runs one exchange with the server under its limits. */
export type Exchange = <T>(work: (watch: Watch) => Promise<T>) => Promise<T>

/** A few control connections, each for one exchange at a time. A server that takes fewer is asked for no more than it took. */
export class Pool implements Disposable {
  readonly #open: (watch: Watch) => Promise<FtpConnection>
  readonly #idle: FtpConnection[] = []
  readonly #waiting: (() => void)[] = []
  #used = 0
  #most: number
  #over = false

  constructor(most: number, open: (watch: Watch) => Promise<FtpConnection>) {
    this.#most = most
    this.#open = open
  }

  /** Lends a connection; one that is closed afterwards is not lent again. Errors: those of opening and of the work. */
  async use<T>(exchange: Exchange, signal: AbortSignal, work: (connection: FtpConnection, watch: Watch) => Promise<T>): Promise<T> {
    for (;;) {
      await this.#turn(signal)
      try {
        return await exchange(async (watch) => {
          const connection = await this.#standing(watch)
          try {
            return await work(connection, watch)
          } finally {
            this.#giveBack(connection)
          }
        })
      } catch (error) {
        // Counted without this one, which did not come to be.
        const others = this.#used - 1 + this.#idle.length
        if (!isCrowded(error) || others === 0) throw error
        this.#most = Math.max(1, others)
      } finally {
        this.#used--
        this.#waiting.shift()?.()
      }
    }
  }

  [Symbol.dispose](): void {
    this.#over = true
    for (const connection of this.#idle.splice(0)) connection[Symbol.dispose]()
  }

  /** Errors: aborted. */
  async #turn(signal: AbortSignal): Promise<void> {
    throwIfAborted(signal)
    while (this.#used >= this.#most) {
      await new Promise<void>((resolve, reject) => {
        const onAbort = (): void => {
          this.#waiting.splice(this.#waiting.indexOf(go), 1)
          reject(abortError(signal))
        }
        const go = (): void => {
          signal.removeEventListener('abort', onAbort)
          resolve()
        }
        this.#waiting.push(go)
        signal.addEventListener('abort', onAbort, { once: true })
      })
    }
    this.#used++
  }

  async #standing(watch: Watch): Promise<FtpConnection> {
    for (let connection = this.#idle.pop(); connection; connection = this.#idle.pop()) {
      if (connection.closed) continue
      if (connection.idleMs < askedAfterMs) return connection
      try {
        await connection.command('NOOP', watch)
        return connection
      } catch {
        connection[Symbol.dispose]()
        if (watch.signal.aborted) throw watch.signal.reason
      }
    }
    return this.#open(watch)
  }

  #giveBack(connection: FtpConnection): void {
    if (connection.closed) return
    if (this.#over) connection[Symbol.dispose]()
    else this.#idle.push(connection)
  }
}
