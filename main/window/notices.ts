import type { Notice } from '../api/contract.ts'

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

  /** The notice that is gone now, or undefined where there was none. */
  dismiss(id: string): Notice | undefined {
    const found = this.#list.find((one) => one.id === id)
    if (!found) return undefined
    this.#list = this.#list.filter((one) => one !== found)
    this.#onChange()
    return found
  }
}
