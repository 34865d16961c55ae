import { createHash, randomBytes } from 'node:crypto'
import { GoogleSessions } from './google-sessions.ts'
import { GoogleService, picked, ranged, Refusal, relatedParts, type Answer, type Exchange } from './google.ts'

const folderType = 'application/vnd.google-apps.folder'
const rootId = '0AHstandInRoot'
const mostInPage = 1000

export interface StoredFile {
  readonly id: string
  name: string
  readonly parents: readonly string[]
  readonly mimeType: string
  content: Buffer | undefined
  readonly createdMs: number
  modifiedMs: number
  trashed: boolean
}

/**
 * A stand-in for Google Drive v3, as one app sees it (scope drive.file): https://developers.google.com/workspace/drive/api/reference/rest/v3.
 * Names may be there many times; a query by name shows what was there at the last `index()`, one by parent what is there now; ids come from
 * generateIds and are used once; lists are in no order.
 */
export class DriveServer extends GoogleService {
  readonly files = new Map<string, StoredFile>()
  readonly sessions = new GoogleSessions(404)
  /** The service's clock, of which files get their times. */
  now: () => number = Date.now
  pageSize = mostInPage
  /** Of the account; infinite ones are told of no limit, and nothing is refused here. */
  quotaBytes = Infinity
  /** Mail and photographs, which count too. */
  otherBytes = 0
  /** What is told of a file, changed on the way: checksums that differ, fields that lack. */
  tell: (resource: Record<string, unknown>) => Record<string, unknown> = (resource) => resource
  /** Told of each folder that a client makes. */
  onFolder: (folder: StoredFile) => void = () => undefined
  readonly #issued = new Set<string>()
  readonly #used = new Set<string>()
  readonly #pages = new Map<string, { readonly query: string; readonly ids: readonly string[] }>()
  #indexed: ReadonlyMap<string, string> = new Map()

  static start(): Promise<DriveServer> {
    return new DriveServer().listen()
  }

  /** From now on queries by name know of all that is there. */
  index(): void {
    this.#indexed = new Map([...this.files.values()].map(({ id, name }) => [id, name]))
  }

  /** A file or folder made by another client, in My Drive unless said otherwise. */
  add(name: string, content: Buffer | undefined, parent = rootId, createdMs = this.now()): StoredFile {
    const file = {
      id: newId(), name, parents: [parent], mimeType: content ? 'application/octet-stream' : folderType, content, createdMs, modifiedMs: createdMs, trashed: false,
    }
    this.files.set(file.id, file)
    return file
  }

  named(name: string): StoredFile[] {
    return [...this.files.values()].filter((file) => file.name === name)
  }

  protected async handle(exchange: Exchange): Promise<Answer> {
    const { pathname } = exchange.url
    const upload = /^\/upload\/drive\/v3\/files(?:\/([^/]+))?$/.exec(pathname)
    if (upload) return exchange.query('upload_id') === undefined ? this.#upload(exchange, upload[1]) : this.sessions.serve(exchange)
    if (pathname === '/drive/v3/files/generateIds' && exchange.method === 'GET') return this.#generateIds(exchange)
    if (pathname === '/drive/v3/files') {
      if (exchange.method === 'GET') return this.#list(exchange)
      if (exchange.method === 'POST') return this.#shown(exchange, this.#create(await exchange.json(), undefined))
    }
    if (pathname === '/drive/v3/about' && exchange.method === 'GET') return this.#about(exchange)
    const id = /^\/drive\/v3\/files\/([A-Za-z0-9_-]+)$/.exec(pathname)?.[1]
    if (id !== undefined) return this.#one(exchange, this.#existing(id))
    throw new Refusal(404, 'notFound', 'Not Found')
  }

