import type { WireError } from './bridge.ts'
import { errorText } from '../text/errors.ts'

export interface Toast {
  readonly id: number
  readonly tone: 'good' | 'bad'
  readonly title: string
  readonly advice?: string
}

const shownMs = 4_000

/** Short messages about what the user just did. Good ones leave by themselves, bad ones stay until they are closed. */
export class Toasts {
  #list = $state.raw<readonly Toast[]>([])
  #lastId = 0

  get list(): readonly Toast[] {
    return this.#list
  }

  good(title: string): void {
    const id = this.#add({ tone: 'good', title })
    setTimeout(() => this.close(id), shownMs)
  }

  /** Something that could not be done, which is no error of main's. */
  problem(title: string): void {
    this.#add({ tone: 'bad', title })
  }

  bad(error: WireError): void {
    const { title, advice } = errorText(error)
    this.#add({ tone: 'bad', title, advice })
  }

  close(id: number): void {
    this.#list = this.#list.filter((toast) => toast.id !== id)
  }

  #add(toast: Omit<Toast, 'id'>): number {
    this.#lastId += 1
    const id = this.#lastId
    const others = this.#list.filter((one) => one.title !== toast.title)
    this.#list = [...others.slice(-2), { id, ...toast }]
    return id
  }
}
