import { createHash, randomBytes } from 'node:crypto'
import { setTimeout as wait } from 'node:timers/promises'
import { array, boolean, literal, nullish, number, object, optional, picklist, safeParse, strictObject, string, union, type GenericSchema, type InferOutput } from 'valibot'
import { rangeOf, Refusal, WebService, type SeenRequest, type WebAnswer, type WebExchange } from './web-service.ts'

/**
 * Dropbox as far as Holdfast uses it, in memory. Behaviour by https://www.dropbox.com/developers/documentation/http/documentation unless
 * another source stands beside it.
 */
export class DropboxServer extends WebService {
  /** By lower-case path: names are compared without regard to case. */
  readonly files = new Map<string, StoredFile>()
  readonly sessions = new Map<string, Session>()
  /** Bytes that all files may have together. */
  quotaBytes = Infinity
  /** "team": the room is everybody's there; `ownBytes` is this member's part, where there is one. */
  team: { readonly usedByOthers: number; readonly ownBytes?: number } | undefined
  /** Entries of a page; `limit` is "approximate" there, and pages may be smaller than asked for. */
  pageSize = 500
  /** Refuses changes that come while another is being made, as a busy namespace does; each takes that many ms. */
  lockMs: number | undefined
  /** Tokens that were good. */
  readonly expired = new Set<string>()
  #locked = false
  #cursors = new Map<string, readonly Entry[]>()
  #number = 0

  static async start(): Promise<DropboxServer> {
    return new DropboxServer().listen()
  }

  /** "Cursors may be invalidated": /files/list_folder/continue → reset. */
  invalidateCursors(): void {
    this.#cursors.clear()
  }

  /** https://www.dropbox.com/developers/documentation/http/documentation#authorization, and "Errors by status code" for 400. */
  protected refuseToken({ url }: SeenRequest, token: string | undefined): WebAnswer | undefined {
    if (url.startsWith('/oauth2/token')) return undefined
    if (token === undefined) return badRequest('Error in call to API function: Must provide HTTP header "Authorization".').answer
    const tag = this.expired.has(token) ? 'expired_access_token' : 'invalid_access_token'
    return { status: 401, json: { error_summary: `${tag}/...`, error: { '.tag': tag } } }
  }

  protected async handle(exchange: WebExchange): Promise<WebAnswer> {
    if (exchange.method !== 'POST') return { status: 405, bytes: Buffer.from('Method not allowed') }
    const route = exchange.path.replace(/^\/2\//, '')
    switch (route) {
      case '/oauth2/token': return this.#token(exchange)
      case 'files/upload': return this.#changing(() => this.#upload(exchange))
      case 'files/upload_session/start': return this.#start(exchange)
      case 'files/upload_session/append_v2': return this.#append(exchange)
      case 'files/upload_session/finish': return this.#changing(() => this.#finish(exchange))
      case 'files/upload_session/finish_batch_v2': return this.#changing(() => this.#finishBatch(exchange))
      case 'files/download': return this.#download(exchange)
      case 'files/list_folder': return this.#list(exchange)
      case 'files/list_folder/continue': return this.#listMore(exchange)
      case 'users/get_space_usage': return this.#spaceUsage(exchange)
      case 'files/get_metadata': return this.#metadata(exchange)
      case 'files/delete_v2': return this.#changing(() => this.#remove(exchange))
      default: throw badRequest(`Unknown API function: "${route}"`)
    }
  }

  /** "token_type", "expires_in": 14400; other grants are the accounts helper's matter. */
  #token({ query, body }: WebExchange): WebAnswer {
    const given = new URLSearchParams(body.toString())
    if ((query.get('refresh_token') ?? given.get('refresh_token')) === null) return { status: 400, json: { error: 'invalid_grant', error_description: 'refresh token is invalid or revoked' } }
    const access_token = `token-${this.tokens.size + this.expired.size + 1}`
    this.tokens.add(access_token)
    return { status: 200, json: { access_token, token_type: 'bearer', expires_in: 14_400 } }
  }

