import type { AddressField, ProviderDescription, SecretField } from '../protocol/providers/description.ts'

/** For `--help`: which environment variables are for which storage. */
export function variableLines(all: readonly ProviderDescription[]): readonly string[] {
  return all.filter(({ secrets }) => secrets.length > 0).map(({ name, secrets }) => `${secrets.flatMap(variablesOf).join(', ')}   ${name}`)
}

/** Everything that the command line has to know of a storage: how its address is written, its settings, and where its keys come from. */
export function destinationLines({ name, summary, example, fields, secrets, presets = [], signIn }: ProviderDescription): readonly string[] {
  return [
    name,
    `  ${summary}`,
    `  ${example}`,
    ...fields.filter(({ at }) => at === 'setting').map((field) => `    ${settingOf(field)}`),
    ...presets.map((preset) => `    ${preset.name}: ${Object.entries(preset.values).filter(([, value]) => value !== '').map(([key, value]) => `${key}=${value}`).join('&')}`),
    ...secrets.map((secret) => `    ${secretOf(secret)}`),
    ...(signIn === undefined ? [] : [`    Account: sign in with holdfast login ${signIn}`]),
    '',
  ]
}

function variablesOf({ variables, fileVariables = [] }: SecretField): readonly string[] {
  return [...variables, ...fileVariables]
}

function settingOf({ name, label, hint, choices, range, required }: AddressField): string {
  const values = choices ? ` ${choices.map(({ value }) => value).join(' or ')}` : range ? ` ${range[0]}M to ${range[1]}M` : ''
  return `${name}=${values.trim() || '…'}  ${label}${required ? '' : ', optional'}${hint === undefined ? '' : `. ${hint}`}`
}

function secretOf({ label, hint, required, variables, fileVariables = [] }: SecretField): string {
  const files = fileVariables.length === 0 ? '' : ` (or a file named in ${fileVariables.join(' or ')})`
  return `${variables.join(' or ')}${files}  ${label}${required ? '' : ', optional'}${hint === undefined ? '' : `. ${hint}`}`
}
