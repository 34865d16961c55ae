import type { AddressField, AddressValues, ProviderDescription } from './description.ts'
import { providers } from './registry.ts'
import { checkedValue } from './values.ts'

/** An address, sorted. `other`: it begins with no provider's scheme. `words` are whole sentences that repeat nothing of what was typed. */
export type ReadAddress =
  | { readonly type: 'provider'; readonly provider: ProviderDescription; readonly values: AddressValues }
  | { readonly type: 'wrong'; readonly words: string }
  | { readonly type: 'other' }

/** The provider whose scheme an address begins with. */
export function providerOf(address: string): ProviderDescription | undefined {
  return providers.find(({ schemes, form }) => schemes.some((scheme) => address.startsWith(form === 'server' ? `${scheme}://` : `${scheme}:`)))
}

/** Errors are values: the window reads addresses too. */
export function readAddress(address: string): ReadAddress {
  const provider = providerOf(address)
  if (!provider) return { type: 'other' }
  const parts = partsOf(provider, address)
  return typeof parts === 'string' ? { type: 'wrong', words: parts } : valuesOf(provider, parts)
}

/** An address in the one spelling that it is kept and compared under; what is no provider's, or cannot be read, as it is. */
export function sameSpelling(address: string): string {
  const read = readAddress(address)
  return read.type === 'provider' ? writeAddress(read.provider, read.values) : address
}

/** The address of checked values (see `checkedValues`): the one spelling that settings and secrets are kept under. */
export function writeAddress(provider: ProviderDescription, values: AddressValues): string {
  const at = (place: AddressField['at']): string | undefined => provider.fields.filter((field) => field.at === place).map(({ name }) => values[name])[0]
  const settings = provider.fields
    .filter(({ at: place, name }) => place === 'setting' && values[name] !== undefined)
    .map(({ name }) => `${name}=${encodeURIComponent(values[name] ?? '')}`)
  const query = settings.length === 0 ? '' : `?${settings.join('&')}`
  const scheme = at('scheme') ?? provider.schemes[0]
  if (provider.form === 'whole') return `${scheme}:${encodeWhole(at('whole') ?? '')}${query}`
  const path = pathText(at('path') ?? '')
  if (provider.form === 'path') return `${scheme}:${path || '/'}${query}`
  const user = at('user')
  const port = at('port')
  return `${scheme}://${user === undefined ? '' : `${encodeURIComponent(user)}@`}${at('host') ?? ''}${port === undefined ? '' : `:${port}`}${path || '/'}${query}`
}

interface Parts {
  readonly values: ReadonlyMap<AddressField['at'], string>
  readonly settings: readonly (readonly [string, string])[]
}

function partsOf(provider: ProviderDescription, address: string): Parts | string {
  if (/\p{Cc}/u.test(address)) return 'The repository\'s address holds a line break, a tab or another control character.'
  const settings = (query: string): Parts['settings'] => [...new URLSearchParams(query)]
  if (provider.form === 'whole') {
    const rest = address.slice(address.indexOf(':') + 1)
    const question = rest.indexOf('?')
    const whole = decoded(question < 0 ? rest : rest.slice(0, question), (text) => text.replace(/%(?:3F|25)/gi, decodeURIComponent))
    return { values: new Map([['whole', whole ?? '']]), settings: settings(question < 0 ? '' : rest.slice(question + 1)) }
  }
  const url = urlOf(address)
  if (!url) return `The repository's address cannot be read; it looks like ${provider.example}.`
  if (url.password !== '' || (url.username !== '' && !provider.fields.some(({ at }) => at === 'user'))) return credentialWords(provider)
  if (url.hash !== '') return `The ${provider.schemes[0]} address holds a "#"; in a path it is written %23.`
  if (provider.form === 'path' && (url.host !== '' || url.username !== '')) return `The address has one slash after the colon: ${provider.example}.`
  const path = decoded(url.pathname)
  const user = decoded(url.username)
  if (path === undefined || user === undefined) return `The ${provider.schemes[0]} address holds a "%" that begins no character; write it as %25.`
  const scheme = url.protocol.slice(0, -1)
  return { values: new Map([['scheme', scheme === provider.schemes[0] ? '' : scheme], ['user', user], ['host', url.hostname], ['port', url.port], ['path', path]] as const), settings: settings(url.search) }
}

function valuesOf(provider: ProviderDescription, { values, settings }: Parts): ReadAddress {
  const [scheme] = provider.schemes
  const wrong = (words: string): ReadAddress => ({ type: 'wrong', words })
  const known = provider.fields.filter(({ at }) => at === 'setting').map(({ name }) => name)
  const found: Record<string, string> = {}
  const unknown = settings.find(([name]) => !known.includes(name))
  if (unknown) {
    const there = known.length === 0 ? 'there are none' : `it can have ${known.join(', ')}`
    return wrong(`Unknown setting "${unknown[0].slice(0, 40)}" in the ${scheme} address; ${there}. In a path, "?" is written %3F.`)
  }
  for (const field of provider.fields) {
    const given = field.at === 'setting' ? settings.filter(([name]) => name === field.name).map(([, value]) => value) : [pathOrPart(field, values.get(field.at) ?? '')]
    if (given.length > 1) return wrong(`The setting "${field.name}" is in the ${scheme} address more than once.`)
    const text = given[0] ?? ''
    if (text === '') {
      if (field.required) return wrong(`The address has no ${field.label.toLowerCase()}: ${provider.example}.`)
      continue
    }
    const value = checkedValue(field, text)
    if (value === undefined) return wrong(field.problem)
    if (value !== '') found[field.name] = value
  }
  const stray = (['user', 'host', 'port', 'path'] as const).find((at) => (values.get(at) ?? '').replace(/^\/$/, '') !== '' && !provider.fields.some((field) => field.at === at))
  return stray === undefined ? { type: 'provider', provider, values: found } : wrong(`A ${scheme} address has no ${stray}: ${provider.example}.`)
}

function pathOrPart(field: AddressField, text: string): string {
  if (field.at !== 'path') return text
  return field.kind === 'server-path' ? text.replace(/^\/~(?=\/|$)/, '~').replace(/^\/$/, '') : text
}

function credentialWords({ secrets, signIn }: ProviderDescription): string {
  const variables = secrets.filter(({ required }) => required).map(({ variables: [first] }) => first)
  if (variables.length > 0) return `Credentials do not belong in the address: set ${variables.join(' and ')}.`
  return signIn === undefined ? 'Credentials do not belong in the address.' : `Credentials do not belong in the address: use holdfast login ${signIn}.`
}

function pathText(path: string): string {
  if (path === '') return ''
  const text = path.split('/').map((segment) => (segment === '~' ? segment : encodeURIComponent(segment))).join('/')
  return text.startsWith('/') ? text : `/${text}`
}

function encodeWhole(text: string): string {
  return text.replace(/[%?]/g, encodeURIComponent)
}

function decoded(text: string, decode = decodeURIComponent): string | undefined {
  try {
    return decode(text)
  } catch {
    return undefined
  }
}

function urlOf(text: string): URL | undefined {
  try {
    return new URL(text)
  } catch {
    return undefined
  }
}
