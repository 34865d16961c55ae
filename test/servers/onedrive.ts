import { randomBytes } from 'node:crypto'
import { literal, object, optional, picklist, safeParse, string, type GenericSchema, type InferOutput } from 'valibot'
import { rangeOf, Refusal, WebService, type SeenRequest, type WebAnswer, type WebExchange } from './web-service.ts'

const fragmentBytes = 320 * 1024
const mostFragmentBytes = 60 * 1024 * 1024
/** "at most 250 MB": https://learn.microsoft.com/graph/api/driveitem-put-content */
const mostWholeBytes = 250 * 1000 * 1000

/**
 * OneDrive by Microsoft Graph as far as Holdfast uses it, in memory: graph.microsoft.com/v1.0 and the hosts that files come from and go to
 * (/up, /d) are paths of one server. Behaviour by https://learn.microsoft.com/graph/api/resources/onedrive (of sessions:
 * https://learn.microsoft.com/graph/api/driveitem-createuploadsession) unless another source stands beside it.
 */
export class OneDriveServer extends WebService {
  /** By id; `approot` is Apps/Holdfast, which the first request makes: https://learn.microsoft.com/onedrive/developer/rest-api/concepts/special-folders-appfolder */
  readonly items = new Map<string, Item>([['approot', { id: 'approot', type: 'folder', name: 'Holdfast', parent: '' }]])
  readonly sessions = new Map<string, Session>()
  quotaBytes = Infinity
  /** Items of a page: "the default page size is 200" (driveitem-list-children); what `$top` asks for beyond this is not given. */
  pageSize = 1000
  /** Requests that are taken before it asks to wait. */
  requestsLeft = Infinity
  /** How often a file is told without its checksum. */
  lateHashes = 0
  /** Whether an upload to a path makes the folders above it: it does, and says so nowhere; "409: the specified parent folder might not exist" (concepts/errors). */
  implicitFolders = true
  readonly #downloads = new Map<string, string>()
  #lastId = 1000

  static async start(): Promise<OneDriveServer> {
    return new OneDriveServer().listen()
  }

  /** An object's file, by its path from the app folder. */
  fileAt(path: string): FileItem | undefined {
    const found = this.#find(path.split('/'))
    return found?.type === 'file' ? found : undefined
  }

  /** Sessions end by themselves at `expirationDateTime`. */
  expireSessions(): void {
    this.sessions.clear()
  }

  /** The addresses of downloads are good for about an hour. */
  expireDownloads(): void {
    this.#downloads.clear()
  }

  protected refuseToken({ url }: SeenRequest): WebAnswer | undefined {
    return /^\/(up|d)\//.test(url) ? undefined : errorAnswer(401, 'InvalidAuthenticationToken', 'Lifetime validation failed, the token is expired.')
  }

  protected handle(exchange: WebExchange): WebAnswer {
    const { method, path } = exchange
    if (this.requestsLeft-- <= 0) throw new Refusal({ ...errorAnswer(429, 'activityLimitReached', 'The app or user has been throttled.'), headers: { 'retry-after': '1' } })
    const [, host, key = ''] = /^\/(up|d)\/([^/]+)$/.exec(path) ?? []
    if (host !== undefined) return this.#elsewhere(exchange, host, key)
    const id = /^\/v1\.0\/me\/drive\/items\/([^/:]+)$/.exec(path)?.[1]
    if (method === 'GET' && path === '/v1.0/me/drive') return this.#drive()
    if (method === 'DELETE' && id !== undefined) return this.#remove(decodeURIComponent(id))
    const [, names, action = ''] = /^\/v1\.0\/me\/drive\/special\/approot(?::\/([^:]+):)?(\/[A-Za-z]+)?$/.exec(path) ?? [undefined, undefined, 'none']
    const place = names === undefined ? [] : names.split('/').map(decodeURIComponent)
    switch (`${method} ${action}`) {
      case 'GET ': return { status: 200, json: this.#told(this.#there(place)) }
      case 'GET /children': return this.#list(exchange, place)
      case 'POST /children': return this.#createFolder(exchange, place)
      case 'PUT /content': return this.#upload(exchange, place)
      case 'GET /content': return this.#download(place)
      case 'POST /createUploadSession': return this.#begin(exchange, place)
      default: throw refusal(400, 'invalidRequest')
    }
  }

  /** https://learn.microsoft.com/graph/api/resources/quota */
  #drive(): WebAnswer {
    const total = Number.isFinite(this.quotaBytes) ? this.quotaBytes : 2 ** 40
    const used = this.#usedBytes
    return { status: 200, json: { id: 'drive', driveType: 'personal', quota: { total, used, remaining: total - used, deleted: 0, state: used > total ? 'exceeded' : 'normal' } } }
  }

