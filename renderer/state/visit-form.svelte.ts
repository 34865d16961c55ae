import type { AddressReading, Bridge, WireError } from './bridge.ts'
import { isDeclined } from './declined.ts'
import { destinationOf, destinationProblems, keysOf, noDestination, presetValues } from './destination-form.ts'
import type { DestinationField, DestinationFields, DestinationForm, FieldProblem } from './destination-form.ts'
import { AnswerLoader } from './loader.svelte.ts'
import { SeenFields } from './seen-fields.svelte.ts'

export type VisitField = DestinationField | 'password'

interface VisitFields extends DestinationFields {
  password: string
}

/** Where a backup is that no job goes to, and what opens it. Errors show once a field was left or the form was sent. */
export class VisitForm implements DestinationForm {
  readonly fields: VisitFields = $state({ ...noDestination(), password: '' })
  /** Nothing is kept for a place that nobody has used. */
  readonly storedKeys = false
  readonly #bridge: Bridge
  readonly #seen = new SeenFields<VisitField>()
  readonly #reading = new AnswerLoader<AddressReading>()
  #address = $state('')
  #opening = $state(false)
  #failure = $state.raw<WireError>()

  constructor(bridge: Bridge) {
    this.#bridge = bridge
  }

  readonly #problems = $derived.by(() => problemsOf(this.fields))

  get errors(): Partial<Record<VisitField, FieldProblem>> {
    return this.#seen.shown(this.#problems)
  }

  get opening(): boolean {
    return this.#opening
  }

  /** Why it could not be opened. */
  get failure(): WireError | undefined {
    return this.#failure
  }

  chooseDestination(destination: string): void {
    if (destination === this.fields.destination) return
    Object.assign(this.fields, { destination, values: {}, keys: {} })
    this.#seen.forget((name) => name !== 'password')
  }

  applyPreset(name: string): void {
    this.fields.values = { ...this.fields.values, ...presetValues(this.fields, name) }
  }

  leave(name: VisitField): void {
    this.#seen.add(name)
  }

  /** What the address means that was typed last; absent: there is none, or it is not known yet. */
  get reading(): AddressReading | undefined {
    return this.#address.trim() === '' ? undefined : this.#reading.valueFor(this.#address)
  }

  get address(): string {
    return this.#address
  }

  /** The address as it stands on a recovery kit fills the form in, as far as it goes: a folder is chosen in a dialog. */
  set address(typed: string) {
    this.#address = typed
    if (typed.trim() !== '') void this.#read(typed)
  }

  async #read(address: string): Promise<void> {
    const reading = await this.#reading.loadFor(address, () => this.#bridge.invoke('visit.address', { address }))
    if (reading?.type === 'folder') this.chooseDestination('folder')
    if (reading?.type !== 'provider') return
    this.chooseDestination(reading.provider)
    this.fields.values = { ...reading.values }
  }

  /** Whether it is open now; when something is wrong, `errors` or `failure` say what. */
  async open(): Promise<boolean> {
    this.#seen.everything()
    this.#failure = undefined
    if (Object.keys(this.#problems).length > 0 || this.#opening) return false
    this.#opening = true
    // Without Svelte's proxies, which cannot cross to another process.
    const fields = $state.snapshot(this.fields)
    const storage = keysOf(fields)
    const reply = await this.#bridge.invoke('visit.open', { destination: destinationOf(fields), secrets: { password: fields.password, ...(storage && { storage }) } })
    this.#opening = false
    if (!reply.ok && !isDeclined(reply.error)) this.#failure = reply.error
    return reply.ok
  }
}

function problemsOf(fields: VisitFields): Partial<Record<VisitField, FieldProblem>> {
  const place = fields.destination === 'folder' ? (fields.folder === undefined ? { folder: 'noFolder' as const } : {}) : destinationProblems(fields, { storedKeys: false })
  return { ...place, ...(fields.password === '' && { password: 'required' as const }) }
}
