import { ContainerClient, StorageSharedKeyCredential } from '@azure/storage-blob'
import { createRequire } from 'node:module'
import { createInterface } from 'node:readline'
import { endDaemon, startDaemon } from './daemon.ts'
import { WebService, type WebAnswer, type WebExchange, type WebFault } from './web-service.ts'

/** Azurite's account that everybody has: https://learn.microsoft.com/azure/storage/common/storage-use-azurite#well-known-storage-account-and-key */
const storageAccount = 'devstoreaccount1'
const accountKey = 'Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=='
const main = createRequire(import.meta.url).resolve('azurite/dist/src/blob/main.js')

/**
 * Microsoft's own stand-in, Azurite, in a process of its own on loopback, with all it holds in memory. It checks signatures, conditions
 * and MD5s, and keeps blocks. What it does not do as Azure does: it says AuthorizationFailure of a wrong key or an ended SAS token, forgets
 * no blocks after a week, throttles nobody, has no archive and no rules that lock, takes any clock, and has no folders as accounts with a
 * hierarchy have. What Azure says of those, AzureFront says before it.
 */
export class AzureServer implements AsyncDisposable {
  readonly #end: () => Promise<void>
  readonly origin: string
  #lastContainer = 0

  private constructor(origin: string, end: () => Promise<void>) {
    this.origin = origin
    this.#end = end
  }

  static async start(): Promise<AzureServer> {
    const options = ['--blobPort', '0', '--inMemoryPersistence', '--disableTelemetry', '--skipApiVersionCheck', '--silent']
    const child = startDaemon(process.execPath, [main, ...options], { stdio: ['ignore', 'pipe', 'inherit'] })
    const { stdout } = child
    if (!stdout) throw new TypeError('It was started with a pipe.')
    for await (const line of createInterface(stdout)) {
      const origin = /listens on (http:\/\/127\.0\.0\.1:\d+)/.exec(line)?.[1]
      if (origin === undefined) continue
      stdout.resume()
      return new AzureServer(origin, () => endDaemon(child))
    }
    throw new Error('Azurite did not start.')
  }

  readonly credentials = { accountKey }

  /** An empty container of its own; a client of the tests' own, to look at and to damage what the backend stored. */
  async freshContainer(): Promise<ContainerClient> {
    const name = `test-${++this.#lastContainer}`
    const client = new ContainerClient(`${this.origin}/${storageAccount}/${name}`, new StorageSharedKeyCredential(storageAccount, accountKey))
    await client.create()
    return client
  }

  /** Address of a repository there. @param origin a proxy's in front of it */
  address({ containerName }: ContainerClient, prefix = 'some/prefix', origin = this.origin): string {
    return `azure://${containerName}/${prefix}?storageAccount=${storageAccount}&endpoint=${encodeURIComponent(`${origin}/${storageAccount}`)}`
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#end()
  }
}

const notForwarded = new Set(['host', 'connection', 'keep-alive', 'transfer-encoding', 'content-length', 'expect'])

/** A server in front of Azurite that can break requests and replies, and say what Azurite never does. Signatures hold: they are of paths. */
export class AzureFront extends WebService {
  /** As an account with a hierarchical namespace (Data Lake Gen2) does it: folders are made with what is put into them, and stay. */
  hierarchical = false
  readonly #folders = new Set<string>()
  readonly #origin: string

  private constructor(origin: string) {
    super()
    this.#origin = origin
  }

  static async before({ origin }: AzureServer): Promise<AzureFront> {
    return new AzureFront(origin).listen()
  }

  /** A refusal in Azure's form: https://learn.microsoft.com/rest/api/storageservices/status-and-error-codes2 */
  static refusal(status: number, code: string, headers: Readonly<Record<string, string>> = {}): WebFault {
    const text = `\ufeff<?xml version="1.0" encoding="utf-8"?><Error><Code>${code}</Code><Message>Azure's own words\nRequestId:1\nTime:2026-01-01</Message></Error>`
    return { type: 'answer', status, text, headers: { 'content-type': 'application/xml', 'x-ms-error-code': code, 'x-ms-request-id': '1', ...headers } }
  }

