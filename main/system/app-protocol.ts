import { readFile } from 'node:fs/promises'
import { extname, join, normalize, sep } from 'node:path'

/** The window's own scheme: an origin of its own, no access to files beyond the built renderer. */
export const appScheme = 'app'
export const appOrigin = 'app://holdfast'

const policy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "font-src 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ')

const types: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.woff2': 'font/woff2',
  '.map': 'application/json',
}

/** Answers `app://holdfast/…` from `folder`: listed types only, nothing outside it, the policy on every reply. */
export function serveRenderer(folder: string): (request: { readonly url: string }) => Promise<Response> {
  return async ({ url }) => {
    const path = fileOf(folder, url)
    const type = path === undefined ? undefined : types[extname(path)]
    if (path === undefined || type === undefined) return new Response('not found', { status: 404, headers: { 'content-security-policy': policy } })
    try {
      const headers = { 'content-type': type, 'content-security-policy': policy, 'x-content-type-options': 'nosniff' }
      return new Response(await readFile(path), { headers })
    } catch {
      return new Response('not found', { status: 404, headers: { 'content-security-policy': policy } })
    }
  }
}

/** The file that an address names, or undefined where it is not one of ours. */
export function fileOf(folder: string, address: string): string | undefined {
  const url = new URL(address)
  if (url.protocol !== `${appScheme}:` || url.host !== 'holdfast') return undefined
  let name: string
  try {
    name = decodeURIComponent(url.pathname)
  } catch {
    return undefined
  }
  if (name.includes('\0')) return undefined
  const path = normalize(join(folder, name === '/' ? 'index.html' : name))
  return path.startsWith(folder + sep) ? path : undefined
}
