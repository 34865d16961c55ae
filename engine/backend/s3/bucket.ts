import {
  AbortMultipartUploadCommand, CompleteMultipartUploadCommand, CreateMultipartUploadCommand, DeleteObjectCommand, GetObjectCommand, HeadObjectCommand,
  ListMultipartUploadsCommand, ListObjectsV2Command, ListPartsCommand, PutObjectCommand, S3Client, UploadPartCommand,
  type CompletedPart, type GetObjectCommandOutput, type HeadObjectCommandOutput, type ListMultipartUploadsCommandOutput,
  type ListObjectsV2CommandOutput, type ListPartsCommandOutput, type PutObjectCommandInput,
} from '@aws-sdk/client-s3'
import { Readable } from 'node:stream'
import type { Clock } from '../../base/clock.ts'
import { asHoldfastError, HoldfastError } from '../../base/errors.ts'
import type { Pace, RequestPause } from '../backend.ts'
import { fileBody, type FileRange } from '../http/body.ts'
import { HttpClient } from '../http/client.ts'
import { standardLimits, type HttpLimits } from '../http/limits.ts'
import { Responsiveness, Watch, type ExchangeKind, type WatchOptions } from '../http/watch.ts'
import type { S3Address } from './address.ts'
import { isOfS3, s3Error, saysWhy } from './errors.ts'
import { S3Handler } from './handler.ts'

/** The SDK would warn on the console that it does not retry streams. */
const silent = { trace: ignore, debug: ignore, info: ignore, warn: ignore, error: ignore }

function ignore(): void {
  // Errors reach the caller; nothing else is of interest.
}

export interface BucketOptions {
  /** At most so many at once. */
  readonly connections: number
  readonly clock: Clock
  readonly limits?: HttpLimits
  readonly pause?: RequestPause
}

/** The requests that Holdfast makes to a bucket, one method each, with our errors and limits (http/limits.ts) and without hidden retries. */
export class Bucket {
  readonly name: string
  readonly #client: S3Client
  readonly #http: HttpClient
  readonly #handler: S3Handler
  /** It has answered a request. */
  #isThere = false
  readonly #watching: Pick<WatchOptions, 'clock' | 'limits' | 'host' | 'pause'>

