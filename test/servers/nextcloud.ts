import { rangeOf, Refusal, WebService, type SeenRequest, type WebAnswer, type WebExchange } from './web-service.ts'

/**
 * A stand-in for the WebDAV of Nextcloud: files and uploads in chunks, version 2, as
 * https://docs.nextcloud.com/server/latest/developer_manual/client_apis/WebDAV/chunking.html has it, and sabre/dav's statuses (RFC 4918).
 * Strict: chunks are numbered 00001 to 10000, of 5 MiB and more but for the last, and every request of an upload names its destination.
 */
export class NextcloudServer extends WebService {
  readonly user = 'anna'
  readonly password = 'app-password'
  /** By path below /remote.php/dav; folders have no bytes. */
  readonly resources = new Map<string, { readonly bytes: Buffer | undefined; readonly modifiedMs: number }>()
  /** Bytes that still fit. */
  quota = Infinity

  static async start(): Promise<NextcloudServer> {
    const server = new NextcloudServer()
    for (const folder of ['files', 'files/anna', 'uploads', 'uploads/anna']) server.#set(folder, undefined)
    await server.listen()
    return server
  }

  /** As if a day had gone by. */
  forgetUploads(): void {
    for (const path of [...this.resources.keys()]) if (path.startsWith('uploads/anna/')) this.resources.delete(path)
  }

  get uploads(): readonly string[] {
    return [...this.resources.keys()].filter((path) => /^uploads\/anna\/[^/]+$/.test(path))
  }

  protected override refuseToken({ headers }: SeenRequest): WebAnswer | undefined {
    const wanted = `Basic ${Buffer.from(`${this.user}:${this.password}`).toString('base64')}`
    return headers.authorization === wanted ? undefined : { ...sabre(401, 'Cannot authenticate'), headers: { 'www-authenticate': 'Basic realm="Nextcloud", charset="UTF-8"' } }
  }

  protected override handle(exchange: WebExchange): WebAnswer {
    const path = pathOf(exchange.path)
    if (path.startsWith('uploads/')) this.#expectUpload(path, exchange)
    switch (exchange.method) {
      case 'PROPFIND': return this.#find(path, exchange)
      case 'MKCOL': return this.#makeFolder(path)
      case 'PUT': return this.#put(path, exchange.body)
      case 'GET': return this.#get(path, exchange)
      case 'DELETE': return this.#delete(path)
      case 'MOVE': return this.#move(path, exchange)
      default: return sabre(501, 'Not implemented')
    }
  }

