import { providers as described, type ProviderDescription } from '../../main/api/providers.ts'
import * as m from '../../main/text/compiled/messages.js'

/** `provider_ID_…`; what is checked and written to addresses is the description's own. */
const texts = m as unknown as Readonly<Record<string, (() => string) | undefined>>

/** The storages as they are described, in the language of the window. */
export const providers: readonly ProviderDescription[] = described.map(inLanguage)

export function providerById(id: string): ProviderDescription | undefined {
  return providers.find((one) => one.id === id)
}

function inLanguage(provider: ProviderDescription): ProviderDescription {
  const text = <T extends string | undefined>(key: string, written: T): T | string => texts[`provider_${provider.id}_${key}`]?.() ?? written
  const common = <T extends { readonly name: string; readonly label: string; readonly hint?: string }>(field: T): T => ({
    ...field,
    label: text(`${field.name}_label`, field.label),
    ...(field.hint !== undefined && { hint: text(`${field.name}_hint`, field.hint) }),
  })
  return {
    ...provider,
    name: text('name', provider.name),
    summary: text('summary', provider.summary),
    fields: provider.fields.map((field) => ({
      ...common(field),
      problem: text(`${field.name}_problem`, field.problem),
      ...(field.usual !== undefined && { usual: text(`${field.name}_usual`, field.usual) }),
      ...(field.choices && { choices: field.choices.map(({ value, label }) => ({ value, label: text(`${field.name}_${value}`, label) })) }),
    })),
    secrets: provider.secrets.map(common),
  }
}
