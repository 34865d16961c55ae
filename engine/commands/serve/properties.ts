import { SaxesParser } from 'saxes'
import { contentTag } from './content.ts'
import type { Item } from './shelf.ts'

/** What a PROPFIND asks for (RFC 4918, 9.1). */
export type Wanted = { readonly type: 'all' } | { readonly type: 'names' } | { readonly type: 'some'; readonly names: readonly PropertyName[] }

interface PropertyName {
  readonly uri: string
  readonly local: string
}

/** More is no request that a client makes. */
export const mostRequestBytes = 64 * 1024
const mostNames = 200
const mostDepth = 16

/** What is asked for in a request's body; empty: all. Undefined for what is no such body, or declares anything (a DOCTYPE, and so entities). */
export function parsePropfind(body: string): Wanted | undefined {
  if (body.trim() === '') return { type: 'all' }
  const parser = new SaxesParser({ xmlns: true, position: false })
  const path: string[] = []
  const names: PropertyName[] = []
  let type: Wanted['type'] | undefined
  let isWrong = false
  const fail = (): void => { isWrong = true }
  parser.on('error', fail)
  parser.on('doctype', fail)
  parser.on('opentag', ({ uri, local }) => {
    path.push(uri === 'DAV:' ? local : '?')
    if (path.length > mostDepth || path[0] !== 'propfind') fail()
    if (path.length === 2) type ??= ({ allprop: 'all', propname: 'names', prop: 'some' } as const)[path[1] ?? '']
    if (path.length === 3 && path[1] === 'prop' && names.push({ uri, local }) > mostNames) fail()
  })
  parser.on('closetag', () => { path.pop() })
  try {
    parser.write(body).close()
  } catch {
    return undefined
  }
  if (isWrong || type === undefined) return undefined
  return type === 'some' ? { type, names } : { type }
}

export const multistatusStart = '<?xml version="1.0" encoding="utf-8"?>\n<D:multistatus xmlns:D="DAV:">\n'
export const multistatusEnd = '</D:multistatus>\n'

/** One resource of the answer. @param path decoded names from the root */
export function responseXml(path: readonly string[], item: Item, wanted: Wanted): string {
  const all = propertiesOf(item)
  const propstats: string[] = []
  if (wanted.type === 'some') {
    const asked = wanted.names.map((name) => ({ name, value: name.uri === 'DAV:' ? all.get(name.local) : undefined }))
    const found = asked.flatMap(({ name, value }) => value === undefined ? [] : [element(name.local, value)])
    const missing = asked.flatMap(({ name, value }) => value === undefined ? [emptyElement(name)] : [])
    if (found.length > 0 || missing.length === 0) propstats.push(propstat(found, '200 OK'))
    if (missing.length > 0) propstats.push(propstat(missing, '404 Not Found'))
  } else {
    propstats.push(propstat([...all].map(([name, value]) => element(name, wanted.type === 'names' ? '' : value)), '200 OK'))
  }
  return `<D:response><D:href>${hrefOf(path, item)}</D:href>${propstats.join('')}</D:response>\n`
}

/** An absolute path of nothing but ASCII; a folder's ends with a slash. */
function hrefOf(path: readonly string[], { type }: Pick<Item, 'type'>): string {
  const encoded = path.map((name) => `/${encodeURIComponent(name).replace(/[!'()*]/g, (one) => `%${one.charCodeAt(0).toString(16).toUpperCase()}`)}`).join('')
  return type === 'folder' ? `${encoded}/` : encoded
}

/** As HTTP writes times; undefined for one that it cannot. */
export function httpDate(timeMs: number): string | undefined {
  const date = new Date(timeMs)
  const year = date.getUTCFullYear()
  return year >= 1 && year <= 9999 ? date.toUTCString() : undefined
}

/** Values are XML. */
function propertiesOf(item: Item): Map<string, string> {
  const modified = httpDate(item.modifiedMs)
  const properties = new Map([['displayname', escapeXml(item.name)], ['resourcetype', item.type === 'folder' ? '<D:collection/>' : '']])
  if (modified !== undefined) properties.set('getlastmodified', modified)
  if (item.type === 'folder') return properties
  properties.set('getcontentlength', String(item.node.size))
  properties.set('getetag', escapeXml(contentTag(item.node)))
  return properties
}

function propstat(elements: readonly string[], status: string): string {
  return `<D:propstat><D:prop>${elements.join('')}</D:prop><D:status>HTTP/1.1 ${status}</D:status></D:propstat>`
}

function element(name: string, value: string): string {
  return value === '' ? `<D:${name}/>` : `<D:${name}>${value}</D:${name}>`
}

/** The parser has let through only what is a name in XML. */
function emptyElement({ uri, local }: PropertyName): string {
  if (uri === '') return `<${local}/>`
  return uri === 'DAV:' ? `<D:${local}/>` : `<x:${local} xmlns:x="${escapeXml(uri)}"/>`
}

/** What XML cannot hold at all becomes a replacement character. */
function escapeXml(text: string): string {
  return text
    .replace(/[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/gu, '\ufffd')
    .replace(/[&<>"'\t\n\r]/g, (one) => `&#${one.charCodeAt(0)};`)
}
