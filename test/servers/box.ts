import { createHash, randomBytes } from 'node:crypto'
import { setImmediate as turn } from 'node:timers/promises'
import { array, literal, minLength, minValue, nullish, number, object, optional, pipe, safeParse, string, type GenericSchema, type InferOutput } from 'valibot'
import { infoOf, miniOf, orderOf, sha1, type FileItem, type Item } from './box-items.ts'
import { formParts } from './form-parts.ts'
import { rangeOf, Refusal, WebService, type SeenRequest, type WebAnswer, type WebExchange } from './web-service.ts'

/**
 * Box as far as Holdfast uses it, in memory: its hosts (api.box.com/2.0, upload.box.com/api/2.0, dl.boxcloud.com) are paths of one server.
 * Behaviour by https://developer.box.com/reference unless another source stands beside it.
 */
export class BoxServer extends WebService {
  /** By id; 0 is "All Files". */
  readonly items = new Map<string, Item>([['0', { id: '0', type: 'folder', name: 'All Files', parent: '', trashed: false }]])
  readonly sessions = new Map<string, Session>()
  quotaBytes = Infinity
  /** Entries of a page; at most 1000 are given. */
  pageSize = 1000
  /** Dictated by Box; 8 MiB for files of our sizes. */
  partBytes = 8 * 1024 * 1024
  /** How often a commit says 202 before it is done. */
  slowCommits = 0
  /** How often a commit says that its parts do not match yet: https://github.com/rclone/rclone/issues/2054 */
  earlyCommits = 0
  /** Uploads (parts count, too) that are taken before it asks to wait; https://developer.box.com/guides/api-calls/permissions-and-errors/rate-limits: 240 a minute. */
  uploadsLeft = Infinity
  readonly #downloads = new Map<string, string>()
  /** Names that are being given, by parent and name. */
  readonly #reserved = new Set<string>()
  #lastId = 1000

  static async start(): Promise<BoxServer> {
    return new BoxServer().listen()
  }

  /** An object's file, by its path from the root. */
  fileAt(path: string): FileItem | undefined {
    let parent = '0'
    for (const [index, name] of path.split('/').entries()) {
      const found = this.#named(parent, name)
      if (!found) return undefined
      if (index === path.split('/').length - 1) return found.type === 'file' ? found : undefined
      parent = found.id
    }
    return undefined
  }

  /** Sessions end by themselves at `session_expires_at`. */
  expireSessions(): void {
    this.sessions.clear()
  }

  /** "The WWW-Authenticate header": https://developer.box.com/guides/api-calls/permissions-and-errors/common-errors#401-unauthorized; no body. */
  protected refuseToken({ url }: SeenRequest): WebAnswer | undefined {
    if (url.startsWith('/oauth2/token') || url.startsWith('/d/')) return undefined
    return { status: 401, headers: { 'www-authenticate': 'Bearer realm="Service", error="invalid_token", error_description="The access token provided is invalid."' } }
  }