  get #usedBytes(): number {
    return [...this.items.values()].reduce((sum, item) => sum + (item.type === 'file' ? item.bytes.length : 0), 0)
  }

  /** "Including the Authorization header when issuing the PUT call may result in a 401": here it always does. */
  #elsewhere({ method, headers, ...exchange }: WebExchange, host: string, key: string): WebAnswer {
    if (headers.authorization !== undefined) throw refusal(401, 'unauthenticated')
    if (host === 'd') {
      const file = this.items.get(this.#downloads.get(key) ?? '')
      if (method !== 'GET' || file?.type !== 'file') throw new Refusal({ status: 404, bytes: Buffer.alloc(0) })
      return rangeOf(file.bytes, headers.range)
    }
    const session = this.sessions.get(key)
    if (!session) throw refusal(404, 'itemNotFound')
    switch (method) {
      case 'PUT': return this.#range({ method, headers, ...exchange }, key, session)
      case 'GET': return { status: 200, json: stateOf(session) }
      case 'DELETE':
        this.sessions.delete(key)
        return { status: 204 }
      default: throw refusal(405, 'notSupported')
    }
  }

  #named(parent: string, name: string): Item | undefined {
    // Names are compared without regard to case.
    return [...this.items.values()].find((item) => item.parent === parent && item.name.toLowerCase() === name.toLowerCase())
  }

  #find(place: readonly string[]): Item | undefined {
    return place.reduce<Item | undefined>((at, name) => (at?.type === 'folder' ? this.#named(at.id, name) : undefined), this.items.get('approot'))
  }

  #there(place: readonly string[]): Item {
    const found = this.#find(place)
    if (!found) throw refusal(404, 'itemNotFound')
    return found
  }

  #folder(place: readonly string[]): Item {
    const found = this.#there(place)
    if (found.type !== 'folder') throw refusal(404, 'itemNotFound')
    return found
  }

  /** `$top` and `$skiptoken`; in an order of its own (here the newest first). */
  #list({ query, path }: WebExchange, place: readonly string[]): WebAnswer {
    const folder = this.#folder(place)
    const top = Math.min(Number(query.get('$top') ?? 200), this.pageSize)
    const from = Number(query.get('$skiptoken') ?? 0)
    const all = [...this.items.values()].filter(({ parent }) => parent === folder.id).reverse()
    const next = new URLSearchParams({ $top: String(top), $skiptoken: String(from + top) })
    const link = from + top < all.length ? { '@odata.nextLink': `${this.origin}${path}?${next.toString()}` } : {}
    return { status: 200, json: { value: all.slice(from, from + top).map((item) => this.#told(item)), ...link } }
  }

  /** https://learn.microsoft.com/graph/api/driveitem-post-children */
  #createFolder({ body }: WebExchange, place: readonly string[]): WebAnswer {
    const { name, '@microsoft.graph.conflictBehavior': conflict = 'fail' } = parsed(body, object({ name: string(), folder: object({}), ...conflictBehavior.entries }))
    const parent = this.#folder(place)
    const there = this.#named(parent.id, checked(name))
    if (there && (conflict !== 'replace' || there.type !== 'folder')) throw refusal(409, 'nameAlreadyExists')
    return { status: 201, json: this.#told(there ?? this.#add({ type: 'folder', id: this.#newId(), name, parent: parent.id })) }
  }

  #add<I extends Item>(item: I): I {
    this.items.set(item.id, item)
    return item
  }

  #newId(): string {
    return `0123ABC!${++this.#lastId}`
  }

  /** The folder that a path's last name is in. */
  #parentOf(place: readonly string[]): Item {
    let at = this.#there([])
    for (const name of place.slice(0, -1)) {
      const next = this.#named(at.id, checked(name)) ?? (this.implicitFolders ? this.#add({ type: 'folder', id: this.#newId(), name, parent: at.id }) : undefined)
      if (next?.type !== 'folder') throw refusal(next ? 409 : 404, next ? 'nameAlreadyExists' : 'itemNotFound')
      at = next
    }
    return at
  }

  /** "By default, this API will replace an existing item with the same name": https://learn.microsoft.com/onedrive/developer/rest-api/api/driveitem_put_content */
  #upload({ query, body }: WebExchange, place: readonly string[]): WebAnswer {
    if (body.length > mostWholeBytes) throw refusal(413, 'maxFileSizeExceeded')
    return this.#store(place, body, query.get('@microsoft.graph.conflictBehavior') ?? 'replace')
  }

  #store(place: readonly string[], bytes: Buffer, conflict: string): WebAnswer {
    const name = checked(place.at(-1) ?? '')
    const parent = this.#parentOf(place)
    const there = this.#named(parent.id, name)
    if (there && (conflict === 'fail' || there.type === 'folder')) throw refusal(409, 'nameAlreadyExists')
    if (this.#usedBytes - (there?.type === 'file' ? there.bytes.length : 0) + bytes.length > this.quotaBytes) throw refusal(507, 'quotaLimitReached')
    const file: FileItem = { type: 'file', id: there?.id ?? this.#newId(), name: there?.name ?? name, parent: parent.id, bytes, modified: new Date() }
    return { status: there ? 200 : 201, json: this.#told(this.#add(file)) }
  }

  #begin({ body }: WebExchange, place: readonly string[]): WebAnswer {
    const conflict = (body.length === 0 ? undefined : parsed(body, object({ item: optional(conflictBehavior) })).item?.['@microsoft.graph.conflictBehavior']) ?? 'fail'
    const there = this.#named(this.#parentOf(place).id, checked(place.at(-1) ?? ''))
    if (there && (conflict === 'fail' || there.type === 'folder')) throw refusal(409, 'nameAlreadyExists')
    const key = randomBytes(12).toString('hex')
    const session: Session = { place, conflict, total: undefined, chunks: [], received: 0 }
    this.sessions.set(key, session)
    return { status: 200, json: { '@odata.context': 'x', uploadUrl: `${this.origin}/up/${key}`, ...stateOf(session) } }
  }

  /** "The fragments of the file must be uploaded sequentially in order." "The size of each byte range MUST be a multiple of 320 KiB." */
  #range({ headers, body }: WebExchange, key: string, session: Session): WebAnswer {
    const [, first, last, size] = /^bytes (\d+)-(\d+)\/(\d+)$/.exec(String(headers['content-range']))?.map(Number) ?? []
    if (first === undefined || last === undefined || size === undefined || last - first + 1 !== body.length || last >= size) throw refusal(400, 'invalidRequest')
    if ((session.total ??= size) !== size) throw refusal(400, 'invalidRequest', 'fragmentLengthMismatch')
    // "the server will respond with HTTP 416 Requested Range Not Satisfiable"
    if (first < session.received || session.received === size) throw refusal(416, 'invalidRange', 'fragmentOverlap')
    if (first > session.received) throw refusal(400, 'invalidRange', 'fragmentOutOfOrder')
    const closes = last === size - 1
    if (body.length >= mostFragmentBytes || (!closes && body.length % fragmentBytes !== 0)) throw refusal(400, 'invalidRequest')
    session.chunks.push(body)
    session.received += body.length
    if (!closes) return { status: 202, json: stateOf(session) }
    // "The upload session will be preserved until the expiration time" where this is refused.
    const answer = this.#store(session.place, Buffer.concat(session.chunks), session.conflict)
    this.sessions.delete(key)
    return answer
  }

  /** "a 302 Found response redirecting to a preauthenticated download URL": https://learn.microsoft.com/graph/api/driveitem-get-content */
  #download(place: readonly string[]): WebAnswer {
    const file = this.#there(place)
    if (file.type !== 'file') throw refusal(404, 'itemNotFound')
    const key = randomBytes(12).toString('hex')
    this.#downloads.set(key, file.id)
    return { status: 302, headers: { location: `${this.origin}/d/${key}` } }
  }

  /** With all that is in it. */
  #remove(id: string): WebAnswer {
    if (!this.items.delete(id)) throw refusal(404, 'itemNotFound')
    for (const item of [...this.items.values()]) if (item.parent === id) this.#remove(item.id)
    return { status: 204 }
  }

  #told(item: Item) {
    const common = { id: item.id, name: item.name, eTag: `"{${item.id}},1"`, parentReference: { id: item.parent } }
    if (item.type === 'folder') return { ...common, size: 0, folder: { childCount: 0 } }
    const hashes = this.lateHashes-- > 0 ? undefined : { quickXorHash: quickXor(item.bytes) }
    return { ...common, size: item.bytes.length, lastModifiedDateTime: item.modified.toISOString(), file: { mimeType: 'application/octet-stream', ...(hashes ? { hashes } : {}) } }
  }
}

