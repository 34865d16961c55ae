import { SaxesParser, type SaxesTagNS } from 'saxes'
import { HoldfastError } from '../../base/errors.ts'

/** One resource of a PROPFIND's answer (RFC 4918, section 14.16). */
export interface DavEntry {
  /** As it came: an absolute path or a whole address, percent-encoded. */
  readonly href: string
  readonly isFolder: boolean
  /** undefined where the server does not say. */
  readonly size: number | undefined
  /** ms since 1970; 0 where the server does not say. */
  readonly modifiedMs: number
  /** Bytes left and used where the resource is, where that was asked and the server says (RFC 4331). */
  readonly free?: number
  readonly used?: number
}

/** No value of ours is longer. */
const mostText = 8 * 1024
const mostDepth = 32

interface Open {
  href: string
  isFolder: boolean
  size: number | undefined
  modifiedMs: number
  /** Of the propstat that is being read. */
  found: { isFolder: boolean; size: number | undefined; modifiedMs: number; status: string; free?: number; used?: number }
  free?: number
  used?: number
}

/**
 * The resources of an answer as its bytes come, so that memory does not grow with it. Documents that declare something (a DOCTYPE, and so
 * entities) are refused. Errors: unavailable (no such document, or half of one).
 */
export async function* entriesOf(body: AsyncIterable<Uint8Array>): AsyncGenerator<DavEntry> {
  const reader = new MultistatusReader()
  for await (const chunk of body) yield* reader.write(chunk)
  reader.end()
}

class MultistatusReader {
  readonly #parser = new SaxesParser({ xmlns: true, position: false })
  readonly #decoder = new TextDecoder('utf-8', { fatal: true })
  #entries: DavEntry[] = []
  #path: string[] = []
  #text = ''
  #open: Open | undefined
  #seenRoot = false
  #failure: HoldfastError | undefined

  constructor() {
    this.#parser.on('error', () => { this.#fail() })
    this.#parser.on('doctype', () => { this.#fail() })
    this.#parser.on('opentag', (tag) => { this.#begin(tag) })
    this.#parser.on('closetag', (tag) => { this.#finish(tag) })
    this.#parser.on('text', (text) => { if ((this.#text += text).length > mostText) this.#fail() })
  }

  write(chunk: Uint8Array): readonly DavEntry[] {
    try {
      this.#parser.write(this.#decoder.decode(chunk, { stream: true }))
    } catch {
      this.#fail()
    }
    if (this.#failure) throw this.#failure
    return this.#entries.splice(0)
  }

  end(): void {
    try {
      this.#parser.close()
    } catch {
      this.#fail()
    }
    if (!this.#seenRoot) this.#fail()
    if (this.#failure) throw this.#failure
  }

  #begin({ uri, local }: SaxesTagNS): void {
    this.#text = ''
    this.#path.push(uri === 'DAV:' ? local : '?')
    if (this.#path.length > mostDepth) this.#fail()
    if (this.#path.length === 1) {
      this.#seenRoot = local === 'multistatus' && uri === 'DAV:'
      if (!this.#seenRoot) this.#fail()
    }
    if (this.#path.length === 2 && local === 'response') this.#open = { href: '', isFolder: false, size: undefined, modifiedMs: 0, found: nothing() }
    if (this.#open && this.#path.length === 3 && local === 'propstat') this.#open.found = nothing()
    if (this.#open && this.#path.slice(-2).join('/') === 'resourcetype/collection') this.#open.found.isFolder = true
  }

  #finish({ local }: SaxesTagNS): void {
    const path = this.#path.slice(2).join('/')
    this.#path.pop()
    const text = this.#text.trim()
    this.#text = ''
    const open = this.#open
    if (!open) return
    if (path === 'href') open.href = text
    else if (path === 'propstat/status') open.found.status = text
    else if (path === 'propstat/prop/getcontentlength') open.found.size = /^\d{1,15}$/.test(text) ? Number(text) : undefined
    else if (path === 'propstat/prop/quota-available-bytes' && /^\d{1,15}$/.test(text)) open.found.free = Number(text)
    else if (path === 'propstat/prop/quota-used-bytes' && /^\d{1,15}$/.test(text)) open.found.used = Number(text)
    else if (path === 'propstat/prop/getlastmodified') open.found.modifiedMs = timeOf(text)
    else if (path === 'propstat' && /\b2\d\d\b/.test(open.found.status)) {
      open.isFolder ||= open.found.isFolder
      open.size ??= open.found.size
      open.modifiedMs ||= open.found.modifiedMs
      if (open.found.free !== undefined) open.free = open.found.free
      if (open.found.used !== undefined) open.used = open.found.used
    } else if (this.#path.length === 1 && local === 'response') {
      const { href, isFolder, size, modifiedMs, free, used } = open
      this.#entries.push({ href, isFolder, size, modifiedMs, ...(free === undefined ? {} : { free }), ...(used === undefined ? {} : { used }) })
      this.#open = undefined
    }
  }

  #fail(): void {
    this.#failure ??= new HoldfastError('unavailable', 'The server\'s answer is not the list of a WebDAV folder.', {
      data: { reason: 'BadListing', advice: 'Check the address. A proxy or a login page of the network can stand between, too.' },
    })
  }
}

function nothing(): Open['found'] {
  return { isFolder: false, size: undefined, modifiedMs: 0, status: '' }
}

function timeOf(text: string): number {
  const ms = Date.parse(text)
  return Number.isFinite(ms) && ms > 0 ? ms : 0
}