  /** Azurite looks at signatures itself. */
  protected refuseToken(): undefined {
    return undefined
  }

  protected async handle(exchange: WebExchange): Promise<WebAnswer> {
    if (!this.hierarchical) return this.#passOn(exchange)
    const path = decodeURIComponent(exchange.path)
    const isFolder = this.#folders.has(path) && !exchange.query.has('comp')
    if (isFolder && exchange.method === 'DELETE') {
      return { status: 409, bytes: Buffer.from('<?xml version="1.0"?><Error><Code>DirectoryIsNotEmpty</Code><Message>x</Message></Error>'), headers: { 'content-type': 'application/xml', 'x-ms-error-code': 'DirectoryIsNotEmpty' } }
    }
    if (isFolder && (exchange.method === 'HEAD' || exchange.method === 'GET')) {
      const facts = { etag: '"0x1"', 'last-modified': 'Thu, 01 Jan 2026 00:00:00 GMT', 'x-ms-blob-type': 'BlockBlob', 'x-ms-resource-type': 'directory', 'x-ms-meta-hdi_isfolder': 'true' }
      return { status: 200, bytes: Buffer.alloc(0), headers: { ...facts, 'content-length': '0' } }
    }
    if (exchange.method === 'PUT') for (let at = path.lastIndexOf('/'); at > path.indexOf('/', storageAccount.length + 2); at = path.lastIndexOf('/', at - 1)) this.#folders.add(path.slice(0, at))
    const answer = await this.#passOn(exchange)
    return exchange.query.get('comp') === 'list' && answer.status === 200 ? { ...answer, bytes: this.#withFolders(exchange, String(answer.bytes)) } : answer
  }

  /** Folders stand before what is in them, and that before their siblings. A list of several pages has none here. */
  #withFolders({ path, query }: WebExchange, xml: string): Buffer {
    const begin = `${path}/${query.get('prefix') ?? ''}`
    const folders = query.has('marker') || !/<NextMarker\s*\/>|<NextMarker><\/NextMarker>/.test(xml) ? [] : [...this.#folders].filter((one) => one.startsWith(begin)).map((one) => {
      const name = one.slice(path.length + 1)
      return { name, text: `<Blob><Name>${name}</Name><Properties><Last-Modified>Thu, 01 Jan 2026 00:00:00 GMT</Last-Modified><Etag>0x1</Etag><ResourceType>directory</ResourceType><Content-Length>0</Content-Length><BlobType>BlockBlob</BlobType></Properties></Blob>` }
    })
    const blobs = [...xml.matchAll(/<Blob>.*?<Name>(.*?)<\/Name>.*?<\/Blob>/gs)].map(([text, name = '']) => ({ name, text }))
    // A slash comes before all other characters.
    const key = ({ name }: { readonly name: string }): string => name.replaceAll('/', '\0')
    const all = [...folders, ...blobs].sort((a, b) => (key(a) < key(b) ? -1 : 1)).map(({ text }) => text).join('')
    return Buffer.from(xml.replace(/<Blobs\s*\/>|<Blobs>.*<\/Blobs>/s, () => `<Blobs>${all}</Blobs>`))
  }

  async #passOn({ method, url, headers, body }: WebExchange): Promise<WebAnswer> {
    const sent = Object.entries(headers).filter(([name]) => !notForwarded.has(name)).map(([name, value]): [string, string] => [name, String(value)])
    const reply = await fetch(this.#origin + url, { method, headers: sent, redirect: 'manual', ...(method === 'PUT' || method === 'POST' ? { body: new Uint8Array(body) } : {}) })
    const kept = [...reply.headers].filter(([name]) => !notForwarded.has(name) || (method === 'HEAD' && name === 'content-length'))
    return { status: reply.status, bytes: Buffer.from(await reply.arrayBuffer()), headers: Object.fromEntries(kept) }
  }
}
