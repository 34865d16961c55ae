import { guarded } from './database.ts'
import type { Database } from './database.ts'

/**
 * The one way to write several rows at once. What parts of the catalog hold in memory must never outlive the rows it stands for (a pack
 * number that was rolled back is given out again), so they learn of every rollback.
 */
export class Transactions {
  readonly #database: Database
  readonly #rollbackListeners: (() => void)[] = []

  constructor(database: Database) {
    this.#database = database
  }

  onRollback(listener: () => void): void {
    this.#rollbackListeners.push(listener)
  }

  /** All or nothing. Inside another transaction it is part of that one, which an error ends as a whole. `work` must not wait. */
  run<T>(work: () => T): T {
    if (this.#database.inTransaction) return work()
    try {
      return guarded(() => this.#database.transaction(work)())
    } catch (error) {
      for (const listener of this.#rollbackListeners) listener()
      throw error
    }
  }
}
