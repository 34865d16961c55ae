import { throwIfAborted } from '../../base/abort.ts'
import { hasCode, HoldfastError } from '../../base/errors.ts'
import type { BackendTraits, Body, ByteRange, ObjectInfo, Pace, PutOptions, StorageBackend, UploadJournal } from '../backend.ts'
import { base64Digests } from '../google/checksums.ts'
import type { GoogleClient } from '../google/client.ts'
import { putInSession } from '../google/session-upload.ts'
import { causeError } from '../http/failure.ts'
import { PageGuard } from '../http/pages.ts'
import { sizeOf } from '../http/parts.ts'
import { isObjectName, requireObjectName, requirePrefix } from '../name.ts'
import type { GcsAddress } from './address.ts'
import { Bucket, type Digests, type StoredObject } from './bucket.ts'
import { noBucket } from './errors.ts'
import type { TokenSource } from './token.ts'

export const maximumConnections = 64
/** Files larger than this go up in a session, which costs one request more. */
const sessionBytes = 8 * 1024 * 1024
const mostBytes = 5 * 1024 ** 4
const cleanUpMs = 900

export interface GcsOptions {
  readonly client: GoogleClient
  readonly tokens: TokenSource
  readonly journal: UploadJournal | undefined
  /** Who is signed in: two of one name share the cap. */
  readonly account: string
}

/** A repository in a bucket of Google Cloud Storage; objects have the address's prefix before their names. */
export class GcsBackend implements StorageBackend {
  readonly label: string
  readonly traits: BackendTraits
  readonly #client: GoogleClient
  readonly #tokens: TokenSource
  readonly #bucket: Bucket
  readonly #prefix: string
  readonly #journal: UploadJournal | undefined
  /** It has answered for the bucket. */
  #isKnown = false

  constructor({ bucket, prefix }: GcsAddress, { client, tokens, journal, account }: GcsOptions) {
    this.#client = client
    this.#tokens = tokens
    this.#bucket = new Bucket(bucket, client)
    this.#prefix = prefix
    this.#journal = journal
    this.label = `gs://${bucket}/${prefix}`
    this.traits = {
      maxConnections: maximumConnections, exclusiveCreate: true, resumable: journal !== undefined, distance: 'far',
      listing: { order: 'ascending', cost: 'prefix' }, largestPut: mostBytes, account: `gcs:${account}`,
    }
  }

