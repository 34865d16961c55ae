import type { JobView, TestView, WireError } from './bridge.ts'
import type { DestinationField, DestinationFields, DestinationForm } from './destination-form.ts'

export interface Passwords {
  password: string
  confirmation: string
}

export type PlaceField = DestinationField | keyof Passwords

/** A form that asks for a place for backups, and for its password: that of a job, or of a copy. */
export interface PlaceForm extends DestinationForm {
  readonly purpose: 'job' | 'copy'
  /** That is edited. */
  readonly job: JobView | undefined
  readonly fields: DestinationFields & Passwords
  readonly test: { readonly busy: boolean }
  /** What the test found, as long as nothing that it depends on was changed since. */
  readonly found: TestView | undefined
  readonly testError: WireError | undefined
  readonly moved: boolean
  readonly sameRepository: boolean
  /** The password opens what is there: it need not be repeated. */
  readonly repositoryOpens: boolean
  /** A repository is known to be there: its password need not be repeated either. */
  readonly expectsRepository?: boolean
  leave(name: PlaceField): void
  testDestination(): Promise<void>
}
