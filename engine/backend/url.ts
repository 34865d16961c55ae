import { isAbsolute, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { HoldfastError } from '../base/errors.ts'
import { absolutePath } from '../base/typed-path.ts'

/** Where a repository lives, as parsed from `--repo`. */
export type BackendAddress =
  | { readonly type: 'local'; readonly path: string }
  | { readonly type: 'memory'; readonly name: string }
  | S3Address
  | { readonly type: 'faulty'; readonly inner: BackendAddress; readonly faults: URLSearchParams }

export interface S3Address {
  readonly type: 's3'
  readonly bucket: string
  /** Empty, or a key prefix that ends in `/`. */
  readonly prefix: string
  /** Absent: AWS itself. */
  readonly endpoint?: string
  readonly region: string
  readonly pathStyle: boolean
  /** Files larger than this are sent in parts of this size, in bytes. Absent: the backend decides. */
  readonly partBytes?: number
}

/** Kinds of storage that have an address; whatever else looks like one is refused rather than made a folder. */
const schemes = /^(?:faulty\+|s3:\/\/|file:\/(?!\/)|file:\/\/(?:localhost)?\/|memory:)/

/**
 * Throws `arguments` with words for people. The text of the address is never repeated whole: it might hold a secret.
 * A path may begin with `~/`; a folder whose name looks like an address is given as `./a:b` or `file:///…`.
 */
export function parseAddress(url: string): BackendAddress {
  if (/\p{Cc}/u.test(url)) throw wrong('The repository\'s address holds a line break, a tab or another control character.')
  if (url.startsWith('faulty+')) return parseFaulty(url.slice('faulty+'.length))
  if (url.startsWith('s3://')) return parseS3(url)
  if (url.startsWith('memory:')) return { type: 'memory', name: url.slice('memory:'.length) }
  if (schemes.test(url)) return parseFile(url)
  return { type: 'local', path: absolutePath('The repository\'s address', url) }
}

/** The same address for a process with another working directory. Errors: those of parseAddress, for a path. */
export function absoluteAddress(url: string): string {
  return schemes.test(url) ? url : absolutePath('The repository\'s address', url)
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

function parseS3(text: string): S3Address {
  const url = parseUrl(text)
  if (url.username !== '' || url.password !== '') {
    throw wrong('Credentials do not belong in the address: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.')
  }
  const bucket = url.hostname
  if (!/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/.test(bucket)) throw wrong('The address names no valid bucket: s3://bucket/prefix.')
  const settings = new Map(url.searchParams)
  const endpoint = settings.get('endpoint')
  const pathStyle = settings.get('pathStyle') ?? (endpoint === undefined ? 'false' : 'true')
  for (const key of settings.keys()) {
    if (!['endpoint', 'region', 'pathStyle', 'partSize'].includes(key)) throw wrong(`Unknown setting "${key.slice(0, 40)}" in the s3:// address; there are endpoint, region, pathStyle and partSize.`)
  }
  if (pathStyle !== 'true' && pathStyle !== 'false') throw wrong('pathStyle in the s3:// address is true or false.')
  const region = settings.get('region') ?? 'us-east-1'
  if (!/^[a-z0-9-]{1,40}$/.test(region)) throw wrong('The region in the s3:// address is not one.')
  return {
    type: 's3', bucket, prefix: keyPrefix(url.pathname), region, pathStyle: pathStyle === 'true',
    ...(endpoint === undefined ? {} : { endpoint: checkEndpoint(endpoint) }), ...partBytesOf(settings.get('partSize')),
  }
}

/** What S3 takes as a part's size, in whole MiB: `5M` to `5120M`. */
function partBytesOf(text: string | undefined): { readonly partBytes?: number } {
  if (text === undefined) return {}
  const megabytes = /^\d{1,4}M$/.test(text) ? Number.parseInt(text, 10) : 0
  if (megabytes < 5 || megabytes > 5120) throw wrong('partSize in the s3:// address is a size from 5M to 5120M.')
  return { partBytes: megabytes * 1024 * 1024 }
}

function keyPrefix(pathname: string): string {
  let path: string
  try {
    path = decodeURIComponent(pathname)
  } catch (error) {
    throw wrong('The prefix in the s3:// address is not valid.', error)
  }
  const segments = path.split('/').filter((segment) => segment !== '')
  if (segments.some((segment) => segment === '.' || segment === '..')) throw wrong('The prefix in the s3:// address may not hold "." or "..".')
  return segments.map((segment) => `${segment}/`).join('')
}

function checkEndpoint(endpoint: string): string {
  const url = parseUrl(endpoint)
  if (url.protocol !== 'http:' && url.protocol !== 'https:') throw wrong('The endpoint in the s3:// address begins with http:// or https://.')
  if (url.username !== '' || url.password !== '') throw wrong('Credentials do not belong in the endpoint.')
  if (url.pathname !== '/' || url.search !== '') throw wrong('The endpoint in the s3:// address is only scheme, host and port.')
  return url.origin
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
    throw wrong('The repository\'s address cannot be read; it looks like /folder, file:///folder or s3://bucket/prefix?endpoint=https://host.')
  }
}

function wrong(message: string, cause?: unknown): HoldfastError {
  return new HoldfastError('arguments', message, cause === undefined ? {} : { cause })
}