  /** The namespace lock: https://www.dropbox.com/developers/reference/data-ingress-guide#namespace-locks-and-preventing-lock-contention */
  async #changing(work: () => WebAnswer): Promise<WebAnswer> {
    if (this.lockMs === undefined) return work()
    if (this.#locked) return { status: 429, json: { error_summary: 'too_many_write_operations/', error: { reason: { '.tag': 'too_many_write_operations' }, retry_after: 1 } }, headers: { 'retry-after': '1' } }
    this.#locked = true
    try {
      await wait(this.lockMs)
      return work()
    } finally {
      this.#locked = false
    }
  }

  #upload(exchange: WebExchange): WebAnswer {
    const { content_hash, ...info } = contentArg(exchange, strictObject({ ...commitInfo.entries, content_hash: optional(string()) }))
    checkHash(exchange.body, content_hash)
    const failure = this.#failureOf(info, exchange.body.length)
    // Here what is inside is called `reason`, and a session is begun for the bytes: type UploadWriteFailed.
    if (failure) throw conflict({ '.tag': 'path', reason: failure, upload_session_id: `pid_upload_session:${randomBytes(8).toString('hex')}` })
    return { status: 200, json: metadataOf(this.#store(info.path, exchange.body)) }
  }

  #start(exchange: WebExchange): WebAnswer {
    const { content_hash, close = false } = contentArg(exchange, strictObject({ close: optional(boolean()), session_type: optional(object({ '.tag': literal('sequential') })), content_hash: optional(string()) }))
    checkHash(exchange.body, content_hash)
    const session_id = `pid_upload_session:${randomBytes(16).toString('hex')}`
    this.sessions.set(session_id, { parts: [exchange.body], size: exchange.body.length, closed: close })
    return { status: 200, json: { session_id } }
  }