  protected handle(exchange: WebExchange): WebAnswer | Promise<WebAnswer> {
    const { method, path } = exchange
    if (path === '/oauth2/token') return this.#token(exchange)
    if (path.startsWith('/d/')) return this.#deliver(exchange)
    const upload = path.startsWith('/api/2.0/')
    const route = path.replace(/^(\/api)?\/2\.0/, '')
    const id = /^\/(?:files|folders)\/(\d+)/.exec(route)?.[1] ?? ''
    const session = /^\/files\/upload_sessions\/([^/]+)/.exec(route)?.[1]
    const key = `${method} ${route.replace(/\/\d+/, '/:id').replace(/\/upload_sessions\/[^/]+/, '/upload_sessions/:session')}`
    if (!upload) {
      switch (key) {
        case 'OPTIONS /files/content': return this.#preflight(exchange)
        case 'GET /users/me': return { status: 200, json: { type: 'user', id: '1', space_amount: Number.isFinite(this.quotaBytes) ? this.quotaBytes : 999_999_999_999_999, space_used: this.#usedBytes } }
        case 'GET /folders/:id/items': return this.#list(exchange, id)
        case 'POST /folders': return this.#createFolder(exchange)
        case 'GET /files/:id': return { status: 200, json: infoOf(this.#file(id)) }
        case 'GET /files/:id/content': return this.#download(exchange, id)
        case 'DELETE /files/:id': return this.#remove(id)
        default: throw refusal(405, 'method_not_allowed')
      }
    }
    switch (key) {
      case 'POST /files/content': return this.#counted(() => this.#uploadNew(exchange))
      case 'POST /files/:id/content': return this.#counted(() => this.#uploadVersion(exchange, id))
      case 'POST /files/upload_sessions': return this.#beginNew(exchange)
      case 'POST /files/:id/upload_sessions': return this.#beginVersion(exchange, id)
      case 'PUT /files/upload_sessions/:session': return this.#counted(() => this.#part(exchange, this.#session(session)))
      case 'GET /files/upload_sessions/:session/parts': return partsPage(exchange, this.#session(session))
      case 'POST /files/upload_sessions/:session/commit': return this.#commit(exchange, this.#session(session))
      case 'DELETE /files/upload_sessions/:session':
        this.sessions.delete(this.#session(session).id)
        return { status: 204 }
      default: throw refusal(405, 'method_not_allowed')
    }
  }

  /** "expires_in", a new refresh token each time; other grants are the accounts helper's matter. */
  #token({ body }: WebExchange): WebAnswer {
    if (new URLSearchParams(body.toString()).get('grant_type') !== 'refresh_token') return { status: 400, json: { error: 'invalid_grant', error_description: 'Refresh token has expired' } }
    const access_token = `token-${this.tokens.size + 1}`
    this.tokens.add(access_token)
    return { status: 200, json: { access_token, expires_in: 3600, restricted_to: [], refresh_token: randomBytes(16).toString('hex'), token_type: 'bearer' } }
  }

  #counted(work: () => WebAnswer | Promise<WebAnswer>): WebAnswer | Promise<WebAnswer> {
    if (this.uploadsLeft-- > 0) return work()
    throw new Refusal({ status: 429, json: { type: 'error', status: 429, code: 'rate_limit_exceeded', message: 'Request rate limit exceeded, please try again later' }, headers: { 'retry-after': '1' } })
  }

  /** https://developer.box.com/guides/uploads/check: 200, or what an upload would be refused with. */
  #preflight(exchange: WebExchange): WebAnswer {
    const { name, parent } = json(exchange, attributes)
    this.#refuseName(parent?.id ?? '', name)
    return { status: 200, json: { upload_url: `${this.origin}/api/2.0/files/content`, upload_token: null } }
  }

  #refuseName(parent: string, name: string): void {
    // "item_name_invalid": https://developer.box.com/guides/api-calls/permissions-and-errors/common-errors#400-bad-request
    if (name === '' || name.length > 255 || /[/\\]|\s$/.test(name) || name === '.' || name === '..') throw refusal(400, 'item_name_invalid')
    if (this.#folder(parent) && this.#reserved.has(`${parent}/${name.toLowerCase()}`)) throw refusal(409, 'name_temporarily_reserved')
    const there = this.#named(parent, name)
    if (there) throw refusal(409, 'item_name_in_use', { conflicts: miniOf(there) })
  }

  #named(parent: string, name: string): Item | undefined {
    // Names are compared without regard to case.
    return [...this.items.values()].find((item) => item.parent === parent && !item.trashed && item.name.toLowerCase() === name.toLowerCase())
  }

  #folder(id: string): Item {
    const found = this.items.get(id)
    if (found?.type !== 'folder' || found.trashed) throw refusal(404, 'not_found')
    return found
  }

  #file(id: string): FileItem {
    const found = this.items.get(id)
    if (found?.type !== 'file') throw refusal(404, 'not_found')
    if (found.trashed) throw refusal(404, 'trashed')
    return found
  }

