import type { _Object } from '@aws-sdk/client-s3'
import { Readable } from 'node:stream'
import { isReadableOnTheWay } from '../../protocol/plain-http.ts'
import { throwIfAborted } from '../../base/abort.ts'
import { systemClock, type Clock } from '../../base/clock.ts'
import { hasCode, HoldfastError } from '../../base/errors.ts'
import {
  maximumWholeBytes, paceSliceBytes, type BackendTraits, type Body, type ByteRange, type ObjectInfo, type Pace, type PutOptions, type StorageBackend, type UploadJournal, type RequestPause,
} from '../backend.ts'
import { bytesBody, crc32Base64, fileBody, md5Base64 } from '../http/body.ts'
import type { HttpLimits } from '../http/limits.ts'
import { PageGuard } from '../http/pages.ts'
import { readObject } from '../http/reply.ts'
import { isObjectName, requireObjectName, requirePrefix } from '../name.ts'
import type { S3Address } from './address.ts'
import { Bucket } from './bucket.ts'
import { abortUploadsBefore, goesInParts, putInParts } from './multipart.ts'

const amazonConnections = 64
const otherConnections = 16
const conflictTries = 8
const conflictMs = 100

export interface S3Options {
  readonly secrets: Readonly<Record<string, string>>
  readonly uploadJournal?: UploadJournal
  readonly clock?: Clock
  readonly limits?: HttpLimits
  readonly pause?: RequestPause
}

/** A repository in a bucket of any S3-compatible storage; objects are keys below the address's prefix. Throws `credentials`. */
export function openS3(address: S3Address, options: S3Options): StorageBackend {
  return new S3Backend(address, options)
}

class S3Backend implements StorageBackend {
  readonly label: string
  readonly traits: BackendTraits
  readonly #bucket: Bucket
  readonly #prefix: string
  readonly #partBytes: number | undefined
  readonly #journal: UploadJournal | undefined
  readonly #clock: Clock

  constructor(address: S3Address, options: S3Options) {
    const host = address.endpoint === undefined ? `s3.${address.region}.amazonaws.com` : new URL(address.endpoint).host
    const maxConnections = address.endpoint === undefined ? amazonConnections : otherConnections
    // Lists and single requests run beside the transfers that the cap is about.
    const { clock = systemClock, limits, pause } = options
    this.#bucket = new Bucket(address, options.secrets, { connections: maxConnections * 2 + 4, clock, ...(limits ? { limits } : {}), ...(pause ? { pause } : {}) })
    this.#prefix = address.prefix
    this.#partBytes = address.partBytes
    this.#journal = options.uploadJournal
    this.#clock = clock
    this.label = `s3://${address.bucket}/${address.prefix} at ${host}`
    this.traits = {
      maxConnections, exclusiveCreate: true, resumable: options.uploadJournal !== undefined, distance: 'far', listing: { order: 'ascending', cost: 'prefix' }, largestPut: 5 * 1024 ** 4, account: `s3:${host}:${options.secrets['accessKeyId'] ?? ''}`,
      readableOnTheWay: address.endpoint !== undefined && isReadableOnTheWay(address.endpoint),
    }
  }

  async put(name: string, body: Body, options: PutOptions, signal: AbortSignal): Promise<void> {
    requireObjectName(name)
    throwIfAborted(signal)
    const key = this.#prefix + name
    // Not every storage honours a condition when an upload in parts completes.
    if (body.type === 'file' && !options.ifAbsent && (goesInParts(body.size, this.#partBytes) || this.#isBegun(name))) {
      await putInParts({ bucket: this.#bucket, key, name, journal: this.#journal, partBytes: this.#partBytes }, body, options, signal)
      return
    }
    await this.#settled(() => this.#putWhole(key, body, options, signal), options, signal)
    options.onProgress?.(body.type === 'bytes' ? body.bytes.length : body.size)
  }

  async get(name: string, range: ByteRange | 'all', signal: AbortSignal, pace?: Pace): Promise<Uint8Array> {
    requireObjectName(name)
    if (range !== 'all' && range.length === 0) return this.#nothingOf(name, range.offset, signal)
    const header = range === 'all' ? undefined : `bytes=${range.offset}-${range.offset + range.length - 1}`
    return this.#bucket.get(this.#prefix + name, header, range === 'all' ? maximumWholeBytes : range.length, ({ Body, ContentLength, ContentRange }, watch) => {
      if (!(Body instanceof Readable)) throw new TypeError('The SDK gave no stream.')
      return readObject(name, range, { length: ContentLength, range: ContentRange }, Body, watch, pace)
    }, signal)
  }

  async stat(name: string, signal: AbortSignal): Promise<ObjectInfo> {
    requireObjectName(name)
    const { ContentLength, LastModified } = await this.#bucket.head(this.#prefix + name, signal)
    if (ContentLength === undefined) throw new HoldfastError('unavailable', `The storage does not say how long ${name} is.`)
    return { name, size: ContentLength, modifiedMs: LastModified?.getTime() ?? 0 }
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
    await this.#bucket.remove(this.#prefix + name, signal).catch((error: unknown) => {
      // Some servers answer 404 for a missing object, which is what is wanted.
      if (!hasCode(error, 'not-found')) throw error
    })
  }