  #append(exchange: WebExchange): WebAnswer {
    const { cursor, close = false, content_hash } = contentArg(exchange, strictObject({ cursor: cursorArg, close: optional(boolean()), content_hash: optional(string()) }))
    const session = this.sessions.get(cursor.session_id)
    if (!session) throw conflict({ '.tag': 'not_found' })
    if (session.closed) throw conflict({ '.tag': 'closed' })
    if (session.size !== cursor.offset) throw conflict({ '.tag': 'incorrect_offset', correct_offset: session.size })
    checkHash(exchange.body, content_hash)
    session.parts.push(exchange.body)
    session.size += exchange.body.length
    session.closed = close
    return { status: 200, json: null }
  }

  #finish(exchange: WebExchange): WebAnswer {
    const { cursor, commit } = contentArg(exchange, strictObject({ ...finishArg.entries, content_hash: optional(string()) }))
    const result = this.#commit(cursor, commit, exchange.body)
    if ('failure' in result) throw conflict(result.failure)
    return { status: 200, json: metadataOf(result) }
  }

  /** Sessions have to be closed; each entry succeeds or fails for itself, in the order of the request. */
  #finishBatch(exchange: WebExchange): WebAnswer {
    const { entries } = rpcArg(exchange, strictObject({ entries: array(finishArg) }))
    if (entries.length === 0 || entries.length > 1000) throw badRequest('entries: expected 1 to 1000 items')
    const results = entries.map(({ cursor, commit }) => {
      const session = this.sessions.get(cursor.session_id)
      const open = session && !session.closed ? { failure: { '.tag': 'lookup_failed', lookup_failed: { '.tag': 'not_closed' } } } : undefined
      return open ?? this.#commit(cursor, commit, Buffer.alloc(0))
    })
    return { status: 200, json: { entries: results.map((result) => ('failure' in result ? { '.tag': 'failure', failure: result.failure } : { '.tag': 'success', ...metadataOf(result) })) } }
  }

  /** https://www.dropbox.com/developers/documentation/http/documentation#users-get_space_usage: no argument, and a body of `null`. */
  #spaceUsage({ body }: WebExchange): WebAnswer {
    if (!['', 'null'].includes(body.toString())) throw badRequest('Error in call to API function "users/get_space_usage": request body: could not decode input as JSON')
    const used = this.#usedBytes
    const allocated = Number.isFinite(this.quotaBytes) ? this.quotaBytes : 2 ** 50
    if (!this.team) return { status: 200, json: { used, allocation: { '.tag': 'individual', allocated } } }
    const { usedByOthers, ownBytes } = this.team
    const allocation = {
      '.tag': 'team', used: used + usedByOthers, allocated, user_within_team_space_allocated: ownBytes ?? 0,
      user_within_team_space_limit_type: { '.tag': ownBytes === undefined ? 'off' : 'stop_sync' }, user_within_team_space_used_cached: used,
    }
    return { status: 200, json: { used, allocation } }
  }

  get #usedBytes(): number {
    return [...this.files.values()].reduce((sum, { bytes }) => sum + bytes.length, 0)
  }

  #commit(cursor: InferOutput<typeof cursorArg>, commit: CommitInfo, more: Buffer): StoredFile | { readonly failure: unknown } {
    const session = this.sessions.get(cursor.session_id)
    if (!session) return { failure: { '.tag': 'lookup_failed', lookup_failed: { '.tag': 'not_found' } } }
    if (session.size !== cursor.offset) return { failure: { '.tag': 'lookup_failed', lookup_failed: { '.tag': 'incorrect_offset', correct_offset: session.size } } }
    const bytes = Buffer.concat([...session.parts, more])
    const failure = this.#failureOf(commit, bytes.length)
    if (failure) return { failure: { '.tag': 'path', path: failure } }
    // "An upload session can be finished once."
    this.sessions.delete(cursor.session_id)
    return this.#store(commit.path, bytes)
  }

  #failureOf({ path, mode, autorename = false, strict_conflict = false }: CommitInfo, size: number): unknown {
    if (!/^\/[^/]/.test(path)) return { '.tag': 'malformed_path', malformed_path: null }
    const lower = path.toLowerCase()
    const there = this.files.get(lower)
    if (autorename) throw badRequest('autorename: this stand-in renames nothing')
    if ([...this.files.keys()].some((one) => one.startsWith(`${lower}/`))) return { '.tag': 'conflict', conflict: { '.tag': 'folder' } }
    const segments = lower.split('/')
    if (segments.some((_, depth) => depth > 1 && this.files.has(segments.slice(0, depth).join('/')))) return { '.tag': 'conflict', conflict: { '.tag': 'file_ancestor' } }
    const kind = typeof mode === 'string' ? mode : (mode?.['.tag'] ?? 'add')
    // Type CommitInfo, strict_conflict: without it, the same bytes under the same name are no conflict.
    const same = there && !strict_conflict
    if (kind === 'add' && there && !same) return { '.tag': 'conflict', conflict: { '.tag': 'file' } }
    return this.#usedBytes - (there?.bytes.length ?? 0) + size > this.quotaBytes ? { '.tag': 'insufficient_space' } : undefined
  }

  #store(path: string, bytes: Buffer): StoredFile {
    const kept = { path, bytes, id: `id:${++this.#number}`, rev: `${String(this.#number).padStart(9, '0')}abcdef`, modified: new Date() }
    this.files.set(path.toLowerCase(), kept)
    return kept
  }

  #download(exchange: WebExchange): WebAnswer {
    const { path } = contentArg(exchange, strictObject({ path: string() }))
    const file = this.#fileAt(path, 'path')
    const answer = rangeOf(file.bytes, exchange.headers.range)
    return { ...answer, headers: { ...answer.headers, 'content-type': 'application/octet-stream', 'dropbox-api-result': JSON.stringify(metadataOf(file)) } }
  }

  #fileAt(path: string, tag: string): StoredFile {
    const file = this.files.get(path.toLowerCase())
    if (file) return file
    throw conflict({ '.tag': tag, [tag]: { '.tag': this.#isFolder(path) ? 'not_file' : 'not_found' } })
  }

  #isFolder(path: string): boolean {
    return [...this.files.keys()].some((one) => one.startsWith(`${path.toLowerCase()}/`))
  }

  #metadata(exchange: WebExchange): WebAnswer {
    const { path } = rpcArg(exchange, strictObject({ path: string() }))
    if (!this.files.has(path.toLowerCase()) && this.#isFolder(path)) return { status: 200, json: folderOf(path.toLowerCase()) }
    return { status: 200, json: { '.tag': 'file', ...metadataOf(this.#fileAt(path, 'path')) } }
  }

  /** A path alone takes a folder with all that is in it; with `parent_rev` only that very file. */
  #remove(exchange: WebExchange): WebAnswer {
    const { path, parent_rev } = rpcArg(exchange, strictObject({ path: string(), parent_rev: optional(string()) }))
    const lower = path.toLowerCase()
    if (!this.files.has(lower) && this.#isFolder(path)) {
      if (parent_rev !== undefined) throw badRequest('parent_rev: does not support deleting a folder')
      for (const one of this.files.keys()) if (one.startsWith(`${lower}/`)) this.files.delete(one)
      return { status: 200, json: { metadata: folderOf(lower) } }
    }
    const file = this.files.get(lower)
    if (!file) throw conflict({ '.tag': 'path_lookup', path_lookup: { '.tag': 'not_found' } })
    if (parent_rev !== undefined && parent_rev !== file.rev) throw conflict({ '.tag': 'path_write', path_write: { '.tag': 'conflict', conflict: { '.tag': 'file' } } })
    this.files.delete(lower)
    return { status: 200, json: { metadata: { '.tag': 'file', ...metadataOf(file) } } }
  }

  #list(exchange: WebExchange): WebAnswer {
    const { path, recursive = false, limit = this.pageSize } = rpcArg(exchange, strictObject({ path: string(), recursive: optional(boolean()), limit: optional(number()), include_non_downloadable_files: optional(boolean()) }))
    // "Specify the root folder as an empty string rather than as "/"."
    if (path === '/' || limit < 1 || limit > 2000) throw badRequest(`path: Specify the root folder as an empty string rather than as "/"; limit: 1 to 2000`)
    const lower = path.toLowerCase()
    if (lower !== '' && !this.#isFolder(path)) throw conflict({ '.tag': 'path', path: { '.tag': this.files.has(lower) ? 'not_folder' : 'not_found' } })
    const entries: Entry[] = lower === '' || !recursive ? [] : [folderOf(lower)]
    const folders = new Set<string>()
    for (const [one, file] of this.files) {
      if (!one.startsWith(`${lower}/`)) continue
      const inside = one.slice(lower.length + 1).split('/')
      for (let depth = 1; depth < (recursive ? inside.length : Math.min(2, inside.length)); depth++) folders.add(`${lower}/${inside.slice(0, depth).join('/')}`)
      if (recursive || inside.length === 1) entries.push({ '.tag': 'file', ...metadataOf(file) })
    }
    // In no order that anybody promises.
    entries.push(...[...folders].map(folderOf))
    entries.sort((a, b) => (hashText(a.path_lower) < hashText(b.path_lower) ? -1 : 1))
    return this.#page(entries, Math.min(limit, this.pageSize))
  }

  #listMore(exchange: WebExchange): WebAnswer {
    const { cursor } = rpcArg(exchange, strictObject({ cursor: string() }))
    const left = this.#cursors.get(cursor)
    if (!left) throw conflict({ '.tag': 'reset' })
    return this.#page(left, this.pageSize)
  }

  #page(entries: readonly Entry[], size: number): WebAnswer {
    const cursor = `AAAA${randomBytes(24).toString('base64url')}`
    this.#cursors.set(cursor, entries.slice(size))
    return { status: 200, json: { entries: entries.slice(0, size), cursor, has_more: entries.length > size } }
  }
}

