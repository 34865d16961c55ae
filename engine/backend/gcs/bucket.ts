import { storage_v1 } from 'googleapis/build/src/apis/storage/v1.js'
import { array, literal, object, optional, pipe, regex, string, type InferOutput } from 'valibot'
import { maximumWholeBytes, type Body, type ByteRange, type Pace, type PutOptions } from '../backend.ts'
import type { GoogleClient } from '../google/client.ts'
import { octets, promisedOf, relatedUpload } from '../google/related.ts'
import { beginSession } from '../google/session.ts'
import { jsonAnswer } from '../http/bearer.ts'
import { sizeOf } from '../http/parts.ts'
import { readObject } from '../http/reply.ts'

const objectFields = 'name,size,updated,generation,md5Hash,crc32c'

const objectResource = object({
  name: string(), size: pipe(string(), regex(/^\d{1,15}$/)), updated: optional(string()), generation: optional(pipe(string(), regex(/^\d{1,20}$/))),
  md5Hash: optional(string()), crc32c: optional(string()),
})
/** An empty list has nothing but its kind. */
const objectList = object({ kind: literal('storage#objects'), items: optional(array(objectResource), []), nextPageToken: optional(string()) })

/** An object of Cloud Storage. Checksums in base64. */
export interface StoredObject {
  readonly key: string
  readonly size: number
  readonly modifiedMs: number
  readonly generation: string | undefined
  readonly md5: string | undefined
  readonly crc32c: string | undefined
}

export interface Digests {
  readonly md5: string
  readonly crc32c: string
}

/** The requests that Holdfast makes to a bucket, one method each. https://cloud.google.com/storage/docs/json_api/v1/objects */
export class Bucket {
  readonly name: string
  readonly #client: GoogleClient
  readonly #objects: storage_v1.Resource$Objects

  constructor(name: string, client: GoogleClient) {
    this.name = name
    this.#client = client
    this.#objects = new storage_v1.Storage({ rootUrl: client.origin }).objects
  }

  get client(): GoogleClient {
    return this.#client
  }

  /** Ascending by name. Errors: not-found (the bucket). */
  async page(prefix: string, token: string | undefined, signal: AbortSignal, most = 1000): Promise<{ readonly objects: readonly StoredObject[]; readonly next: string | undefined }> {
    const { items, nextPageToken } = await this.#client.call(`${this.name}/${prefix}`, objectList, (options) => this.#objects.list({
      bucket: this.name, prefix, maxResults: most, fields: `kind,items(${objectFields}),nextPageToken`, ...(token === undefined ? {} : { pageToken: token }),
    }, options), signal)
    return { objects: items.map(objectOf), next: nextPageToken }
  }

  async stat(key: string, signal: AbortSignal): Promise<StoredObject> {
    return objectOf(await this.#client.call(this.#what(key), objectResource, (options) => this.#objects.get({ bucket: this.name, object: key, fields: objectFields }, options), signal))
  }

  /** Errors: not-found. @param generation removes only that one */
  async remove(key: string, generation: string | undefined, signal: AbortSignal): Promise<void> {
    const exactly = generation === undefined ? {} : { ifGenerationMatch: generation }
    await this.#client.perform(this.#what(key), (options) => this.#objects.delete({ bucket: this.name, object: key, ...exactly }, options), signal)
  }

  /** Whole, in one request; refused when other bytes arrive than the digests are of. Errors: exists (ifAbsent). */
  async upload(key: string, body: Body, digests: Digests, options: PutOptions, signal: AbortSignal): Promise<StoredObject> {
    const request = { method: 'POST', url: this.#uploadUrl('multipart', options.ifAbsent), ...relatedUpload(described(key, digests), body, options) }
    return objectOf(await this.#client.json(this.#what(key), sizeOf(body), request, objectResource, signal))
  }

  /** The address of a session; its last answer is one for `uploaded`. With `ifAbsent`, that last one may be `exists`. */
  beginSession(key: string, size: number, digests: Digests, ifAbsent: boolean | undefined, signal: AbortSignal): Promise<string> {
    return beginSession(this.#client, this.#what(key), { method: 'POST', url: this.#uploadUrl('resumable', ifAbsent) }, described(key, digests), size, signal)
  }

  uploaded(key: string, answer: Buffer): StoredObject {
    return objectOf(jsonAnswer(this.#what(key), objectResource, answer))
  }

  read(key: string, name: string, range: ByteRange | 'all', pace: Pace | undefined, signal: AbortSignal): Promise<Uint8Array> {
    const headers = range === 'all' ? {} : { range: `bytes=${range.offset}-${range.offset + range.length - 1}` }
    const request = { method: 'GET', url: `${this.#client.origin}/storage/v1/b/${encodeURIComponent(this.name)}/o/${encodeURIComponent(key)}?alt=media`, headers }
    return this.#client.exchange(this.#what(key), range === 'all' ? maximumWholeBytes : range.length, request, async (reply, watch) => {
      const promised = promisedOf(reply.headers)
      // What comes in chunks is as long as the object says.
      const length = promised.length ?? (range === 'all' ? (await this.stat(key, signal)).size : undefined)
      return readObject(name, range, { ...promised, length }, reply.body, watch, pace)
    }, signal)
  }

  #what(key: string): string {
    return `${this.name}/${key}`
  }

  /** Generation 0: there is none yet. https://cloud.google.com/storage/docs/request-preconditions */
  #uploadUrl(type: 'multipart' | 'resumable', ifAbsent: boolean | undefined): string {
    return `${this.#client.origin}/upload/storage/v1/b/${encodeURIComponent(this.name)}/o?uploadType=${type}&fields=${encodeURIComponent(objectFields)}${ifAbsent ? '&ifGenerationMatch=0' : ''}`
  }
}

/** Checksums that are told are compared before the object is there: https://cloud.google.com/storage/docs/data-validation */
function described(key: string, { md5, crc32c }: Digests): object {
  return { name: key, contentType: octets, md5Hash: md5, crc32c }
}

function objectOf({ name, size, updated, generation, md5Hash, crc32c }: InferOutput<typeof objectResource>): StoredObject {
  const modifiedMs = Date.parse(updated ?? '')
  return { key: name, size: Number(size), modifiedMs: Number.isFinite(modifiedMs) ? modifiedMs : 0, generation, md5: md5Hash, crc32c }
}
