import { unlessAborted } from '../../base/abort.ts'
import { hasCode } from '../../base/errors.ts'
import type { Connection } from './connection.ts'
import { Session } from './session.ts'

/** Beside the one for what is small, which must not wait behind objects. OpenSSH allows ten in all (MaxSessions). */
const mostForObjects = 3

interface Lent {
  readonly session: Session
  users: number
}

/**
 * The sessions of one connection, which is made when it is first needed, and anew after it broke. A server that opens no more sessions
 * is asked for no more, and what there are is shared.
 */
export class Sessions implements Disposable {
  readonly #connect: () => Promise<Connection>
  #connection: Promise<Connection> | undefined
  #small: Promise<Lent> | undefined
  #forObjects: Lent[] = []
  #opening = 0
  #most = mostForObjects

  constructor(connect: () => Promise<Connection>) {
    this.#connect = connect
  }

  /** Lends a session. Errors: as Connection.open and openSession, and those of the work. */
  async use<T>(moves: 'small' | 'object', signal: AbortSignal, work: (session: Session) => Promise<T>): Promise<T> {
    const lent = await unlessAborted(this.#lend(moves), signal)
    lent.users++
    try {
      return await work(lent.session)
    } finally {
      lent.users--
    }
  }

  /** After the server stood still: whatever waits on the connection fails, and the next one makes another. */
  reset(): void {
    const connection = this.#connection
    this.#forget()
    connection?.then((one) => { one[Symbol.dispose]() }, () => undefined)
  }

  [Symbol.dispose](): void {
    this.reset()
  }

  async #lend(moves: 'small' | 'object'): Promise<Lent> {
    const connection = await this.#connected()
    // First of all, so that where a server opens only one session, there is one for everything.
    const small = await this.#forSmall(connection)
    if (moves === 'small') return small
    this.#forObjects = this.#forObjects.filter(({ session }) => !session.closed)
    const least = [...this.#forObjects].sort((a, b) => a.users - b.users)[0]
    if (least?.users === 0 || this.#forObjects.length + this.#opening >= this.#most) return least ?? small
    return (await this.#another(connection)) ?? least ?? small
  }

  async #forSmall(connection: Connection): Promise<Lent> {
    const before = this.#small
    const isGone = before && (await before.then(({ session }) => session.closed, () => true))
    if (isGone && this.#small === before) this.#small = undefined
    return (this.#small ??= open(connection))
  }

  /** Undefined: the server opens no more. */
  async #another(connection: Connection): Promise<Lent | undefined> {
    this.#opening++
    try {
      const lent = await open(connection)
      this.#forObjects.push(lent)
      return lent
    } catch (error) {
      if (!hasCode(error, 'unavailable')) throw error
      this.#most = this.#forObjects.length
      return undefined
    } finally {
      this.#opening--
    }
  }

  async #connected(): Promise<Connection> {
    const before = this.#connection
    const isGone = before && (await before.then(({ ended }) => ended !== undefined, () => true))
    if (isGone && this.#connection === before) this.#forget()
    return (this.#connection ??= this.#connect())
  }

  #forget(): void {
    this.#connection = undefined
    this.#small = undefined
    this.#forObjects = []
    this.#most = mostForObjects
  }
}

async function open(connection: Connection): Promise<Lent> {
  return { session: new Session(connection, await connection.openSession()), users: 0 }
}
