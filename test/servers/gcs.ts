import { createHash, createPublicKey, createVerify, generateKeyPairSync, type KeyObject } from 'node:crypto'
import { Crc32c } from '@aws-sdk/checksums/crc'
import { GoogleSessions } from './google-sessions.ts'
import { GoogleService, picked, ranged, Refusal, relatedParts, type Answer, type Exchange } from './google.ts'

export interface StoredObject {
  readonly name: string
  readonly content: Buffer
  readonly generation: number
  readonly updatedMs: number
  readonly md5Hash: string
  readonly crc32c: string
}

interface Checksums {
  readonly md5Hash: string
  readonly crc32c: string
}

/**
 * A stand-in for Cloud Storage's JSON API with one bucket, and for the exchange of service accounts' keys:
 * https://cloud.google.com/storage/docs/json_api/v1/objects. Lists are ascending and show at once what was written
 * (https://cloud.google.com/storage/docs/consistency); a condition of a resumable upload is looked at when it ends.
 */
export class GcsServer extends GoogleService {
  readonly bucket = 'holdfast-test'
  readonly objects = new Map<string, StoredObject>()
  /** What was deleted or replaced under the soft-delete policy: https://cloud.google.com/storage/docs/soft-delete */
  readonly softDeleted: string[] = []
  readonly sessions = new GoogleSessions(410)
  /** Objects younger than that can be neither replaced nor deleted: https://cloud.google.com/storage/docs/bucket-lock */
  retentionMs = 0
  /** Another write of an object within a second is refused: https://cloud.google.com/storage/docs/objects#immutability */
  limitsWrites = false
  now: () => number = Date.now
  pageSize = 1000
  /** What is told of an object, changed on the way. */
  tell: (resource: Record<string, unknown>) => Record<string, unknown> = (resource) => resource
  tokensGiven = 0
  readonly #accounts = new Map<string, KeyObject>()
  #generation = 1_700_000_000_000_000

  static start(): Promise<GcsServer> {
    return new GcsServer().listen()
  }

