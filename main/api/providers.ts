import * as m from '../text/compiled/messages.js'
import type { AddressValues, ProviderDescription } from '../../engine/protocol/providers/description.ts'
import { isReadableOnTheWay } from '../../engine/protocol/plain-http.ts'
import { writeAddress } from '../../engine/protocol/providers/address.ts'
import { providers } from '../../engine/protocol/providers/registry.ts'
import { valueProblems } from '../../engine/protocol/providers/values.ts'
import type { ProviderDestination } from './views.ts'

/** What window and main share of the storages' descriptions. */
export type { AddressField, AddressValues, ProviderDescription, SecretField } from '../../engine/protocol/providers/description.ts'
export { checkedValues, valueProblems } from '../../engine/protocol/providers/values.ts'
export { providers, writeAddress }

export function providerById(id: string): ProviderDescription | undefined {
  return providers.find((one) => one.id === id)
}

/** Where a connection will be made to, if that can be said. Never throws: an old file may hold values that are none. */
export function reachOf(provider: ProviderDescription, values: AddressValues): ReturnType<ProviderDescription['reach']> {
  return Object.keys(valueProblems(provider, values)).length > 0 ? undefined : provider.reach(values)
}

/** Whether requests and answers can be read on the way. */
export function isOpenOnTheWay(provider: ProviderDescription, values: AddressValues): boolean {
  return provider.fields.some(({ name, kind }) => isWebAddress(kind) && isReadableOnTheWay(values[name] ?? '')) || (provider.readableOnTheWay?.(values) ?? false)
}

/** A destination in words, in two parts that each have to be escaped as their reader needs it. */
export interface PlaceWords {
  /** The folder or bucket; empty for all of it. */
  readonly what: string
  /**
   * The host as it is connected to, so that look-alike letters show, and whether what goes there can be read on the way; of a service that has
   * one address only, its name and the account.
   */
  readonly where: string
}

export function placeWords({ provider: id, values }: ProviderDestination): PlaceWords {
  const provider = providerById(id)
  if (!provider) return { what: '', where: id }
  const { fields } = provider
  const server = typedServer(provider, values)
  const parts = fields.filter(({ at, kind }) => (at === 'host' && kind !== 'host') || at === 'path' || (at === 'whole' && kind !== 'url'))
  const what = [...parts.map(({ name }) => values[name] ?? ''), server?.path ?? ''].filter((text) => text !== '').join('/')
  if (!server) return { what, where: serviceWords(provider, values) }
  const user = fields.filter(({ at }) => at === 'user').map(({ name }) => values[name] ?? '').filter((text) => text !== '')
  const open = isOpenOnTheWay(provider, values) ? m.place_open() : ''
  return { what, where: [...user, server.host].join('@') + open }
}

function isWebAddress(kind: string): boolean {
  return kind === 'origin' || kind === 'url'
}

/** Whatever somebody typed as the server to connect to. */
function typedServer({ fields }: ProviderDescription, values: AddressValues): { readonly host: string; readonly path: string } | undefined {
  for (const { name, kind } of fields) {
    const value = values[name]
    if (value === undefined || (kind !== 'host' && !isWebAddress(kind))) continue
    const port = fields.filter(({ at }) => at === 'port').map((field) => values[field.name])[0]
    const url = urlOf(kind === 'host' ? `http://${value}` : value)
    if (!url) return { host: value, path: '' }
    return kind === 'host' ? { host: port === undefined ? url.hostname : `${url.hostname}:${port}`, path: '' } : { host: url.host, path: url.pathname.replace(/^\/$/, '') }
  }
  return undefined
}

/** `Amazon S3 (eu-1)`, `Dropbox (anna@example.org)`. */
function serviceWords({ name, fields, presets = [] }: ProviderDescription, values: AddressValues): string {
  const servers = fields.filter(({ kind }) => isWebAddress(kind)).map((field) => field.name)
  const own = presets.find((preset) => servers.some((server) => preset.values[server] === ''))?.name ?? name
  const settings = fields.filter(({ at, rare }) => at === 'setting' && rare !== true).map((field) => values[field.name] ?? '').filter((text) => text !== '')
  return settings.length === 0 ? own : `${own} (${settings.join(', ')})`
}

function urlOf(text: string): URL | undefined {
  try {
    return new URL(text)
  } catch {
    return undefined
  }
}
