import type { LateBackup, Notice } from '../api/contract.ts'
import { same } from '../repositories/store.ts'

/** What the user should know and has not dismissed; one of each id, newest last. */
export class Notices {
  #list: readonly Notice[] = []
  readonly #onChange: () => void

  constructor(onChange: () => void) {
    this.#onChange = onChange
  }

  get all(): readonly Notice[] {
    return this.#list
  }

  /** Replaces one of the same id. */
  add(notice: Notice): void {
    this.#list = [...this.#list.filter((one) => one.id !== notice.id), notice]
    this.#onChange()
  }

  /** In place of what was late before; nothing happens where it is the same. */
  showLate(late: readonly LateBackup[]): void {
    this.#show('late', late.length > 0 ? { id: 'late', type: 'late', late } : undefined)
  }

  /** The one question for a password, in place of the one before; undefined: there is none. */
  showPassword(jobId: string | undefined): void {
    this.#show('password', jobId === undefined ? undefined : { id: 'password', type: 'password', jobId })
  }

  /** The one offer of a recovery kit; undefined: there is none. */
  showKit(jobId: string | undefined): void {
    this.#show('kit', jobId === undefined ? undefined : { id: 'kit', type: 'kit', jobId })
  }

  #show(id: string, notice: Notice | undefined): void {
    if (!notice) this.dismiss(id)
    else if (!same(notice, this.#list.find((one) => one.id === id))) this.add(notice)
  }

  /** The notice that is gone now, or undefined where there was none. */
  dismiss(id: string): Notice | undefined {
    const found = this.#list.find((one) => one.id === id)
    if (!found) return undefined
    this.#list = this.#list.filter((one) => one !== found)
    this.#onChange()
    return found
  }
}
