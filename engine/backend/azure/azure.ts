import type { BlobItem } from '@azure/storage-blob'
import { isReadableOnTheWay } from '../../protocol/plain-http.ts'
import { throwIfAborted } from '../../base/abort.ts'
import type { Clock } from '../../base/clock.ts'
import { hasCode, HoldfastError } from '../../base/errors.ts'
import {
  maximumWholeBytes, type BackendTraits, type Body, type ByteRange, type ObjectInfo, type Pace, type PutOptions, type StorageBackend, type UploadJournal, type RequestPause,
} from '../backend.ts'
import type { Credentials } from '../credentials.ts'
import type { HttpLimits } from '../http/limits.ts'
import { PageGuard } from '../http/pages.ts'
import { sizeOf, wholeOf } from '../http/parts.ts'
import { patiently } from '../http/patience.ts'
import { isObjectName, requireObjectName, requirePrefix } from '../name.ts'
import type { AzureAddress } from './address.ts'
import { goesInBlocks, md5Of, mostBytes, putInBlocks } from './blocks.ts'
import { missingContainer } from './causes.ts'
import { Container } from './container.ts'

/** Azure bears thousands of requests a second: https://learn.microsoft.com/azure/storage/common/scalability-targets-standard-account */
const publicConnections = 64
const otherConnections = 16

export interface AzureOptions {
  readonly clock: Clock
  readonly journal: UploadJournal | undefined
  readonly limits?: HttpLimits
  readonly pause?: RequestPause
}

interface Page {
  readonly objects: readonly ObjectInfo[]
  readonly next: string | undefined
}

/**
 * A repository in a container of Azure Blob Storage; objects are block blobs below the address's prefix. An account with a hierarchical namespace
 * (Data Lake Gen2) has real folders beside them, which are no objects, and lists what is in a folder before its siblings: names such as `a/b` and
 * `a-b` side by side would come without order, and such a list is refused. No repository has such names. Throws `credentials`.
 */
export class AzureBackend implements StorageBackend {
  readonly label: string
  readonly traits: BackendTraits
  readonly #container: Container
  readonly #prefix: string
  readonly #journal: UploadJournal | undefined

  constructor(address: AzureAddress, secrets: Credentials, { clock, journal, limits, pause }: AzureOptions) {
    const { host, hostname } = new URL(address.endpoint)
    const maxConnections = hostname.endsWith('.core.windows.net') ? publicConnections : otherConnections
    // Lists and single requests run beside the transfers that the cap is about.
    this.#container = new Container(address, secrets, { connections: maxConnections * 2 + 4, clock, ...(limits ? { limits } : {}), ...(pause ? { pause } : {}) })
    this.#prefix = address.prefix
    this.#journal = journal
    this.label = `azure://${address.container}/${address.prefix} of ${address.storageAccount} at ${host}`
    this.traits = {
      maxConnections, exclusiveCreate: true, resumable: journal !== undefined, distance: 'far', listing: { order: 'ascending', cost: 'prefix' },
      largestPut: mostBytes, account: `azure:${host}:${address.storageAccount}`, readableOnTheWay: isReadableOnTheWay(address.endpoint),
    }
  }

  async put(name: string, body: Body, options: PutOptions, signal: AbortSignal): Promise<void> {
    requireObjectName(name)
    throwIfAborted(signal)
    const key = this.#prefix + name
    // What was begun in blocks is ended so: its name is one attempt (rule R5).
    if (goesInBlocks(sizeOf(body))) await putInBlocks({ container: this.#container, key, name, journal: this.#journal }, body, options, signal)
    else {
      const part = wholeOf(body)
      const onSent = (bytes: number): void => { options.onProgress?.(bytes) }
      await this.#container.put(key, { part, md5: await md5Of(part, signal), pace: options.pace, onSent }, options.ifAbsent === true, signal)
      this.#journal?.delete(name)
    }
    options.onProgress?.(sizeOf(body))
  }

  async get(name: string, range: ByteRange | 'all', signal: AbortSignal, pace?: Pace): Promise<Uint8Array> {
    requireObjectName(name)
    if (range !== 'all' && range.length === 0) return this.#nothingOf(name, range.offset, signal)
    return this.#container.get(this.#prefix + name, range, range === 'all' ? maximumWholeBytes : range.length, pace, signal)
  }

  async stat(name: string, signal: AbortSignal): Promise<ObjectInfo> {
    requireObjectName(name)
    const { contentLength, lastModified } = await this.#container.properties(this.#prefix + name, signal)
    if (contentLength === undefined) throw new HoldfastError('unavailable', `Azure does not say how long ${name} is.`)
    return { name, size: contentLength, modifiedMs: timeOf(lastModified) }
  }

  async *list(prefix: string, signal: AbortSignal): AsyncIterable<ObjectInfo> {
    requirePrefix(prefix)
    const guard = new PageGuard(this.#prefix + prefix)
    for (let page = this.#page(prefix, undefined, guard, signal); ; ) {
      const { objects, next } = await page
      // The next page is under way while the caller works on this one.
      if (next !== undefined) page = this.#page(prefix, next, guard, signal)
      for (const info of objects) {
        throwIfAborted(signal)
        yield info
      }
      if (next === undefined) return
    }
  }

  async remove(name: string, signal: AbortSignal): Promise<void> {
    requireObjectName(name)
    await this.#container.remove(this.#prefix + name, signal).catch((error: unknown) => {
      if (!hasCode(error, 'not-found')) throw error
    })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#container[Symbol.dispose]()
  }

  async #nothingOf(name: string, offset: number, signal: AbortSignal): Promise<Uint8Array> {
    if (offset > (await this.stat(name, signal)).size) throw new HoldfastError('damaged', `${name} ends before the bytes that were asked for.`)
    return new Uint8Array(0)
  }

  #page(prefix: string, token: string | undefined, guard: PageGuard, signal: AbortSignal): Promise<Page> {
    const request = patiently(() => this.#container.list(this.#prefix + prefix, token, signal), this.#container.clock, signal)
    const page = request.then(({ segment, continuationToken }) => {
      const objects: ObjectInfo[] = []
      for (const blob of segment.blobItems) {
        const info = this.#info(blob)
        guard.name(blob.name, info !== undefined)
        if (info) objects.push(info)
      }
      const next = continuationToken === '' ? undefined : continuationToken
      guard.page(token, next, next !== undefined)
      return { objects, next }
    }, (error: unknown) => {
      if (!hasCode(error, 'not-found')) throw error
      // Of a list nothing but its container can be missing.
      throw new HoldfastError('arguments', missingContainer.said, { cause: error, data: { ...error.data, advice: missingContainer.advice ?? '' } })
    })
    // A page asked for ahead may fail when nobody wants it any more.
    page.catch(() => undefined)
    return page
  }

  /**
   * undefined for what is not an object of ours: other names, and the folders that accounts with a hierarchy list beside their files, of
   * which the SDK tells no more than that they have no bytes and no checksum.
   */
  #info({ name: key, properties }: BlobItem): ObjectInfo | undefined {
    const name = key.startsWith(this.#prefix) ? key.slice(this.#prefix.length) : ''
    const { contentLength: size, lastModified, contentMD5 } = properties
    if (!isObjectName(name) || size === undefined || !Number.isSafeInteger(size) || size < 0 || (size === 0 && contentMD5 === undefined)) return undefined
    return { name, size, modifiedMs: timeOf(lastModified) }
  }
}

function timeOf(date: Date | undefined): number {
  const ms = date?.getTime() ?? 0
  return Number.isFinite(ms) ? ms : 0
}