const conflictBehavior = object({ '@microsoft.graph.conflictBehavior': optional(picklist(['fail', 'replace', 'rename'])), '@odata.type': optional(literal('microsoft.graph.driveItemUploadableProperties')) })

interface FolderItem {
  readonly type: 'folder'
  readonly id: string
  readonly name: string
  readonly parent: string
}

interface FileItem {
  readonly type: 'file'
  readonly id: string
  readonly name: string
  readonly parent: string
  bytes: Buffer
  readonly modified: Date
}

type Item = FolderItem | FileItem

interface Session {
  readonly place: readonly string[]
  readonly conflict: string
  total: number | undefined
  readonly chunks: Buffer[]
  received: number
}

function stateOf({ received, total }: Session) {
  const ranges = total === undefined || received < total ? [`${received}-${received === 0 || total === undefined ? '' : total - 1}`] : []
  return { expirationDateTime: new Date(Date.now() + 86_400_000).toISOString(), nextExpectedRanges: ranges }
}

/** https://support.microsoft.com/office/64883a5d-228e-48f5-b3d2-eb39e07630fa */
function checked(name: string): string {
  if (name === '' || name.length > 255 || /["*:<>?/\\|]|^\s|[\s.]$/.test(name)) throw refusal(400, 'invalidRequest', 'invalidPath')
  return name
}

/** As published, a byte at a time: https://learn.microsoft.com/onedrive/developer/code-snippets/quickxorhash */
export function quickXor(bytes: Uint8Array): string {
  const ring = Buffer.alloc(20)
  let bit = 0
  for (const byte of bytes) {
    const at = bit >> 3
    const shifted = byte << (bit & 7)
    ring[at] = (ring[at] ?? 0) ^ (shifted & 255)
    ring[(at + 1) % 20] = (ring[(at + 1) % 20] ?? 0) ^ (shifted >> 8)
    bit = (bit + 11) % 160
  }
  ring.writeBigUInt64LE(ring.readBigUInt64LE(12) ^ BigInt(bytes.length), 12)
  return ring.toString('base64')
}

function parsed<S extends GenericSchema>(body: Buffer, schema: S): InferOutput<S> {
  const result = safeParse(schema, JSON.parse(body.toString()))
  if (!result.success) throw refusal(400, 'invalidRequest')
  return result.output
}

/** https://learn.microsoft.com/onedrive/developer/rest-api/concepts/errors */
function errorAnswer(status: number, code: string, message: string, inner?: string): WebAnswer {
  const innerError = { ...(inner === undefined ? {} : { code: inner }), 'request-id': randomBytes(8).toString('hex'), date: new Date().toISOString() }
  return { status, json: { error: { code, message, innerError } } }
}

function refusal(status: number, code: string, inner?: string): Refusal {
  return new Refusal(errorAnswer(status, code, `The server says ${inner ?? code}`, inner))
}