interface StoredFile {
  readonly path: string
  readonly bytes: Buffer
  readonly id: string
  readonly rev: string
  readonly modified: Date
}

interface Session {
  readonly parts: Buffer[]
  size: number
  closed: boolean
}

type Entry = { readonly '.tag': string; readonly path_lower: string }

const mode = union([picklist(['add', 'overwrite']), object({ '.tag': picklist(['add', 'overwrite']) })])
const commitInfo = strictObject({ path: string(), mode: optional(mode), autorename: optional(boolean()), mute: optional(boolean()), strict_conflict: optional(boolean()), client_modified: nullish(string()) })
const cursorArg = strictObject({ session_id: string(), offset: number() })
const finishArg = strictObject({ cursor: cursorArg, commit: commitInfo })
type CommitInfo = InferOutput<typeof commitInfo>

/** "For Content-upload and Content-download endpoints": the argument is JSON in a header of ASCII, the body is octets of at most 150 MiB. */
function contentArg<S extends GenericSchema>({ headers, body, path }: WebExchange, schema: S): InferOutput<S> {
  const arg = headers['dropbox-api-arg']
  if (typeof arg !== 'string') throw badRequest('Must provide HTTP header "Dropbox-API-Arg".')
  if (path !== '/2/files/download' && headers['content-type'] !== 'application/octet-stream') throw badRequest('Bad HTTP "Content-Type" header: expecting one of "application/octet-stream".')
  if (body.length > 150 * 1024 * 1024) throw conflict({ '.tag': 'payload_too_large' })
  return parsed(arg, schema)
}

