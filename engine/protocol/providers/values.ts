import type { AddressField, AddressValues, ProviderDescription } from './description.ts'

/** A value as it is kept, or undefined where it is not one. `text` is not empty. */
export function checkedValue(field: AddressField, text: string): string | undefined {
  if (/\p{Cc}/u.test(text) || text.length > 4096) return undefined
  const value = normal(field, text)
  return value !== undefined && (field.pattern?.test(value) ?? true) ? value : undefined
}

/** What is wrong with typed values, in words by field name; empty where an address can be made of them. */
export function valueProblems({ fields }: ProviderDescription, typed: AddressValues): Readonly<Record<string, string>> {
  const problems = fields.flatMap((field): (readonly [string, string])[] => {
    const text = typed[field.name]?.trim() ?? ''
    if (text === '') return field.required ? [[field.name, `${field.label}: this is needed.`]] : []
    return checkedValue(field, text) === undefined ? [[field.name, field.problem]] : []
  })
  return Object.fromEntries(problems)
}

/** Typed values as they are kept. Only for what `valueProblems` finds nothing wrong with. */
export function checkedValues({ fields }: ProviderDescription, typed: AddressValues): AddressValues {
  const kept = fields.flatMap((field): (readonly [string, string])[] => {
    const text = typed[field.name]?.trim() ?? ''
    const value = text === '' ? undefined : checkedValue(field, text)
    return value === undefined || value === '' ? [] : [[field.name, value]]
  })
  return Object.fromEntries(kept)
}

function normal(field: AddressField, text: string): string | undefined {
  switch (field.kind) {
    case 'text':
      return text
    case 'host':
      return /^(?:[\p{L}\p{N}](?:[\p{L}\p{N}._-]{0,252})|\[[0-9A-Fa-f:.%]{2,60}\])$/u.test(text) ? text : undefined
    case 'port':
      return /^\d{1,5}$/.test(text) && Number(text) >= 1 && Number(text) <= 65_535 ? String(Number(text)) : undefined
    case 'prefix':
      return prefix(text)
    case 'server-path':
      return serverPath(text)
    case 'origin':
      return webAddress(text, false)
    case 'url':
      return webAddress(text, true)
    case 'choice':
      return field.choices?.some(({ value }) => value === text) ? text : undefined
    case 'mebibytes':
      return mebibytes(text, field.range)
    case 'file':
      return /^(?:\/|[A-Za-z]:[\\/])/.test(text) ? text : undefined
  }
}

function prefix(text: string): string | undefined {
  const segments = text.split('/').filter((segment) => segment !== '')
  return segments.some(isDots) ? undefined : segments.join('/')
}

function serverPath(text: string): string | undefined {
  const folders = prefix(text.replace(/^~/, ''))
  if (folders === undefined || !/^(?:\/|~(?:\/|$))/.test(text)) return undefined
  return text.startsWith('~') ? `~/${folders}` : `/${folders}`
}

function isDots(segment: string): boolean {
  return segment === '.' || segment === '..'
}

/** Credentials, settings and fragments have no place in it. */
function webAddress(text: string, withPath: boolean): string | undefined {
  let url: URL
  try {
    url = new URL(text)
  } catch {
    return undefined
  }
  if (url.protocol !== 'http:' && url.protocol !== 'https:') return undefined
  if (url.username !== '' || url.password !== '' || url.search !== '' || url.hash !== '') return undefined
  if (!withPath) return url.pathname === '/' ? url.origin : undefined
  return url.origin + url.pathname.replace(/\/+$/, '')
}

function mebibytes(text: string, [least, most]: readonly [number, number] = [1, 1_000_000]): string | undefined {
  const number = /^\d{1,7}M$/.test(text) ? Number.parseInt(text, 10) : NaN
  return number >= least && number <= most ? `${number}M` : undefined
}

/** Of a checked `mebibytes` value. */
export function bytesOf(mebibytes: string): number {
  return Number.parseInt(mebibytes, 10) * 1024 * 1024
}
