import { lockShared, unlock } from '../base/record-locks.ts'

/** Where SQLite's programs lock each other out (sqlite.org/lockingv3.html): in the database, at 1 GiB. */
const pending = { start: 0x4000_0000, length: 1 } as const
const shared = { start: 0x4000_0002, length: 510 } as const
/** In its -shm file (sqlite.org/walformat.html): marks of readers, of which the last is the one that programs use least. */
const readMarks = [127, 126, 125, 124] as const

/** What a reader of a database holds, so that others do not write while it reads; nothing is written for it. */
export class DatabaseLocks {
  readonly #database: number
  #wal: number | undefined
  #isHeld = false

  /** @param database its descriptor. It stays the caller's, and closing it ends the locks on it. */
  constructor(database: number) {
    this.#database = database
  }

  /** Nobody writes to the database itself, but for what a program in WAL mode takes over from its WAL. */
  get isHeld(): boolean {
    return this.#isHeld
  }

  /** Locks the database as a reader does. @returns false where a program is writing to it, or keeps it for itself */
  hold(): boolean {
    // Whoever waits to write has this byte, so that readers do not starve it.
    if (!lockShared(this.#database, pending.start, pending.length)) return false
    this.#isHeld = lockShared(this.#database, shared.start, shared.length)
    unlock(this.#database, pending.start, pending.length)
    return this.#isHeld
  }

  /** Keeps the WAL from being begun anew, while it may still grow. @param sharedMemory descriptor of the -shm file */
  holdWal(sharedMemory: number): void {
    if (readMarks.some((mark) => lockShared(sharedMemory, mark, 1))) this.#wal = sharedMemory
  }

  /** Repeating does nothing. */
  release(): void {
    this.#isHeld = false
    unlock(this.#database, shared.start, shared.length)
    if (this.#wal !== undefined) unlock(this.#wal, readMarks[3], readMarks.length)
  }
}
