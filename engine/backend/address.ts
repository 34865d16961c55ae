import { isAbsolute, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { HoldfastError } from '../base/errors.ts'
import { absolutePath } from '../base/typed-path.ts'
import { readAddress } from '../protocol/providers/address.ts'
import type { AddressValues, ProviderDescription } from '../protocol/providers/description.ts'

/** Where a repository lives, as parsed from `--repo`. */
export type BackendAddress =
  | { readonly type: 'local'; readonly path: string }
  | { readonly type: 'memory'; readonly name: string }
  | { readonly type: 'provider'; readonly provider: ProviderDescription; readonly values: AddressValues }
  | { readonly type: 'faulty'; readonly inner: BackendAddress; readonly faults: URLSearchParams }

/** Addresses that no provider has: a folder on this machine in another spelling, and what tests open. */
const ownSchemes = /^(?:faulty\+|file:\/(?!\/)|file:\/\/(?:localhost)?\/|memory:)/

/**
 * Throws `arguments` with words for people. The text of the address is never repeated whole: it might hold a secret.
 * A path may begin with `~/`; a folder whose name looks like an address is given as `./a:b` or `file:///…`.
 */
export function parseAddress(address: string): BackendAddress {
  if (/\p{Cc}/u.test(address)) throw wrong('The repository\'s address holds a line break, a tab or another control character.')
  if (address.startsWith('faulty+')) return parseFaulty(address.slice('faulty+'.length))
  if (address.startsWith('memory:')) return { type: 'memory', name: address.slice('memory:'.length) }
  if (ownSchemes.test(address)) return parseFile(address)
  const read = readAddress(address)
  if (read.type === 'wrong') throw wrong(read.words)
  return read.type === 'provider' ? read : { type: 'local', path: absolutePath('The repository\'s address', address) }
}

/** The same address for a process with another working directory. Errors: those of parseAddress. */
export function absoluteAddress(address: string): string {
  const parsed = parseAddress(address)
  return parsed.type === 'local' && !ownSchemes.test(address) ? parsed.path : address
}

function parseFile(text: string): BackendAddress {
  const url = parseUrl(text)
  if (url.search !== '' || url.hash !== '') throw wrong('A file:// address takes no settings; write "?" and "#" in a path as %3F and %23.')
  if (url.host !== '') throw wrong('A file:// address begins with three slashes: file:///folder.')
  let path: string
  try {
    path = fileURLToPath(url)
  } catch (error) {
    throw wrong('The file:// address holds no usable path.', error)
  }
  if (!isAbsolute(path) || (process.platform !== 'win32' && /^\/[A-Za-z]:(\/|$)/.test(path))) throw wrong('A file:// address needs an absolute path of this system.')
  return { type: 'local', path: resolve(path) }
}

/** Query keys that begin with `fault.` belong to the wrapper, the others to the address within. */
function parseFaulty(inner: string): BackendAddress {
  const question = inner.indexOf('?')
  const all = new URLSearchParams(question < 0 ? '' : inner.slice(question + 1))
  const faults = new URLSearchParams()
  const rest = new URLSearchParams()
  for (const [key, value] of all) {
    if (key.startsWith('fault.')) faults.append(key.slice('fault.'.length), value)
    else rest.append(key, value)
  }
  const query = rest.toString()
  const address = (question < 0 ? inner : inner.slice(0, question)) + (query === '' ? '' : `?${query}`)
  return { type: 'faulty', inner: parseAddress(address), faults }
}

function parseUrl(text: string): URL {
  try {
    return new URL(text)
  } catch {
    throw wrong('The file:// address cannot be read; it looks like file:///folder.')
  }
}

function wrong(message: string, cause?: unknown): HoldfastError {
  return new HoldfastError('arguments', message, cause === undefined ? {} : { cause })
}