/** "For RPC endpoints": JSON in the body. */
function rpcArg<S extends GenericSchema>({ headers, body }: WebExchange, schema: S): InferOutput<S> {
  if (headers['content-type'] !== 'application/json') throw badRequest('Bad HTTP "Content-Type" header: expecting one of "application/json".')
  return parsed(body.toString(), schema)
}

function parsed<S extends GenericSchema>(text: string, schema: S): InferOutput<S> {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    throw badRequest('could not decode input as JSON')
  }
  const result = safeParse(schema, value)
  if (!result.success) throw badRequest(`request body: ${result.issues[0].message}`)
  return result.output
}

/** "400 Bad input parameter. The response body is a plaintext message with more information." */
function badRequest(words: string): Refusal {
  return new Refusal({ status: 400, bytes: Buffer.from(words), headers: { 'content-type': 'text/plain; charset=utf-8' } })
}

/** "409 Endpoint-specific error." */
function conflict(error: unknown): Refusal {
  return new Refusal({ status: 409, json: { error_summary: `${summaryOf(error)}/..`, error } })
}

function summaryOf(error: unknown): string {
  if (typeof error !== 'object' || error === null) return ''
  const union = error as Record<string, unknown>
  const tag = String(union['.tag'])
  const inner = summaryOf(union[tag] ?? union['reason'])
  return inner === '' ? tag : `${tag}/${inner}`
}

function checkHash(bytes: Buffer, told: string | undefined): void {
  if (told !== undefined && told !== hashOf(bytes)) throw conflict({ '.tag': 'content_hash_mismatch' })
}

/** https://www.dropbox.com/developers/reference/content-hash */
export function hashOf(bytes: Buffer): string {
  const whole = createHash('sha256')
  for (let at = 0; at < bytes.length; at += 4 * 1024 * 1024) whole.update(createHash('sha256').update(bytes.subarray(at, at + 4 * 1024 * 1024)).digest())
  return whole.digest('hex')
}

function metadataOf({ path, bytes, id, rev, modified }: StoredFile) {
  const time = `${modified.toISOString().slice(0, 19)}Z`
  return {
    name: path.slice(path.lastIndexOf('/') + 1), path_lower: path.toLowerCase(), path_display: path, id, rev, size: bytes.length,
    client_modified: time, server_modified: time, is_downloadable: true, content_hash: hashOf(bytes),
  }
}

function folderOf(path: string): Entry & { readonly name: string } {
  return { '.tag': 'folder', name: path.slice(path.lastIndexOf('/') + 1), path_lower: path }
}

function hashText(text: string): string {
  return createHash('md5').update(text).digest('hex')
}
