import { providerOf } from './address.ts'
import type { ProviderDescription } from './description.ts'
import { providers } from './registry.ts'

/** How addresses of a provider begin: `s3://`, `dropbox:`. */
export function beginningOf({ schemes: [scheme], form }: ProviderDescription): string {
  return form === 'server' ? `${scheme}://` : `${scheme}:`
}

/** For whoever named a storage that is not known. */
export const kindsOfStorage = `There are folders (/mnt/disk/backup, file:///mnt/disk/backup) and addresses that begin with ${providers.map(beginningOf).join(', ')}; "holdfast destinations" shows how each is written.`

/** What is wrong with a text that looks like the address of a provider where a path is meant, or like a misspelt one; undefined for any other. */
export function spellingWords(text: string): string | undefined {
  if (providerOf(text)) return 'This is the address of a storage, and a path on this machine belongs here.'
  const [, scheme = '', mark] = /^([A-Za-z][A-Za-z0-9+.-]*)(:|\/\/)/.exec(text) ?? []
  const known = scheme.toLowerCase()
  const provider = providers.find(({ schemes }) => schemes.includes(known))
  if (!provider) return mark === ':' ? aliasWords(known) : undefined
  const { name, example } = provider
  if (mark === '//') return `An address of ${name} has a colon: ${example}`
  return scheme === known ? `An address of ${name} is ${example}` : `An address of ${name} begins with small letters: ${example}`
}

function aliasWords(scheme: string): string | undefined {
  const provider = providers.find(({ aliases = [] }) => aliases.includes(scheme))
  return provider && `Other programs write ${provider.name} so; here its address is ${provider.example}`
}
