import { MainError } from '../api/errors.ts'
import type { Question } from './questions.ts'

/** Asks a person, outside of the window. Resolves when yes was said. Errors: `aborted` with `data.declined`; `busy` while another dialog is open. */
export type Ask = (question: Question) => Promise<void>

/** One native dialog at a time: a window that asks for many must not bury a person in them, nor put one over another. */
export class DialogTurn {
  #open = false

  /** Errors: `busy`, and what `show` throws. */
  async take<T>(show: () => Promise<T>): Promise<T> {
    if (this.#open) throw new MainError('busy', 'Another dialog is open.', { dialog: true })
    this.#open = true
    try {
      return await show()
    } finally {
      this.#open = false
    }
  }
}

export function declined(): MainError {
  return new MainError('aborted', 'Nothing was changed.', { declined: true })
}