  /** "The fields parameter is required". Numbers are strings. https://developers.google.com/workspace/drive/api/reference/rest/v3/about/get */
  #about(exchange: Exchange): Answer {
    if (exchange.query('fields') !== 'storageQuota') throw new Refusal(400, 'required', "The 'fields' parameter is required for this method.")
    const inDrive = [...this.files.values()].reduce((sum, { content }) => sum + (content?.length ?? 0), 0)
    const limit = Number.isFinite(this.quotaBytes) ? { limit: String(this.quotaBytes) } : {}
    return { status: 200, json: { storageQuota: { ...limit, usage: String(inDrive + this.otherBytes), usageInDrive: String(inDrive), usageInDriveTrash: '0' } } }
  }

  #one(exchange: Exchange, file: StoredFile): Answer {
    if (exchange.method === 'DELETE') {
      this.#remove(file)
      return { status: 204 }
    }
    if (exchange.method !== 'GET') throw new Refusal(405, 'httpMethodNotAllowed')
    if (exchange.query('alt') !== 'media') return this.#shown(exchange, file)
    // https://developers.google.com/workspace/drive/api/guides/handle-errors#fileNotDownloadable
    if (!file.content) throw new Refusal(403, 'fileNotDownloadable', 'Only files with binary content can be downloaded.')
    return ranged(file.content, exchange.request.headers.range, {})
  }

  /** A folder takes what is in it along: https://developers.google.com/workspace/drive/api/reference/rest/v3/files/delete */
  #remove(file: StoredFile): void {
    this.files.delete(file.id)
    for (const child of [...this.files.values()].filter(({ parents }) => parents.includes(file.id))) this.#remove(child)
  }

  #generateIds(exchange: Exchange): Answer {
    const count = Number(exchange.query('count') ?? 10)
    if (!(count >= 1 && count <= 1000)) throw new Refusal(400, 'invalid', 'Invalid Value')
    const ids = Array.from({ length: count }, newId)
    for (const id of ids) this.#issued.add(id)
    return { status: 200, json: { kind: 'drive#generatedIds', space: 'drive', ids } }
  }

  async #upload(exchange: Exchange, id: string | undefined): Promise<Answer> {
    const type = exchange.query('uploadType')
    const file = id === undefined ? undefined : this.#existing(id)
    if (exchange.method !== (file ? 'PATCH' : 'POST')) throw new Refusal(405, 'httpMethodNotAllowed')
    if (type === 'resumable') {
      const metadata = await exchange.json()
      if (!file) this.#check(metadata)
      return this.sessions.begin(`${exchange.url.pathname}?uploadType=resumable`, exchange, (content) => this.#shown(exchange, this.#stored(file, metadata, content)))
    }
    if (type === 'multipart') {
      const { metadata, content } = relatedParts(exchange.request.headers['content-type'], await exchange.body())
      return this.#shown(exchange, this.#stored(file, metadata, content))
    }
    if (type === 'media') return this.#shown(exchange, this.#stored(file, {}, await exchange.body()))
    throw new Refusal(400, 'badRequest', 'Unknown uploadType.')
  }

  #stored(file: StoredFile | undefined, metadata: Record<string, unknown>, content: Buffer): StoredFile {
    if (!file) return this.#create(metadata, content)
    this.#existing(file.id)
    Object.assign(file, { content, modifiedMs: this.now() })
    return file
  }

  #create(metadata: Record<string, unknown>, content: Buffer | undefined): StoredFile {
    const { id, name, parent, mimeType } = this.#check(metadata)
    this.#used.add(id)
    const createdMs = this.now()
    // What is put into a folder in the bin is in the bin.
    const trashed = this.files.get(parent)?.trashed ?? false
    const file = { id, name, parents: [parent], mimeType, content: mimeType === folderType ? undefined : (content ?? Buffer.alloc(0)), createdMs, modifiedMs: createdMs, trashed }
    this.files.set(id, file)
    if (mimeType === folderType) this.onFolder(file)
    return file
  }

  #check({ id = newId(), name = 'Untitled', parents = [rootId], mimeType = 'application/octet-stream' }: Record<string, unknown>): { id: string; name: string; parent: string; mimeType: string } {
    if (typeof id !== 'string' || typeof name !== 'string' || typeof mimeType !== 'string' || !Array.isArray(parents) || parents.length !== 1) throw new Refusal(400, 'invalid', 'Invalid Value')
    // https://developers.google.com/workspace/drive/api/guides/create-file#generate-ids: a second creation is 409 Conflict.
    if (this.#used.has(id)) throw new Refusal(409, 'fileIdInUse', 'A file already exists with the provided ID.')
    if (!this.#issued.has(id)) throw new Refusal(400, 'invalid', 'The provided file ID is not usable.')
    const parent = parents[0] === 'root' ? rootId : String(parents[0])
    if (parent !== rootId) this.#existing(parent)
    return { id, name, parent, mimeType }
  }

  #existing(id: string): StoredFile {
    const file = this.files.get(id)
    if (!file) throw new Refusal(404, 'notFound', `File not found: ${id}.`)
    return file
  }

  #list(exchange: Exchange): Answer {
    const q = exchange.query('q') ?? ''
    const token = exchange.query('pageToken')
    const size = Math.min(Number(exchange.query('pageSize') ?? 100), this.pageSize)
    const page = token === undefined ? { query: q, ids: this.#found(q) } : this.#pages.get(token)
    // A token belongs to its query: https://developers.google.com/workspace/drive/api/reference/rest/v3/files/list
    if (page?.query !== q) throw new Refusal(400, 'invalid', 'Invalid Value')
    const rest = page.ids.slice(size)
    const next = rest.length === 0 ? undefined : randomBytes(12).toString('base64url')
    if (next !== undefined) this.#pages.set(next, { query: q, ids: rest })
    const files = page.ids.slice(0, size).flatMap((id) => {
      const file = this.files.get(id)
      return file ? [this.#resource(file)] : []
    })
    return { status: 200, json: picked({ kind: 'drive#fileList', incompleteSearch: false, files, ...(next === undefined ? {} : { nextPageToken: next }) }, exchange.query('fields') ?? 'files(id,name,mimeType),nextPageToken') }
  }

  /** https://developers.google.com/workspace/drive/api/guides/search-files, as far as anybody here asks. */
  #found(q: string): string[] {
    const tests = q.split(' and ').map((term): ((file: StoredFile) => boolean) => {
      const parent = /^'([^']+)' in parents$/.exec(term)?.[1]
      if (parent !== undefined) {
        if (parent !== 'root' && parent !== rootId && !this.files.has(parent)) throw new Refusal(404, 'notFound', 'File not found: .')
        return ({ parents }) => parents.includes(parent === 'root' ? rootId : parent)
      }
      if (term === 'trashed = false') return (file) => !this.#isTrashed(file)
      const name = /^name = '((?:[^'\\]|\\.)*)'$/.exec(term)?.[1]
      if (name !== undefined) return ({ id }) => this.#indexed.get(id) === name.replace(/\\(.)/g, '$1')
      throw new Refusal(400, 'invalid', 'Invalid Value')
    })
    // In no order, but the same for all pages: ids are random.
    return [...this.files.values()].filter((file) => tests.every((fits) => fits(file))).map(({ id }) => id).sort()
  }

  /** What lies below a folder in the bin is in it, too. */
  #isTrashed({ trashed, parents: [parent] }: StoredFile): boolean {
    const folder = parent === undefined ? undefined : this.files.get(parent)
    return trashed || (folder !== undefined && this.#isTrashed(folder))
  }

  #resource(file: StoredFile): Record<string, unknown> {
    const { id, name, mimeType, parents, content, createdMs, modifiedMs } = file
    const told = {
      kind: 'drive#file', id, name, mimeType, parents, trashed: this.#isTrashed(file), createdTime: new Date(createdMs).toISOString(), modifiedTime: new Date(modifiedMs).toISOString(),
    }
    // Checksums are made when somebody asks for them.
    return this.tell(content ? {
      ...told, size: String(content.length), get md5Checksum() { return digest('md5', content) }, get sha1Checksum() { return digest('sha1', content) }, get sha256Checksum() { return digest('sha256', content) },
    } : told)
  }

  #shown(exchange: Exchange, file: StoredFile): Answer {
    return { status: 200, json: picked(this.#resource(file), exchange.query('fields') ?? 'kind,id,name,mimeType') }
  }
}

const digests = new WeakMap<Buffer, Map<string, string>>()

function digest(algorithm: string, content: Buffer): string {
  const known = digests.get(content) ?? new Map<string, string>()
  digests.set(content, known)
  const kept = known.get(algorithm) ?? createHash(algorithm).update(content).digest('hex')
  known.set(algorithm, kept)
  return kept
}

function newId(): string {
  return `1${randomBytes(24).toString('base64url')}`
}
