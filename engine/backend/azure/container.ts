import {
  AnonymousCredential, ContainerClient, newPipeline, StorageSharedKeyCredential,
  type BlobGetPropertiesResponse, type BlockBlobClient, type ContainerListBlobFlatSegmentResponse,
} from '@azure/storage-blob'
import { Readable } from 'node:stream'
import type { Clock } from '../../base/clock.ts'
import { HoldfastError } from '../../base/errors.ts'
import type { ByteRange, Pace, RequestPause } from '../backend.ts'
import type { Credentials } from '../credentials.ts'
import { HttpClient } from '../http/client.ts'
import { causeError, notTheStorage } from '../http/failure.ts'
import { standardLimits, type HttpLimits } from '../http/limits.ts'
import { partBody, type Part } from '../http/parts.ts'
import { readObject } from '../http/reply.ts'
import { Responsiveness, Watch, type ExchangeKind, type WatchOptions } from '../http/watch.ts'
import type { AzureAddress } from './address.ts'
import { noObject } from './causes.ts'
import { azureError } from './errors.ts'
import { AzureHandler } from './handler.ts'

const octets = 'application/octet-stream'
const pageNames = 5000

export interface ContainerOptions {
  /** At most so many at once. */
  readonly connections: number
  readonly clock: Clock
  readonly limits?: HttpLimits
  readonly pause?: RequestPause
}

export interface Sending {
  readonly part: Part
  readonly md5: Buffer
  readonly pace: Pace | undefined
  readonly onSent: (bytes: number) => void
}

export interface StoredBlock {
  readonly id: string
  readonly size: number
}

export interface StoredBlocks {
  readonly waiting: readonly StoredBlock[]
  readonly committed: readonly StoredBlock[]
}

interface Signed {
  readonly credential: AnonymousCredential | StorageSharedKeyCredential
  /** Empty, or a question mark and what goes behind each address. */
  readonly query: string
}

/** The requests that Holdfast makes to a container, one method each, with our errors and limits (http/limits.ts) and without hidden retries. */
export class Container implements Disposable {
  readonly clock: Clock
  readonly #name: string
  readonly #client: ContainerClient
  readonly #http: HttpClient
  readonly #handler: AzureHandler
  readonly #watching: Pick<WatchOptions, 'clock' | 'limits' | 'host' | 'pause'>

  /** Throws `credentials` when there are none. */
  constructor({ endpoint, container, storageAccount }: AzureAddress, secrets: Credentials, { connections, clock, limits = standardLimits, pause }: ContainerOptions) {
    this.clock = clock
    this.#name = container
    this.#watching = { clock, limits, host: new Responsiveness(), ...(pause ? { pause } : {}) }
    this.#http = new HttpClient(connections)
    this.#handler = new AzureHandler(this.#http)
    const { credential, query } = signed(storageAccount, secrets)
    // One place retries (wrappers/retry.ts), and some puts must never be repeated under their name (rule R5).
    const pipeline = newPipeline(credential, { httpClient: this.#handler, retryOptions: { maxTries: 1 } })
    this.#client = new ContainerClient(`${endpoint}/${container}${query}`, pipeline)
  }

  [Symbol.dispose](): void {
    this.#http[Symbol.dispose]()
  }

  /** A whole blob. Azure compares the MD5 with what it got before anything is visible. Errors: exists (ifAbsent), … */
  put(key: string, sending: Sending, ifAbsent: boolean, signal: AbortSignal): Promise<void> {
    return this.#send(key, sending, signal, async (blob, body, abortSignal) => {
      const { etag, contentMD5 } = await blob.upload(() => body, sending.part.length, {
        abortSignal, blobHTTPHeaders: { blobContentType: octets, blobContentMD5: sending.md5 }, ...conditions(ifAbsent),
      })
      requireAnswer(key, etag)
      if (contentMD5 !== undefined && !sending.md5.equals(contentMD5)) throw new HoldfastError('damaged', `Azure stored other bytes of ${key} than were sent.`)
    })
  }

