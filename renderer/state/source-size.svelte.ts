import type { Bridge, SizeView } from './bridge.ts'
import { excludesOf } from './job-form.ts'
import type { JobForm } from './job-form.svelte.ts'
import { AnswerLoader } from './loader.svelte.ts'

/** About how large the sources of a form are. It is found out in the background; nothing waits for it. */
export class SourceSize {
  readonly #bridge: Bridge
  readonly #form: JobForm
  readonly #size = new AnswerLoader<SizeView>()

  constructor(bridge: Bridge, form: JobForm) {
    this.#bridge = bridge
    this.#form = form
  }

  /** Undefined until it is known, and for ever where it cannot be found out. */
  get value(): SizeView | undefined {
    return this.#size.valueFor(this.#key())
  }

  get busy(): boolean {
    return this.#size.busy
  }

  /** Measures what the form has now. */
  async measure(): Promise<void> {
    const { fields } = this.#form
    const request = $state.snapshot({ sources: fields.sources.map(({ id }) => ({ id })), excludes: excludesOf(fields) })
    if (request.sources.length === 0) return
    await this.#size.loadFor(this.#key(), () => this.#bridge.invoke('sources.measure', request))
  }

  /** Nobody wants to know it any more. */
  end(): void {
    this.#size.clear()
    void this.#bridge.invoke('sources.endMeasure')
  }

  #key(): string {
    return JSON.stringify([this.#form.fields.sources, excludesOf(this.#form.fields)])
  }
}
