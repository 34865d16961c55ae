import { checkedValues, valueProblems, writeAddress } from '../../main/api/providers.ts'
import type { AddressValues, ProviderDescription, SecretField } from '../../main/api/providers.ts'
import { providerById } from '../text/providers.ts'
import type { DestinationInput, FolderView, JobView, SecretsInput } from './bridge.ts'
import type { FieldError } from '../text/words.ts'

/** What is typed for a destination. Values and keys are those of the chosen provider, by the names in its description. */
export interface DestinationFields {
  /** `folder`, or the id of a provider. */
  destination: string
  folder: FolderView | undefined
  values: Record<string, string>
  keys: Record<string, string>
}

/** A field of a form: one of its own, or one of the chosen provider. */
export type DestinationField = 'folder' | `value.${string}` | `key.${string}`

/** In the window's words, or in those of the description. */
export type FieldProblem = FieldError | { readonly words: string }

export interface DestinationFacts {
  /** Keys are kept that are good for this destination. */
  readonly storedKeys: boolean
}

/** A form that asks for a destination. */
export interface DestinationForm {
  readonly fields: DestinationFields
  /** Keys are kept that are good for this destination. */
  readonly storedKeys: boolean
  /** Another kind of destination: nothing that was typed for one goes to another. */
  chooseDestination(destination: string): void
  /** Fills in what a preset knows; the rest stays. */
  applyPreset(name: string): void
  /** Errors of the field show from now on. */
  leave(name: DestinationField): void
}

/** What a preset of the chosen provider fills in. */
export function presetValues(fields: Pick<DestinationFields, 'destination'>, name: string): AddressValues {
  return providerOf(fields)?.presets?.find((one) => one.name === name)?.values ?? {}
}

export function noDestination(): DestinationFields {
  return { destination: 'folder', folder: undefined, values: {}, keys: {} }
}

export function destinationFieldsOf({ config: { destination } }: JobView): DestinationFields {
  return destination.type === 'folder'
    ? { ...noDestination(), folder: destination.folder }
    : { ...noDestination(), destination: destination.provider, values: { ...destination.values } }
}

export function providerOf({ destination }: Pick<DestinationFields, 'destination'>): ProviderDescription | undefined {
  return destination === 'folder' ? undefined : providerById(destination)
}

export function destinationProblems(fields: DestinationFields, facts: DestinationFacts): Partial<Record<DestinationField, FieldProblem>> {
  const provider = providerOf(fields)
  return provider ? { ...placeProblems(provider, fields.values), ...keyProblems(provider, fields.keys, facts) } : {}
}

function placeProblems(provider: ProviderDescription, values: AddressValues): Record<string, FieldProblem> {
  // An address may leave the account out where there is only one; a form has it chosen.
  const account = provider.signIn !== undefined && (values['account'] ?? '') === '' ? { 'value.account': 'signIn' as const } : {}
  const problems = Object.entries(valueProblems(provider, values))
  return { ...account, ...Object.fromEntries(problems.map(([name, words]): [string, FieldProblem] => [`value.${name}`, (values[name] ?? '').trim() === '' ? 'required' : { words }])) }
}

/** What is typed takes the place of everything that is kept: then nothing may be missing. */
function keyProblems({ secrets }: ProviderDescription, keys: Readonly<Record<string, string>>, { storedKeys }: DestinationFacts): Record<string, FieldProblem> {
  const isTyped = ({ name, kind }: SecretField): boolean => keyText(kind, keys[name]) !== ''
  if (storedKeys && !secrets.some(isTyped)) return {}
  return Object.fromEntries(secrets.filter((secret) => secret.required && !isTyped(secret)).map(({ name }) => [`key.${name}`, 'required']))
}

/** Only for fields that nothing is wrong with; of others, as far as they go. */
export function destinationOf(fields: DestinationFields): DestinationInput {
  const provider = providerOf(fields)
  if (!provider) return { type: 'folder', folder: { id: fields.folder?.id ?? '' } }
  return { type: 'provider', provider: provider.id, values: checkedValues(provider, fields.values) }
}

/** Whether the fields lead to another place than the job goes to: what is kept for that is not used for this. */
export function hasMoved(fields: DestinationFields, job: JobView | undefined): boolean {
  if (!job) return false
  const { destination: from } = job.config
  const to = destinationOf(fields)
  if (from.type === 'folder' || to.type === 'folder') return from.type !== to.type || (from.type === 'folder' && fields.folder?.path !== from.folder.path)
  const provider = providerById(from.provider)
  return !provider || from.provider !== to.provider || writeAddress(provider, from.values) !== writeAddress(provider, to.values)
}

/** Only what was typed; what is absent stays as it is stored. */
export function keysOf(fields: DestinationFields): SecretsInput['storage'] {
  const typed = (providerOf(fields)?.secrets ?? []).map(({ name, kind }) => [name, keyText(kind, fields.keys[name])] as const).filter(([, text]) => text !== '')
  return typed.length === 0 ? undefined : Object.fromEntries(typed)
}

/** A password is exactly what was typed; what is pasted as a line or a block may bring blanks along. */
function keyText(kind: SecretField['kind'], text = ''): string {
  return kind === 'text' ? text.trim() : text.trim() === '' && kind === 'key' ? '' : text
}