  #createFolder(exchange: WebExchange): WebAnswer {
    const { name, parent } = json(exchange, attributes)
    try {
      this.#refuseName(parent?.id ?? '', name)
    } catch (error) {
      // Of a folder the conflicts are a list: https://developer.box.com/reference/post-folders (409)
      const there = this.#named(parent?.id ?? '', name)
      throw there ? refusal(409, 'item_name_in_use', { conflicts: [miniOf(there)] }) : error
    }
    const made: Item = { id: this.#newId(), type: 'folder', name, parent: parent?.id ?? '', trashed: false }
    this.items.set(made.id, made)
    return { status: 201, json: miniOf(made) }
  }

  #list({ query }: WebExchange, id: string): WebAnswer {
    this.#folder(id)
    const limit = Number(query.get('limit') ?? 100)
    if (query.get('usemarker') !== 'true' || !(limit >= 1 && limit <= 1000)) throw refusal(400, 'bad_request')
    const marker = query.get('marker')
    const at = marker === null ? 0 : Number(/^m(\d+)$/.exec(Buffer.from(marker, 'base64url').toString())?.[1] ?? NaN)
    if (!(at >= 0)) throw refusal(400, 'invalid_parameter')
    // In an order of its own: folders first, then by id. A marker names the last one, so that removals move nothing.
    const all = [...this.items.values()].filter(({ parent, trashed }) => parent === id && !trashed)
    const left = all.sort((a, b) => orderOf(a) - orderOf(b)).filter((item) => orderOf(item) > at)
    const page = left.slice(0, Math.min(limit, this.pageSize))
    const last = page.at(-1)
    const next_marker = left.length > page.length && last ? Buffer.from(`m${orderOf(last)}`).toString('base64url') : ''
    return { status: 200, json: { entries: page.map((item) => (item.type === 'file' ? infoOf(item) : miniOf(item))), limit, next_marker } }
  }

  async #uploadNew(exchange: WebExchange): Promise<WebAnswer> {
    const { name, parent, bytes } = formOf(exchange)
    const folder = parent?.id ?? ''
    this.#checkUpload(exchange, bytes)
    return this.#giveName(folder, name, async () => {
      const made = this.#makeFile(folder, name, bytes)
      return { status: 201, json: { total_count: 1, entries: [infoOf(made)] } }
    })
  }

  #uploadVersion(exchange: WebExchange, id: string): WebAnswer {
    const { bytes } = formOf(exchange)
    const file = this.#file(id)
    this.#checkUpload(exchange, bytes)
    return { status: 201, json: { total_count: 1, entries: [infoOf(this.#newVersion(file, bytes))] } }
  }

  /** While a name is being given, others hear that it is reserved [K]. */
  async #giveName(parent: string, name: string, work: () => Promise<WebAnswer>): Promise<WebAnswer> {
    this.#folder(parent)
    this.#refuseName(parent, name)
    const key = `${parent}/${name.toLowerCase()}`
    this.#reserved.add(key)
    try {
      await turn()
      return await work()
    } finally {
      this.#reserved.delete(key)
    }
  }

  #checkUpload({ headers }: WebExchange, bytes: Buffer): void {
    // "Uploads of up to 50MB"; content-md5 holds a SHA-1.
    if (bytes.length > 50 * 1000 * 1000) throw refusal(413, 'request_entity_too_large')
    const told = headers['content-md5']
    if (told !== undefined && told !== sha1(bytes)) throw refusal(412, 'bad_digest')
    this.#checkQuota(bytes.length)
  }

  get #usedBytes(): number {
    return [...this.items.values()].reduce((sum, item) => sum + (item.type === 'file' ? item.bytes.length : 0), 0)
  }

  #checkQuota(more: number): void {
    if (this.#usedBytes + more > this.quotaBytes) throw refusal(403, 'storage_limit_exceeded')
  }

  #makeFile(parent: string, name: string, bytes: Buffer): FileItem {
    const made: FileItem = { id: this.#newId(), type: 'file', name, parent, trashed: false, bytes, modified: new Date() }
    this.items.set(made.id, made)
    return made
  }

  #newVersion(file: FileItem, bytes: Buffer): FileItem {
    Object.assign(file, { bytes, modified: new Date() })
    return file
  }

  #newId(): string {
    return String(++this.#lastId)
  }

  #beginNew(exchange: WebExchange): WebAnswer {
    const { folder_id, file_name, file_size } = json(exchange, object({ folder_id: string(), file_name: string(), file_size: number() }))
    this.#folder(folder_id)
    this.#refuseName(folder_id, file_name)
    return this.#begin({ type: 'new', parent: folder_id, name: file_name }, file_size)
  }

  #beginVersion(exchange: WebExchange, id: string): WebAnswer {
    this.#file(id)
    return this.#begin({ type: 'version', id }, json(exchange, object({ file_size: number(), file_name: optional(string()) })).file_size)
  }

  #begin(place: Session['place'], size: number): WebAnswer {
    if (size < 20_000_000) throw refusal(400, 'file_size_too_small')
    this.#checkQuota(size)
    const id = randomBytes(16).toString('hex').toUpperCase()
    this.sessions.set(id, { id, place, size, partBytes: this.partBytes, parts: new Map() })
    const url = `${this.origin}/api/2.0/files/upload_sessions/${id}`
    return {
      status: 201,
      json: {
        id, type: 'upload_session', session_expires_at: new Date(Date.now() + 7 * 86_400_000).toISOString(), part_size: this.partBytes, num_parts_processed: 0,
        total_parts: Math.ceil(size / this.partBytes), session_endpoints: { upload_part: url, commit: `${url}/commit`, abort: url, list_parts: `${url}/parts`, status: url },
      },
    }
  }

  #session(id: string | undefined): Session {
    const session = this.sessions.get(id ?? '')
    if (!session) throw refusal(404, 'not_found')
    return session
  }

  /** https://developer.box.com/reference/put-files-upload-sessions-id: begins and ends at multiples, overlaps nothing, and is what its digest says. */
  #part({ headers, body }: WebExchange, session: Session): WebAnswer {
    const range = /^bytes (\d+)-(\d+)\/(\d+)$/.exec(headers['content-range'] ?? '')
    const offset = Number(range?.[1] ?? NaN)
    const end = Number(range?.[2] ?? NaN) + 1
    const fits = offset % session.partBytes === 0 && (end === session.size || end === offset + session.partBytes) && end - offset <= session.partBytes
    if (!range || Number(range[3]) !== session.size || !fits || end - offset !== body.length) throw refusal(400, 'invalid_content_range')
    if (headers['content-type'] !== 'application/octet-stream') throw refusal(415, 'unsupported_media_type')
    if (headers['digest'] !== `sha=${createHash('sha1').update(body).digest('base64')}`) throw refusal(400, 'bad_digest')
    if (session.parts.has(offset)) throw refusal(409, 'range_overlaps_existing_range')
    session.parts.set(offset, { part_id: randomBytes(4).toString('hex').toUpperCase(), bytes: body })
    return { status: 200, json: { part: partOf(session, offset) } }
  }

  /** https://developer.box.com/reference/post-files-upload-sessions-id-commit: every part in its order, and the digest of the whole file. */
  async #commit(exchange: WebExchange, session: Session): Promise<WebAnswer> {
    const { parts } = json(exchange, object({ parts: pipe(array(object({ part_id: string(), offset: number(), size: number(), sha1: optional(string()) })), minLength(1)) }))
    const offsets = [...session.parts.keys()].sort((a, b) => a - b)
    const whole = Buffer.concat(offsets.map((offset) => session.parts.get(offset)?.bytes ?? Buffer.alloc(0)))
    const match = parts.length === offsets.length && parts.every(({ part_id, offset }, index) => offset === offsets[index] && part_id === session.parts.get(offset)?.part_id)
    if (!match || whole.length !== session.size || this.earlyCommits-- > 0) throw refusal(400, 'parts_mismatch')
    if (exchange.headers['digest'] !== `sha=${createHash('sha1').update(whole).digest('base64')}`) throw refusal(412, 'bad_digest')
    if (this.slowCommits-- > 0) return { status: 202, headers: { 'retry-after': '3' } }
    this.#checkQuota(whole.length)
    const { place } = session
    const store = async (): Promise<WebAnswer> => {
      const file = place.type === 'new' ? this.#makeFile(place.parent, place.name, whole) : this.#newVersion(this.#file(place.id), whole)
      this.sessions.delete(session.id)
      return { status: 201, json: { total_count: 1, entries: [infoOf(file)] } }
    }
    return place.type === 'new' ? this.#giveName(place.parent, place.name, store) : store()
  }

  /** https://developer.box.com/guides/downloads/file: the bytes lie elsewhere, at an address that is its own key. */
  #download({ headers }: WebExchange, id: string): WebAnswer {
    this.#file(id)
    const key = randomBytes(16).toString('hex')
    this.#downloads.set(key, id)
    return { status: 302, headers: { location: `http://${headers.host}/d/1/${key}/download` } }
  }

  #deliver({ path, headers }: WebExchange): WebAnswer {
    // A token has no business there.
    if (headers.authorization !== undefined) throw refusal(400, 'bad_request')
    const file = this.items.get(this.#downloads.get(path.split('/')[3] ?? '') ?? '')
    if (file?.type !== 'file') return { status: 404 }
    const answer = rangeOf(file.bytes, headers.range)
    return { ...answer, headers: { ...answer.headers, 'content-type': 'application/octet-stream' } }
  }

  #remove(id: string): WebAnswer {
    Object.assign(this.#file(id), { trashed: true, bytes: Buffer.alloc(0) })
    return { status: 204 }
  }
}