  abortStaleUploads(olderThanMs: number, signal: AbortSignal): Promise<number> {
    return abortUploadsBefore(this.#bucket, this.#prefix, this.#clock.now() - olderThanMs, signal)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#bucket.close()
  }

  /** What was begun in parts, under whatever part size, is ended so: its name is one attempt (rule R5). */
  #isBegun(name: string): boolean {
    return this.#journal?.get(name) !== undefined
  }

  #putWhole(key: string, body: Body, options: PutOptions, signal: AbortSignal): Promise<void> {
    const { pace } = options
    const condition = options.ifAbsent ? { IfNoneMatch: '*' } : {}
    const onSent = (bytes: number): void => { options.onProgress?.(bytes) }
    if (body.type === 'file') {
      const whole = { path: body.path, offset: 0, length: body.size }
      const input = { ...condition, ContentLength: body.size, ChecksumCRC32: crc32Base64(body.crc32) }
      return this.#bucket.put(input, key, (watch) => fileBody(whole, watch, pace, onSent), signal)
    }
    const { bytes } = body
    const input = { ...condition, ContentLength: bytes.length, ContentMD5: md5Base64(bytes) }
    const streamed = pace !== undefined && bytes.length > paceSliceBytes
    return this.#bucket.put(input, key, (watch) => (streamed ? bytesBody(bytes, watch, pace, onSent) : bytes), signal)
  }

  /** 409 on a conditional put means that another one is being decided: the same put is asked again (rule R4). */
  async #settled(put: () => Promise<void>, options: PutOptions, signal: AbortSignal): Promise<void> {
    for (let tries = 1; ; tries++) {
      try {
        await put()
        return
      } catch (error) {
        const conflict = options.ifAbsent && hasCode(error, 'unavailable') && error.data['status'] === 409
        if (!conflict || tries === conflictTries) throw error
        await this.#clock.sleep(conflictMs * tries, signal)
      }
    }
  }

  async #nothingOf(name: string, offset: number, signal: AbortSignal): Promise<Uint8Array> {
    if (offset > (await this.stat(name, signal)).size) throw new HoldfastError('damaged', `${name} ends before the bytes that were asked for.`)
    return new Uint8Array(0)
  }

  #page(prefix: string, token: string | undefined, guard: PageGuard, signal: AbortSignal): Promise<{ readonly objects: readonly ObjectInfo[]; readonly next: string | undefined }> {
    const page = this.#bucket.list(this.#prefix + prefix, token, signal).then(({ Contents = [], IsTruncated = false, NextContinuationToken }) => {
      const objects: ObjectInfo[] = []
      for (const object of Contents) {
        const info = this.#info(object)
        guard.name(object.Key ?? '', info !== undefined)
        if (info) objects.push(info)
      }
      const next = IsTruncated ? NextContinuationToken : undefined
      guard.page(token, next, IsTruncated)
      return { objects, next }
    })
    // A page asked for ahead may fail when nobody wants it any more.
    page.catch(() => undefined)
    return page
  }

  /** undefined for what is not an object of ours. */
  #info({ Key, Size, LastModified }: _Object): ObjectInfo | undefined {
    const name = Key?.startsWith(this.#prefix) ? Key.slice(this.#prefix.length) : ''
    if (!isObjectName(name) || Size === undefined || !Number.isSafeInteger(Size) || Size < 0) return undefined
    return { name, size: Size, modifiedMs: LastModified?.getTime() ?? 0 }
  }
}