  async put(name: string, body: Body, options: PutOptions, signal: AbortSignal): Promise<void> {
    requireObjectName(name)
    throwIfAborted(signal)
    await this.#inBucket(async () => {
      const digests = await base64Digests(body, signal)
      // What was begun in a session ends so: its name is one attempt (rule R5).
      const begun = !options.ifAbsent && this.#journal?.get(name) !== undefined
      if (body.type === 'file' && (body.size > sessionBytes || begun)) await this.#putInSession(name, body, digests, options, signal)
      else await this.#verified(name, await this.#bucket.upload(this.#prefix + name, body, digests, options, signal), sizeOf(body), digests)
    })
    options.onProgress?.(sizeOf(body))
  }

  async get(name: string, range: ByteRange | 'all', signal: AbortSignal, pace?: Pace): Promise<Uint8Array> {
    requireObjectName(name)
    if (range !== 'all' && range.length === 0) return this.#nothingOf(name, range.offset, signal)
    return this.#ofObject(() => this.#bucket.read(this.#prefix + name, name, range, pace, signal), signal)
  }

  async stat(name: string, signal: AbortSignal): Promise<ObjectInfo> {
    requireObjectName(name)
    const { size, modifiedMs } = await this.#ofObject(() => this.#bucket.stat(this.#prefix + name, signal), signal)
    return { name, size, modifiedMs }
  }

  async *list(prefix: string, signal: AbortSignal): AsyncIterable<ObjectInfo> {
    requirePrefix(prefix)
    const guard = new PageGuard(this.#prefix + prefix)
    for (let page = this.#page(prefix, undefined, guard, signal); ; ) {
      const { infos, next } = await page
      // The next page is under way while the caller works on this one.
      if (next !== undefined) page = this.#page(prefix, next, guard, signal)
      for (const info of infos) {
        throwIfAborted(signal)
        yield info
      }
      if (next === undefined) return
    }
  }

  async remove(name: string, signal: AbortSignal): Promise<void> {
    requireObjectName(name)
    await this.#ofObject(() => this.#bucket.remove(this.#prefix + name, undefined, signal), signal).catch((error: unknown) => {
      if (!hasCode(error, 'not-found')) throw error
    })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#client[Symbol.dispose]()
    this.#tokens[Symbol.dispose]()
  }

  /** A condition is looked at when the session ends; an unfinished one is then nobody's to go on with. */
  #putInSession(name: string, body: Extract<Body, { type: 'file' }>, digests: Digests, options: PutOptions, signal: AbortSignal): Promise<void> {
    const key = this.#prefix + name
    return putInSession({
      client: this.#client, name, journal: options.ifAbsent ? undefined : this.#journal,
      begin: async (until) => ({ address: await this.#bucket.beginSession(key, body.size, digests, options.ifAbsent, until) }),
      verify: (answer) => this.#verified(name, this.#bucket.uploaded(key, answer), body.size, digests),
      isThere: async (_id, until) => {
        try {
          return isAsSent(await this.#bucket.stat(key, until), body.size, digests)
        } catch (error) {
          if (hasCode(error, 'not-found')) return false
          throw error
        }
      },
    }, body, options, signal)
  }

  /** Cloud Storage compares itself; this tells whether it did. */
  async #verified(name: string, stored: StoredObject, size: number, digests: Digests): Promise<void> {
    if (isAsSent(stored, size, digests)) return
    await this.#bucket.remove(this.#prefix + name, stored.generation, AbortSignal.timeout(cleanUpMs)).catch(() => undefined)
    throw new HoldfastError('unavailable', `Cloud Storage received other bytes of ${name} than were sent.`, { data: { advice: 'Run the command again. If it happens again, the network or memory of a machine on the way is at fault.' } })
  }

  /** Whether 404 is told of the object or of the bucket is not said: while nobody has seen the bucket, it is asked for. */
  async #ofObject<T>(request: () => Promise<T>, signal: AbortSignal): Promise<T> {
    try {
      const result = await request()
      this.#isKnown = true
      return result
    } catch (error) {
      if (!hasCode(error, 'not-found') || this.#isKnown) throw error
      await this.#inBucket(() => this.#bucket.page(this.#prefix, undefined, signal, 1))
      throw error
    }
  }

  /** Where 404 can only be told of the bucket. */
  async #inBucket<T>(request: () => Promise<T>): Promise<T> {
    try {
      const result = await request()
      this.#isKnown = true
      return result
    } catch (error) {
      if (hasCode(error, 'not-found')) throw causeError(noBucket, [this.#bucket.name], { reason: 'NoSuchBucket' }, error)
      throw error
    }
  }

  async #nothingOf(name: string, offset: number, signal: AbortSignal): Promise<Uint8Array> {
    if (offset > (await this.stat(name, signal)).size) throw new HoldfastError('damaged', `${name} ends before the bytes that were asked for.`)
    return new Uint8Array(0)
  }

  #page(prefix: string, token: string | undefined, guard: PageGuard, signal: AbortSignal): Promise<{ readonly infos: readonly ObjectInfo[]; readonly next: string | undefined }> {
    const page = this.#inBucket(() => this.#bucket.page(this.#prefix + prefix, token, signal)).then(({ objects, next }) => {
      const infos: ObjectInfo[] = []
      for (const { key, size, modifiedMs } of objects) {
        const name = key.startsWith(this.#prefix) ? key.slice(this.#prefix.length) : ''
        const ours = isObjectName(name)
        guard.name(key, ours)
        if (ours) infos.push({ name, size, modifiedMs })
      }
      guard.page(token, next, next !== undefined)
      return { infos, next }
    })
    // A page asked for ahead may fail when nobody wants it any more.
    page.catch(() => undefined)
    return page
  }
}

/** At least one checksum is told of each object: composed ones have no MD5. */
function isAsSent({ size, md5, crc32c }: StoredObject, sentBytes: number, digests: Digests): boolean {
  return size === sentBytes && (md5 ?? digests.md5) === digests.md5 && (crc32c ?? digests.crc32c) === digests.crc32c && (md5 ?? crc32c) !== undefined
}