interface Session {
  readonly id: string
  readonly place: { readonly type: 'new'; readonly parent: string; readonly name: string } | { readonly type: 'version'; readonly id: string }
  readonly size: number
  readonly partBytes: number
  readonly parts: Map<number, { readonly part_id: string; readonly bytes: Buffer }>
}

const attributes = object({ name: string(), parent: optional(object({ id: string() })), size: optional(nullish(pipe(number(), minValue(0)))), type: optional(literal('file')) })

function json<S extends GenericSchema>({ headers, body }: WebExchange, schema: S): InferOutput<S> {
  if (headers['content-type'] !== 'application/json') throw refusal(415, 'unsupported_media_type')
  return parsed(body.toString(), schema)
}

function parsed<S extends GenericSchema>(text: string, schema: S): InferOutput<S> {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    throw refusal(400, 'bad_request')
  }
  const result = safeParse(schema, value)
  if (!result.success) throw refusal(400, 'bad_request')
  return result.output
}

/** multipart/form-data, its attributes before its file: https://developer.box.com/reference/post-files-content */
function formOf({ headers, body }: WebExchange): InferOutput<typeof attributes> & { readonly bytes: Buffer } {
  const parts = formParts(headers['content-type'], body)
  if (!parts) throw refusal(415, 'unsupported_media_type')
  const [first, second] = parts
  if (!first?.head.includes('name="attributes"')) throw refusal(400, 'metadata_after_file_contents')
  if (!second?.head.includes('name="file"') || parts.length !== 2) throw refusal(400, 'bad_request')
  return { ...parsed(first.bytes.toString(), attributes), bytes: second.bytes }
}

function partsPage({ query }: WebExchange, session: Session): WebAnswer {
  const offset = Number(query.get('offset') ?? 0)
  const limit = Number(query.get('limit') ?? 100)
  const all = [...session.parts.keys()].sort((a, b) => a - b).map((one) => partOf(session, one))
  return { status: 200, json: { entries: all.slice(offset, offset + limit), offset, limit, total_count: all.length } }
}

function partOf(session: Session, offset: number) {
  const { part_id, bytes } = session.parts.get(offset) ?? { part_id: '', bytes: Buffer.alloc(0) }
  return { part_id, offset, size: bytes.length, sha1: sha1(bytes) }
}

function refusal(status: number, code: string, context_info?: unknown): Refusal {
  return new Refusal({ status, json: { type: 'error', status, code, message: `The server says ${code}`, request_id: randomBytes(8).toString('hex'), ...(context_info === undefined ? {} : { context_info }) } })
}