  /** @param secrets `accessKeyId`, `secretAccessKey`, `sessionToken`. Throws `credentials` when the first two are missing. */
  constructor(address: S3Address, secrets: Readonly<Record<string, string>>, { connections, clock, limits = standardLimits, pause }: BucketOptions) {
    this.name = address.bucket
    this.#watching = { clock, limits, host: new Responsiveness(), ...(pause ? { pause } : {}) }
    this.#http = new HttpClient(connections)
    this.#handler = new S3Handler(this.#http)
    this.#client = new S3Client({
      region: address.region,
      ...(address.endpoint === undefined ? {} : { endpoint: address.endpoint }),
      forcePathStyle: address.pathStyle,
      credentials: credentialsFrom(secrets),
      // One place retries (retry.ts), and some puts must never be repeated under their name (rule R5).
      maxAttempts: 1,
      logger: silent,
      // Servers older than 2025 store the trailer of a streamed checksum as part of the object.
      requestChecksumCalculation: 'WHEN_REQUIRED',
      responseChecksumValidation: 'WHEN_REQUIRED',
      expectContinueHeader: false,
      requestHandler: this.#handler,
    })
  }

  close(): void {
    this.#client.destroy()
    this.#http[Symbol.dispose]()
  }

  put(input: Omit<PutObjectCommandInput, 'Bucket' | 'Key' | 'Body'>, key: string, makeBody: (watch: Watch) => Uint8Array | Readable, signal: AbortSignal): Promise<void> {
    return this.#request(key, input.ContentLength ?? 0, signal, async (watch) => {
      const body = makeBody(watch)
      try {
        await this.#client.send(new PutObjectCommand({ ...input, Bucket: this.name, Key: key, Body: body }), { abortSignal: this.#handler.signalOf(watch) })
      } finally {
        if (!(body instanceof Uint8Array)) body.destroy()
      }
    })
  }

  /** @param read consumes the body, of about so many bytes, under the limits of the exchange */
  get<T>(key: string, range: string | undefined, bytes: number, read: (reply: GetObjectCommandOutput, watch: Watch) => Promise<T>, signal: AbortSignal): Promise<T> {
    return this.#request(key, bytes, signal, async (watch) => {
      const reply = await this.#client.send(
        new GetObjectCommand({ Bucket: this.name, Key: key, ...(range === undefined ? {} : { Range: range }) }), { abortSignal: this.#handler.signalOf(watch) })
      return read(reply, watch)
    })
  }

  async head(key: string, signal: AbortSignal): Promise<HeadObjectCommandOutput> {
    let ofS3 = false
    const head = (): Promise<HeadObjectCommandOutput> => this.#request(key, 'small', signal, (watch) =>
      this.#client.send(new HeadObjectCommand({ Bucket: this.name, Key: key }), { abortSignal: this.#handler.signalOf(watch) })
        .catch((error: unknown) => {
          ofS3 = isOfS3(error)
          throw error
        }))
    try {
      return await head()
    } catch (error) {
      if (!(error instanceof HoldfastError) || saysWhy(error) || !isRefusal(error.data['status'])) throw error
      // A bucket that has answered is there: what an S3 server then does not find is the object.
      if (this.#isThere && error.data['status'] === 404 && ofS3) throw error
      // The reply to a HEAD has no body and so no reason: the same with GET has one. It can also have put the clock right.
      const told = await this.get(key, 'bytes=0-0', 1, drop, signal).catch((reason: unknown) => asHoldfastError(reason))
      if (told === undefined) return head()
      throw saysWhy(told) ? told : error
    }
  }

  async remove(key: string, signal: AbortSignal): Promise<void> {
    await this.#request(key, 'small', signal, (watch) =>
      this.#client.send(new DeleteObjectCommand({ Bucket: this.name, Key: key }), { abortSignal: this.#handler.signalOf(watch) }))
  }

  list(prefix: string, token: string | undefined, signal: AbortSignal): Promise<ListObjectsV2CommandOutput> {
    return this.#request(prefix, 'small', signal, (watch) => this.#client.send(
      new ListObjectsV2Command({ Bucket: this.name, Prefix: prefix, ...(token === undefined ? {} : { ContinuationToken: token }) }),
      { abortSignal: this.#handler.signalOf(watch) }))
  }

  async createUpload(key: string, signal: AbortSignal): Promise<string> {
    const { UploadId } = await this.#request(key, 'small', signal, (watch) =>
      this.#client.send(new CreateMultipartUploadCommand({ Bucket: this.name, Key: key }), { abortSignal: this.#handler.signalOf(watch) }))
    if (UploadId === undefined) throw new HoldfastError('unavailable', 'The storage began an upload without giving it an id.')
    return UploadId
  }

  /** Resolves to the part's ETag. */
  uploadPart(key: string, uploadId: string, part: number, range: FileRange, md5Hex: string, pace: Pace | undefined, onSent: (bytes: number) => void, signal: AbortSignal): Promise<string> {
    return this.#request(key, range.length, signal, async (watch) => {
      const body = fileBody(range, watch, pace, onSent)
      try {
        const { ETag } = await this.#client.send(new UploadPartCommand({
          Bucket: this.name, Key: key, UploadId: uploadId, PartNumber: part, Body: body, ContentLength: range.length,
          ContentMD5: Buffer.from(md5Hex, 'hex').toString('base64'),
        }), { abortSignal: this.#handler.signalOf(watch) })
        return ETag ?? `"${md5Hex}"`
      } finally {
        body.destroy()
      }
    })
  }

  listParts(key: string, uploadId: string, marker: string | undefined, signal: AbortSignal): Promise<ListPartsCommandOutput> {
    return this.#request(key, 'small', signal, (watch) => this.#client.send(
      new ListPartsCommand({ Bucket: this.name, Key: key, UploadId: uploadId, ...(marker === undefined ? {} : { PartNumberMarker: marker }) }),
      { abortSignal: this.#handler.signalOf(watch) }))
  }

  async completeUpload(key: string, uploadId: string, parts: CompletedPart[], signal: AbortSignal): Promise<void> {
    await this.#request(key, 'slow', signal, (watch) => this.#client.send(
      new CompleteMultipartUploadCommand({ Bucket: this.name, Key: key, UploadId: uploadId, MultipartUpload: { Parts: parts } }),
      { abortSignal: this.#handler.signalOf(watch) }))
  }

  async abortUpload(key: string, uploadId: string, signal: AbortSignal): Promise<void> {
    await this.#request(key, 'small', signal, (watch) =>
      this.#client.send(new AbortMultipartUploadCommand({ Bucket: this.name, Key: key, UploadId: uploadId }), { abortSignal: this.#handler.signalOf(watch) }))
  }

  listUploads(prefix: string, after: { readonly key: string; readonly uploadId: string } | undefined, signal: AbortSignal): Promise<ListMultipartUploadsCommandOutput> {
    const markers = after === undefined ? {} : { KeyMarker: after.key, UploadIdMarker: after.uploadId }
    return this.#request(prefix, 'small', signal, (watch) =>
      this.#client.send(new ListMultipartUploadsCommand({ Bucket: this.name, Prefix: prefix, ...markers }), { abortSignal: this.#handler.signalOf(watch) }))
  }

  async #request<T>(key: string, moves: ExchangeKind | number, signal: AbortSignal, request: (watch: Watch) => Promise<T>): Promise<T> {
    const what = `${this.name}/${key}`
    const kind = typeof moves === 'number' ? { kind: 'object' as const, bytes: moves } : { kind: moves }
    const run = (): Promise<T> => Watch.run({ ...kind, ...this.#watching }, signal, request).catch((error: unknown) => { throw s3Error(error, what) })
    try {
      const result = await run()
      this.#isThere = true
      return result
    } catch (error) {
      // A request refused for its time had no effect, and from the refusal the SDK has learnt the storage's time.
      if (!(error instanceof HoldfastError) || error.data['reason'] !== 'RequestTimeTooSkewed') throw error
      return run()
    }
  }
}

async function drop({ Body }: GetObjectCommandOutput): Promise<undefined> {
  if (Body instanceof Readable) Body.destroy()
}

function isRefusal(status: unknown): boolean {
  return typeof status === 'number' && status >= 300 && status < 500 && status !== 412 && status !== 416
}

function credentialsFrom(secrets: Readonly<Record<string, string>>): { accessKeyId: string; secretAccessKey: string; sessionToken?: string } {
  const { accessKeyId, secretAccessKey, sessionToken } = secrets
  if (!accessKeyId || !secretAccessKey) {
    throw new HoldfastError('credentials', 'Credentials for the storage are missing: AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.')
  }
  return { accessKeyId, secretAccessKey, ...(sessionToken ? { sessionToken } : {}) }
}
