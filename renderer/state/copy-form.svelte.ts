import type { Bridge, JobView, SecretsInput, TestView, WireError } from './bridge.ts'
import { isDeclined } from './declined.ts'
import { destinationOf, destinationProblems, keysOf, noDestination, presetValues, type DestinationFields, type FieldProblem } from './destination-form.ts'
import { isInside, newPasswordErrors } from './job-form.ts'
import { AnswerLoader } from './loader.svelte.ts'
import type { Passwords, PlaceField, PlaceForm } from './place-form.ts'
import { isOfProvider, SeenFields } from './seen-fields.svelte.ts'

export interface CopyFields extends DestinationFields, Passwords {
  /** What is forgotten in the backup is forgotten in the copy too. */
  removeVanished: boolean
}

type Problems = Partial<Record<PlaceField, FieldProblem>>

/** The form for a copy of a job's backup at another place. Errors show once a field was left or the form was sent. */
export class CopyForm implements PlaceForm {
  readonly purpose = 'copy'
  readonly job = undefined
  readonly moved = false
  readonly storedKeys = false
  readonly sameRepository = false
  readonly fields: CopyFields = $state({ ...noDestination(), password: '', confirmation: '', removeVanished: false })
  readonly test = new AnswerLoader<TestView>()
  readonly #bridge: Bridge
  readonly #of: JobView
  readonly #seen = new SeenFields<PlaceField>()
  #saving = $state(false)
  #failure = $state.raw<WireError>()

  constructor(bridge: Bridge, of: JobView) {
    this.#bridge = bridge
    this.#of = of
  }

  readonly #problems = $derived.by(() => ({ ...this.#placeProblems(), ...this.#passwordProblems() }))

  /** What to show beside the fields now. */
  get errors(): Problems {
    return this.#seen.shown(this.#problems)
  }

  get saving(): boolean {
    return this.#saving
  }

  /** Why main refused the copy. */
  get failure(): WireError | undefined {
    return this.#failure
  }

  get found(): TestView | undefined {
    return this.test.valueFor(this.#testKey())
  }

  get testError(): WireError | undefined {
    return this.test.errorFor(this.#testKey())
  }

  get repositoryOpens(): boolean {
    return this.found?.repository === 'exists' && this.fields.password !== ''
  }

  chooseDestination(destination: string): void {
    if (destination === this.fields.destination) return
    Object.assign(this.fields, { destination, values: {}, keys: {} })
    this.#seen.forget(isOfProvider)
  }

  applyPreset(name: string): void {
    this.fields.values = { ...this.fields.values, ...presetValues(this.fields, name) }
  }

  leave(name: PlaceField): void {
    this.#seen.add(name)
  }

  async testDestination(): Promise<void> {
    const problems = this.#placeProblems()
    this.#seen.addAll(problems)
    if (Object.keys(problems).length > 0) return
    const request = { destination: this.#destination(), secrets: this.#secrets() }
    await this.test.loadFor(this.#testKey(), () => this.#bridge.invoke('destination.test', request))
  }

  /** Adds the copy; its id, or nothing when something is wrong (then `errors` or `failure` say what). */
  async save(): Promise<string | undefined> {
    this.#seen.everything()
    this.#failure = undefined
    if (Object.keys(this.#problems).length > 0 || this.#saving) return undefined
    this.#saving = true
    const request = { jobId: this.#of.id, destination: this.#destination(), secrets: this.#secrets(), removeVanished: this.fields.removeVanished }
    const reply = await this.#bridge.invoke('copy.add', request)
    this.#saving = false
    if (reply.ok) return reply.value.copyId
    this.#failure = isDeclined(reply.error) ? undefined : reply.error
    return undefined
  }

  #placeProblems(): Problems {
    const { folder, destination } = this.fields
    if (destination !== 'folder') return destinationProblems(this.fields, { storedKeys: false })
    if (!folder) return { folder: 'noFolder' }
    return this.#of.config.sources.some((source) => isInside(folder.path, source.path)) ? { folder: 'insideSource' } : {}
  }

  #passwordProblems(): Problems {
    if (this.fields.password === '') return { password: 'required' }
    return this.repositoryOpens ? {} : newPasswordErrors(this.fields)
  }

  /** Without Svelte's proxies, which cannot cross to another process. */
  #destination() {
    return destinationOf($state.snapshot<CopyFields>(this.fields))
  }

  #secrets(): SecretsInput {
    const storage = keysOf($state.snapshot<CopyFields>(this.fields))
    return { ...(this.fields.password !== '' && { password: this.fields.password }), ...(storage && { storage }) }
  }

  #testKey(): string {
    return JSON.stringify([this.#destination(), this.#secrets()])
  }
}
