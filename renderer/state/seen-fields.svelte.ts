import { SvelteSet } from 'svelte/reactivity'

/** Of a form: which fields were left, so that only their errors show, until it is sent and all of them do. */
export class SeenFields<Name extends string> {
  readonly #seen = new SvelteSet<string>()
  #all = $state(false)

  /** Of the problems there are, those to show now. */
  shown<Problem>(problems: Partial<Record<Name, Problem>>): Partial<Record<Name, Problem>> {
    if (this.#all) return problems
    return Object.fromEntries(Object.entries(problems).filter(([name]) => this.#seen.has(name))) as Partial<Record<Name, Problem>>
  }

  add(name: Name): void {
    this.#seen.add(name)
  }

  /** The fields of these problems. */
  addAll(problems: Partial<Record<Name, unknown>>): void {
    for (const name of Object.keys(problems)) this.#seen.add(name)
  }

  /** It was sent. */
  everything(): void {
    this.#all = true
  }

  /** What was typed into them is gone. */
  forget(which: (name: string) => boolean): void {
    for (const name of this.#seen) if (which(name)) this.#seen.delete(name)
  }
}

/** Whether a field belongs to one kind of destination alone. */
export function isOfProvider(name: string): boolean {
  return /^(?:value|key)\./.test(name)
}