  /** The JSON of a new key of a service account. */
  serviceAccount(email = 'backup@project.iam.gserviceaccount.com'): string {
    const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048, publicKeyEncoding: { type: 'spki', format: 'pem' }, privateKeyEncoding: { type: 'pkcs8', format: 'pem' } })
    this.#accounts.set(email, createPublicKey(publicKey))
    return JSON.stringify({ type: 'service_account', project_id: 'project', private_key_id: 'key-1', private_key: privateKey, client_email: email, token_uri: 'https://oauth2.googleapis.com/token' })
  }

  /** The key is deleted in the console. */
  revokeKey(email = 'backup@project.iam.gserviceaccount.com'): void {
    this.#accounts.delete(email)
  }

  async add(name: string, content: Buffer): Promise<void> {
    const sums = await checksums(content)
    this.#put(name, content, sums)
  }

  #put(name: string, content: Buffer, { md5Hash, crc32c }: Checksums): void {
    this.objects.set(name, { name, content, generation: ++this.#generation, updatedMs: this.now(), md5Hash, crc32c })
  }

  protected override isOpen(url: URL): boolean {
    return url.pathname === '/token'
  }

  protected async handle(exchange: Exchange): Promise<Answer> {
    const { pathname } = exchange.url
    if (pathname === '/token') return this.#token(exchange)
    const upload = /^\/upload\/storage\/v1\/b\/([^/]+)\/o$/.exec(pathname)
    const one = /^\/storage\/v1\/b\/([^/]+)\/o(?:\/([^/]+))?$/.exec(pathname)
    // https://cloud.google.com/storage/docs/json_api/v1/status-codes#404-not-found
    if (!upload && !one) throw new Refusal(404, 'notFound', 'Not Found')
    if ((upload ?? one)?.[1] !== this.bucket) throw new Refusal(404, 'notFound', 'The specified bucket does not exist.')
    if (upload) return exchange.query('upload_id') === undefined ? this.#upload(exchange) : this.sessions.serve(exchange)
    const name = one?.[2]
    return name === undefined ? this.#list(exchange) : this.#one(exchange, decodeURIComponent(name))
  }

  /** https://developers.google.com/identity/protocols/oauth2/service-account#httprest */
  async #token(exchange: Exchange): Promise<Answer> {
    const form = new URLSearchParams((await exchange.body()).toString())
    const [head = '', claims = '', signature = ''] = (form.get('assertion') ?? '').split('.')
    const refuse = (error: string, words: string): Answer => ({ status: 400, json: { error, error_description: words } })
    if (form.get('grant_type') !== 'urn:ietf:params:oauth:grant-type:jwt-bearer') return refuse('unsupported_grant_type', 'Invalid grant_type')
    const { iss, scope, aud, iat, exp } = JSON.parse(Buffer.from(claims, 'base64url').toString()) as Record<string, unknown>
    const key = typeof iss === 'string' ? this.#accounts.get(iss) : undefined
    if (!key) return refuse('invalid_grant', 'Invalid grant: account not found')
    if (!createVerify('RSA-SHA256').update(`${head}.${claims}`).verify(key, signature, 'base64url')) return refuse('invalid_grant', 'Invalid JWT Signature.')
    const seconds = this.now() / 1000
    const inTime = typeof iat === 'number' && typeof exp === 'number' && exp - iat <= 3600 && iat <= seconds + 300 && exp > seconds
    if (!inTime) return refuse('invalid_grant', 'Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable timeframe.')
    if (aud !== 'https://oauth2.googleapis.com/token') return refuse('invalid_grant', 'Invalid JWT: Failed audience check.')
    if (scope !== 'https://www.googleapis.com/auth/devstorage.read_write') return refuse('invalid_scope', 'Invalid OAuth scope or ID token audience provided.')
    const token = `minted-${++this.tokensGiven}`
    this.tokens.add(token)
    return { status: 200, json: { access_token: token, expires_in: 3599, token_type: 'Bearer' } }
  }

  async #upload(exchange: Exchange): Promise<Answer> {
    if (exchange.method !== 'POST') throw new Refusal(405, 'httpMethodNotAllowed')
    const type = exchange.query('uploadType')
    if (type === 'resumable') {
      const metadata = await exchange.json()
      return this.sessions.begin(`${exchange.url.pathname}?uploadType=resumable`, exchange, (content) => this.#store(exchange, metadata, content))
    }
    if (type !== 'multipart') throw new Refusal(400, 'invalid', 'Unknown uploadType.')
    const { metadata, content } = relatedParts(exchange.request.headers['content-type'], await exchange.body())
    return this.#store(exchange, metadata, content)
  }

  async #store(exchange: Exchange, { name, md5Hash, crc32c }: Record<string, unknown>, content: Buffer): Promise<Answer> {
    if (typeof name !== 'string' || name === '' || Buffer.byteLength(name) > 1024) throw new Refusal(400, 'required', 'Required')
    const real = await checksums(content)
    // https://cloud.google.com/storage/docs/data-validation: what does not fit is refused, and no object made.
    if (md5Hash !== undefined && md5Hash !== real.md5Hash) throw new Refusal(400, 'invalid', `Provided MD5 hash doesn't match calculated MD5 hash "${real.md5Hash}".`)
    if (crc32c !== undefined && crc32c !== real.crc32c) throw new Refusal(400, 'invalid', `Provided CRC32C doesn't match calculated CRC32C "${real.crc32c}".`)
    const there = this.objects.get(name)
    this.#requireGeneration(exchange, there)
    if (there) this.#takeAway(there)
    if (there && this.limitsWrites && this.now() - there.updatedMs < 1000) {
      throw new Refusal(429, 'rateLimitExceeded', `The object ${this.bucket}/${name} exceeded the rate limit for object mutation operations (create, update, and delete).`, 'usageLimits')
    }
    this.#put(name, content, real)
    return this.#shown(exchange, this.#existing(name))
  }

  #one(exchange: Exchange, name: string): Answer {
    const object = this.#existing(name)
    if (exchange.method === 'DELETE') {
      this.#requireGeneration(exchange, object)
      this.#takeAway(object)
      this.objects.delete(name)
      return { status: 204 }
    }
    if (exchange.method !== 'GET') throw new Refusal(405, 'httpMethodNotAllowed')
    if (exchange.query('alt') !== 'media') return this.#shown(exchange, object)
    return ranged(object.content, exchange.request.headers.range, { 'x-goog-generation': String(object.generation), 'x-goog-hash': `crc32c=${object.crc32c},md5=${object.md5Hash}` })
  }

  #takeAway(object: StoredObject): void {
    if (this.now() - object.updatedMs < this.retentionMs) {
      throw new Refusal(403, 'retentionPolicyNotMet', `Object '${this.bucket}/${object.name}' is subject to bucket's retention policy or object retention and cannot be deleted or overwritten until later.`)
    }
    this.softDeleted.push(object.name)
  }

  /** 0: none is there. https://cloud.google.com/storage/docs/request-preconditions */
  #requireGeneration(exchange: Exchange, there: StoredObject | undefined): void {
    const wanted = exchange.query('ifGenerationMatch')
    if (wanted !== undefined && Number(wanted) !== (there?.generation ?? 0)) throw new Refusal(412, 'conditionNotMet', 'At least one of the pre-conditions you specified did not hold.')
  }

  #existing(name: string): StoredObject {
    const object = this.objects.get(name)
    if (!object) throw new Refusal(404, 'notFound', `No such object: ${this.bucket}/${name}`)
    return object
  }

  #list(exchange: Exchange): Answer {
    if (exchange.method !== 'GET') throw new Refusal(405, 'httpMethodNotAllowed')
    const prefix = exchange.query('prefix') ?? ''
    const token = exchange.query('pageToken')
    const after = token === undefined ? '' : Buffer.from(token, 'base64url').toString()
    if (token !== undefined && !after.startsWith(prefix)) throw new Refusal(400, 'invalid', 'Invalid argument.')
    const size = Math.min(Number(exchange.query('maxResults') ?? 1000), this.pageSize)
    const names = [...this.objects.keys()].filter((name) => name.startsWith(prefix)).sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
    const rest = after === '' ? names : names.slice(names.findIndex((name) => Buffer.compare(Buffer.from(name), Buffer.from(after)) > 0))
    const left = after !== '' && names.every((name) => Buffer.compare(Buffer.from(name), Buffer.from(after)) <= 0) ? [] : rest
    const page = left.slice(0, size)
    const next = left.length > size ? Buffer.from(page.at(-1) ?? '').toString('base64url') : undefined
    // An empty list has no `items` at all.
    const items = page.length === 0 ? {} : { items: page.map((name) => this.#resource(this.#existing(name))) }
    return { status: 200, json: picked({ kind: 'storage#objects', ...items, ...(next === undefined ? {} : { nextPageToken: next }) }, exchange.query('fields') ?? 'kind,items,nextPageToken') }
  }

  #resource({ name, content, generation, updatedMs, md5Hash, crc32c }: StoredObject): Record<string, unknown> {
    const updated = new Date(updatedMs).toISOString()
    return this.tell({ kind: 'storage#object', name, bucket: this.bucket, generation: String(generation), size: String(content.length), updated, timeCreated: updated, md5Hash, crc32c })
  }

  #shown(exchange: Exchange, object: StoredObject): Answer {
    return { status: 200, json: picked(this.#resource(object), exchange.query('fields') ?? 'kind,name,bucket,generation,size,updated,md5Hash,crc32c') }
  }
}

async function checksums(content: Buffer): Promise<Checksums> {
  const sum = new Crc32c()
  sum.update(content)
  return { md5Hash: createHash('md5').update(content).digest('base64'), crc32c: Buffer.from(await sum.digest()).toString('base64') }
}