  #expectUpload(path: string, { method, headers, body }: WebExchange): void {
    if (!['MKCOL', 'PUT', 'MOVE'].includes(method)) return
    if (headers['destination'] === undefined) throw new Refusal(sabre(400, 'Destination header missing'))
    if (method !== 'PUT') return
    const name = path.split('/').at(-1) ?? ''
    if (!/^\d{1,5}$/.test(name) || Number(name) < 1 || Number(name) > 10_000) throw new Refusal(sabre(400, 'Invalid chunk name, must be between 1 and 10000'))
    const total = Number(headers['oc-total-length'] ?? 0)
    const before = this.#chunks(path.slice(0, path.lastIndexOf('/'))).reduce((sum, { length }) => sum + length, 0)
    if (body.length < 5 * 1024 * 1024 && before + body.length < total) throw new Refusal(sabre(400, 'Chunk too small'))
  }

  #find(path: string, { headers }: WebExchange): WebAnswer {
    const found = this.resources.get(path)
    if (!found) return sabre(404, `File with name ${path} could not be located`)
    if (headers['depth'] === 'infinity') return sabre(403, 'Depth infinity is not supported')
    const inside = headers['depth'] === '1' ? [...this.resources.keys()].filter((one) => one.startsWith(`${path}/`) && !one.slice(path.length + 1).includes('/')) : []
    const responses = [path, ...inside].map((one) => this.#response(one)).join('')
    const text = `<?xml version="1.0"?>\n<d:multistatus xmlns:d="DAV:" xmlns:s="http://sabredav.org/ns" xmlns:oc="http://owncloud.org/ns">${responses}</d:multistatus>`
    return { status: 207, bytes: Buffer.from(text), headers: { 'content-type': 'application/xml; charset=utf-8' } }
  }

  #response(path: string): string {
    const { bytes, modifiedMs } = this.resources.get(path) ?? { bytes: undefined, modifiedMs: 0 }
    const href = `/remote.php/dav/${path.split('/').map(encodeURIComponent).join('/')}${bytes ? '' : '/'}`
    const length = bytes ? `<d:getcontentlength>${bytes.length}</d:getcontentlength>` : ''
    const missing = bytes ? '' : '<d:propstat><d:prop><d:getcontentlength/></d:prop><d:status>HTTP/1.1 404 Not Found</d:status></d:propstat>'
    return `<d:response><d:href>${href}</d:href><d:propstat><d:prop><d:resourcetype>${bytes ? '' : '<d:collection/>'}</d:resourcetype>${length}`
      + `<d:getlastmodified>${new Date(modifiedMs).toUTCString()}</d:getlastmodified></d:prop><d:status>HTTP/1.1 200 OK</d:status></d:propstat>${missing}</d:response>`
  }

  #makeFolder(given: string): WebAnswer {
    const path = given.replace(/\/$/, '')
    if (this.resources.has(path)) return sabre(405, 'The resource you tried to create already exists')
    this.#expectParent(path)
    this.#set(path, undefined)
    return { status: 201 }
  }

  #put(path: string, body: Buffer): WebAnswer {
    this.#expectParent(path)
    if (body.length > this.quota) return sabre(507, 'Insufficient space in target')
    this.quota -= body.length
    const existed = this.resources.has(path)
    this.#set(path, body)
    return { status: existed ? 204 : 201, headers: { 'oc-etag': '"x"' } }
  }

  #get(path: string, { headers }: WebExchange): WebAnswer {
    const bytes = this.resources.get(path)?.bytes
    return bytes ? rangeOf(bytes, headers.range) : sabre(404, `File with name ${path} could not be located`)
  }

  #delete(path: string): WebAnswer {
    if (!this.resources.has(path)) return sabre(404, `File with name ${path} could not be located`)
    for (const one of [...this.resources.keys()]) if (one === path || one.startsWith(`${path}/`)) this.resources.delete(one)
    return { status: 204 }
  }

  #move(path: string, { headers }: WebExchange): WebAnswer {
    const target = pathOf(new URL(String(headers['destination'])).pathname)
    this.#expectParent(target)
    const existed = this.resources.has(target)
    if (path.endsWith('/.file')) {
      const folder = path.slice(0, -'/.file'.length)
      if (!this.resources.has(folder)) return sabre(404, 'Upload not found')
      const bytes = Buffer.concat(this.#chunks(folder))
      if (headers['oc-total-length'] !== undefined && bytes.length !== Number(headers['oc-total-length'])) return sabre(400, `Chunks on server do not sum up to ${String(headers['oc-total-length'])} but to ${bytes.length} bytes`)
      this.#delete(folder)
      this.#set(target, bytes)
    } else {
      const found = this.resources.get(path)
      if (!found) return sabre(404, `File with name ${path} could not be located`)
      this.resources.delete(path)
      this.resources.set(target, found)
    }
    return { status: existed ? 204 : 201 }
  }

  #chunks(folder: string): readonly Buffer[] {
    return [...this.resources].filter(([path]) => path.startsWith(`${folder}/`)).sort(([a], [b]) => (a < b ? -1 : 1)).flatMap(([, { bytes }]) => bytes ?? [])
  }

  #expectParent(path: string): void {
    const parent = this.resources.get(path.slice(0, path.lastIndexOf('/')))
    if (!parent || parent.bytes) throw new Refusal(sabre(409, 'Parent node does not exist'))
  }

  #set(path: string, bytes: Buffer | undefined): void {
    this.resources.set(path, { bytes, modifiedMs: Date.now() })
  }
}

function pathOf(path: string): string {
  return decodeURIComponent(path).replace(/^\/remote\.php\/dav\//, '').replace(/\/$/, '')
}

function sabre(status: number, message: string): WebAnswer {
  return {
    status, headers: { 'content-type': 'application/xml; charset=utf-8' },
    bytes: Buffer.from(`<?xml version="1.0" encoding="utf-8"?>\n<d:error xmlns:d="DAV:" xmlns:s="http://sabredav.org/ns"><s:exception>Sabre</s:exception><s:message>${message}</s:message></d:error>`),
  }
}