  /** A block of a blob that is not there yet. */
  putBlock(key: string, id: string, sending: Sending, signal: AbortSignal): Promise<void> {
    return this.#send(key, sending, signal, async (blob, body, abortSignal) => {
      const { requestId } = await blob.stageBlock(id, () => body, sending.part.length, { abortSignal, transactionalContentMD5: sending.md5 })
      requireAnswer(key, requestId)
    })
  }

  /** Makes the blob of these blocks. Errors: exists (ifAbsent); one with the `reason` InvalidBlockList (blocks are gone); … */
  async commit(key: string, ids: readonly string[], ifAbsent: boolean, signal: AbortSignal): Promise<void> {
    const { etag } = await this.#request(key, 'slow', signal, (abortSignal) => this.#client.getBlockBlobClient(key).commitBlockList([...ids], {
      abortSignal, blobHTTPHeaders: { blobContentType: octets }, ...conditions(ifAbsent),
    }))
    requireAnswer(key, etag)
  }

  /** What has arrived, and what the blob is made of. Errors: not-found (neither a block nor a blob). */
  async blocks(key: string, signal: AbortSignal): Promise<StoredBlocks> {
    const { uncommittedBlocks = [], committedBlocks = [] } = await this.#request(key, 'small', signal, (abortSignal) =>
      this.#client.getBlockBlobClient(key).getBlockList('all', { abortSignal }))
    const plain = ({ name, size }: { readonly name: string; readonly size: number }): StoredBlock => ({ id: name, size })
    return { waiting: uncommittedBlocks.map(plain), committed: committedBlocks.map(plain) }
  }

  /** @param bytes about so many will come */
  get(key: string, range: ByteRange | 'all', bytes: number, pace: Pace | undefined, signal: AbortSignal): Promise<Uint8Array> {
    return this.#watched(key, bytes, signal, async (watch) => {
      const [offset, count] = range === 'all' ? [0] : [range.offset, range.length]
      const reply = await this.#client.getBlobClient(key).download(offset, count, { abortSignal: this.#handler.signalOf(watch), maxRetryRequests: 0 })
      const { readableStreamBody: body, contentLength: length, contentRange } = reply
      if (!(body instanceof Readable)) throw new TypeError('The SDK gave no stream.')
      if (isFolder(reply.metadata)) {
        body.destroy()
        throw causeError(noObject, [key], { reason: 'Folder' })
      }
      return readObject(key, range, { length, range: contentRange }, body, watch, pace)
    })
  }

  async properties(key: string, signal: AbortSignal): Promise<BlobGetPropertiesResponse> {
    const properties = await this.#request(key, 'small', signal, (abortSignal) => this.#client.getBlobClient(key).getProperties({ abortSignal }))
    requireAnswer(key, properties.etag)
    if (isFolder(properties.metadata)) throw causeError(noObject, [key], { reason: 'Folder' })
    return properties
  }

  async remove(key: string, signal: AbortSignal): Promise<void> {
    await this.#request(key, 'small', signal, (abortSignal) => this.#client.getBlobClient(key).delete({ abortSignal }))
  }

  /** @param token of the page before; undefined for the first */
  list(prefix: string, token: string | undefined, signal: AbortSignal): Promise<ContainerListBlobFlatSegmentResponse> {
    return this.#request(prefix, 'small', signal, async (abortSignal) => {
      const from = token === undefined ? {} : { continuationToken: token }
      const pages = this.#client.listBlobsFlat({ prefix, abortSignal }).byPage({ maxPageSize: pageNames, ...from })
      const page = await pages.next()
      if (page.done) throw causeError(notTheStorage, [this.#name], { reason: 'NotAzure' })
      return page.value
    })
  }

  #send(
    key: string, { part, pace, onSent }: Sending, signal: AbortSignal, send: (blob: BlockBlobClient, body: Readable, abortSignal: AbortSignal) => Promise<void>,
  ): Promise<void> {
    return this.#watched(key, part.length, signal, async (watch) => {
      const body = partBody(part, watch, pace, onSent)
      try {
        await send(this.#client.getBlockBlobClient(key), body, this.#handler.signalOf(watch))
      } finally {
        body.destroy()
      }
    })
  }

  #request<T>(key: string, kind: ExchangeKind, signal: AbortSignal, request: (abortSignal: AbortSignal) => Promise<T>): Promise<T> {
    return this.#watched(key, kind, signal, (watch) => request(this.#handler.signalOf(watch)))
  }

  #watched<T>(key: string, moves: ExchangeKind | number, signal: AbortSignal, exchange: (watch: Watch) => Promise<T>): Promise<T> {
    const kind = typeof moves === 'number' ? { kind: 'object' as const, bytes: moves } : { kind: moves }
    return Watch.run({ ...kind, ...this.#watching }, signal, exchange).catch((error: unknown) => {
      const known = azureError(error, `${this.#name}/${key}`, this.clock.now())
      this.#watching.pause?.heed(known)
      throw known
    })
  }
}

/** Accounts with a hierarchy have folders, which answer as empty blobs: https://learn.microsoft.com/azure/storage/blobs/data-lake-storage-known-issues */
function isFolder(metadata: Readonly<Record<string, string>> | undefined): boolean {
  return Object.entries(metadata ?? {}).some(([name, value]) => name.toLowerCase() === 'hdi_isfolder' && value.toLowerCase() === 'true')
}

/** A SAS token may be pasted with all of its address. Errors: credentials. */
function signed(storageAccount: string, { accountKey, sasToken }: Credentials): Signed {
  if (accountKey) return { credential: new StorageSharedKeyCredential(storageAccount, accountKey), query: '' }
  if (!sasToken) throw new HoldfastError('credentials', 'Credentials for the storage are missing: AZURE_STORAGE_KEY or AZURE_STORAGE_SAS_TOKEN.')
  const query = sasToken.slice(sasToken.indexOf('?') + 1).trim()
  if (!new URLSearchParams(query).has('sig')) {
    throw new HoldfastError('credentials', 'The SAS token is none: it looks like sv=…&sig=….', { data: { advice: 'Copy the whole SAS token from the Azure portal.' } })
  }
  return { credential: new AnonymousCredential(), query: `?${query}` }
}

/** https://learn.microsoft.com/rest/api/storageservices/specifying-conditional-headers-for-blob-service-operations */
function conditions(ifAbsent: boolean): { readonly conditions?: { readonly ifNoneMatch: '*' } } {
  return ifAbsent ? { conditions: { ifNoneMatch: '*' } } : {}
}

/** Every answer of Azure has these; that of something else on the way has not. */
function requireAnswer(key: string, mark: string | undefined): void {
  if (mark === undefined) throw causeError(notTheStorage, [key], { reason: 'NotAzure' })
}
