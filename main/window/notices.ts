import type { LateBackup, Notice } from '../api/contract.ts'

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
    const before = this.#list.find((one) => one.type === 'late')
    if (late.length === 0) this.dismiss('late')
    else if (!before || JSON.stringify(before.late) !== JSON.stringify(late)) this.add({ id: 'late', type: 'late', late })
  }

  /** The one question for a password, in place of the one before; undefined: there is none. */
  showPassword(jobId: string | undefined): void {
    const before = this.#list.find((one) => one.type === 'password')
    if (jobId === undefined) this.dismiss('password')
    else if (before?.jobId !== jobId) this.add({ id: 'password', type: 'password', jobId })
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
