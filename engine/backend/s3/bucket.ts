import {
  AbortMultipartUploadCommand, CompleteMultipartUploadCommand, CreateMultipartUploadCommand, DeleteObjectCommand, GetObjectCommand, HeadObjectCommand,
  ListMultipartUploadsCommand, ListObjectsV2Command, ListPartsCommand, PutObjectCommand, S3Client, UploadPartCommand,
  type CompletedPart, type GetObjectCommandOutput, type HeadObjectCommandOutput, type ListMultipartUploadsCommandOutput,
  type ListObjectsV2CommandOutput, type ListPartsCommandOutput, type PutObjectCommandInput,
} from '@aws-sdk/client-s3'
import { Agent as HttpAgent } from 'node:http'
import { Agent as HttpsAgent } from 'node:https'
import type { Readable } from 'node:stream'
import { hasCode, HoldfastError } from '../../base/errors.ts'
import type { S3Address } from '../url.ts'
import { Activity } from './activity.ts'
import { fileBody, type FileRange } from './body.ts'
import type { Pace } from '../backend.ts'

const connectMs = 15_000
const idleMs = 60_000
/** The SDK would warn on the console that it does not retry streams. */
const silent = { trace: ignore, debug: ignore, info: ignore, warn: ignore, error: ignore }

function ignore(): void {
  // Errors reach the caller; nothing else is of interest.
}

/** The requests that Holdfast makes to a bucket, one method each, with our errors, idle time-outs and without hidden retries. */
export class Bucket {
  readonly name: string
  readonly #client: S3Client
  readonly #agents: readonly [HttpAgent, HttpsAgent]

  /** @param secrets `accessKeyId`, `secretAccessKey`, `sessionToken`. Throws `credentials` when the first two are missing. */
  constructor(address: S3Address, secrets: Readonly<Record<string, string>>, connections: number) {
    this.name = address.bucket
    const sockets = { keepAlive: true, maxSockets: connections, proxyEnv: process.env }
    this.#agents = [new HttpAgent(sockets), new HttpsAgent(sockets)]
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
      requestHandler: { connectionTimeout: connectMs, httpAgent: this.#agents[0], httpsAgent: this.#agents[1] },
    })
  }

  close(): void {
    this.#client.destroy()
    for (const agent of this.#agents) agent.destroy()
  }

  put(input: Omit<PutObjectCommandInput, 'Bucket' | 'Key' | 'Body'>, key: string, makeBody: (activity: Activity) => Uint8Array | Readable, signal: AbortSignal): Promise<void> {
    return this.#request(key, signal, async (activity) => {
      const body = makeBody(activity)
      try {
        await this.#client.send(new PutObjectCommand({ ...input, Bucket: this.name, Key: key, Body: body }), { abortSignal: activity.signal })
      } finally {
        if (!(body instanceof Uint8Array)) body.destroy()
      }
    })
  }

  /** @param read consumes the body; runs under the request's idle time-out */
  get<T>(key: string, range: string | undefined, read: (reply: GetObjectCommandOutput, activity: Activity) => Promise<T>, signal: AbortSignal): Promise<T> {
    return this.#request(key, signal, async (activity) => {
      const reply = await this.#client.send(
        new GetObjectCommand({ Bucket: this.name, Key: key, ...(range === undefined ? {} : { Range: range }) }), { abortSignal: activity.signal })
      return read(reply, activity)
    })
  }

  async head(key: string, signal: AbortSignal): Promise<HeadObjectCommandOutput> {
    try {
      return await this.#request(key, signal, (activity) =>
        this.#client.send(new HeadObjectCommand({ Bucket: this.name, Key: key }), { abortSignal: activity.signal }))
    } catch (error) {
      if (!hasCode(error, 'denied')) throw error
      // The reply to a HEAD has no body and so no reason: another request is refused with one.
      const told: unknown = await this.list(key, undefined, signal).then(() => undefined, (reason: unknown) => reason)
      throw hasCode(told, 'credentials') ? told : error
    }
  }

  async remove(key: string, signal: AbortSignal): Promise<void> {
    await this.#request(key, signal, (activity) =>
      this.#client.send(new DeleteObjectCommand({ Bucket: this.name, Key: key }), { abortSignal: activity.signal }))
  }

  list(prefix: string, token: string | undefined, signal: AbortSignal): Promise<ListObjectsV2CommandOutput> {
    return this.#request(prefix, signal, (activity) => this.#client.send(
      new ListObjectsV2Command({ Bucket: this.name, Prefix: prefix, ...(token === undefined ? {} : { ContinuationToken: token }) }),
      { abortSignal: activity.signal }))
  }

  async createUpload(key: string, signal: AbortSignal): Promise<string> {
    const { UploadId } = await this.#request(key, signal, (activity) =>
      this.#client.send(new CreateMultipartUploadCommand({ Bucket: this.name, Key: key }), { abortSignal: activity.signal }))
    if (UploadId === undefined) throw new HoldfastError('unavailable', 'The storage began an upload without giving it an id.')
    return UploadId
  }

  /** Resolves to the part's ETag. */
  uploadPart(key: string, uploadId: string, part: number, range: FileRange, md5Hex: string, pace: Pace | undefined, onSent: (bytes: number) => void, signal: AbortSignal): Promise<string> {
    return this.#request(key, signal, async (activity) => {
      const body = fileBody(range, activity, pace, onSent)
      try {
        const { ETag } = await this.#client.send(new UploadPartCommand({
          Bucket: this.name, Key: key, UploadId: uploadId, PartNumber: part, Body: body, ContentLength: range.length,
          ContentMD5: Buffer.from(md5Hex, 'hex').toString('base64'),
        }), { abortSignal: activity.signal })
        return ETag ?? `"${md5Hex}"`
      } finally {
        body.destroy()
      }
    })
  }

  listParts(key: string, uploadId: string, marker: string | undefined, signal: AbortSignal): Promise<ListPartsCommandOutput> {
    return this.#request(key, signal, (activity) => this.#client.send(
      new ListPartsCommand({ Bucket: this.name, Key: key, UploadId: uploadId, ...(marker === undefined ? {} : { PartNumberMarker: marker }) }),
      { abortSignal: activity.signal }))
  }

  async completeUpload(key: string, uploadId: string, parts: CompletedPart[], signal: AbortSignal): Promise<void> {
    await this.#request(key, signal, (activity) => this.#client.send(
      new CompleteMultipartUploadCommand({ Bucket: this.name, Key: key, UploadId: uploadId, MultipartUpload: { Parts: parts } }),
      { abortSignal: activity.signal }))
  }

  async abortUpload(key: string, uploadId: string, signal: AbortSignal): Promise<void> {
    await this.#request(key, signal, (activity) =>
      this.#client.send(new AbortMultipartUploadCommand({ Bucket: this.name, Key: key, UploadId: uploadId }), { abortSignal: activity.signal }))
  }

  listUploads(prefix: string, after: { readonly key: string; readonly uploadId: string } | undefined, signal: AbortSignal): Promise<ListMultipartUploadsCommandOutput> {
    const markers = after === undefined ? {} : { KeyMarker: after.key, UploadIdMarker: after.uploadId }
    return this.#request(prefix, signal, (activity) =>
      this.#client.send(new ListMultipartUploadsCommand({ Bucket: this.name, Prefix: prefix, ...markers }), { abortSignal: activity.signal }))
  }

  async #request<T>(key: string, signal: AbortSignal, request: (activity: Activity) => Promise<T>): Promise<T> {
    const run = (): Promise<T> => Activity.run(`${this.name}/${key}`, idleMs, signal, request)
    try {
      return await run()
    } catch (error) {
      // A request refused for its time had no effect, and from the refusal the SDK has learnt the storage's time.
      if (!hasCode(error, 'denied') || error.data['reason'] !== 'RequestTimeTooSkewed') throw error
      return run()
    }
  }
}

function credentialsFrom(secrets: Readonly<Record<string, string>>): { accessKeyId: string; secretAccessKey: string; sessionToken?: string } {
  const { accessKeyId, secretAccessKey, sessionToken } = secrets
  if (!accessKeyId || !secretAccessKey) {
    throw new HoldfastError('credentials', 'Credentials for the storage are missing: AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.')
  }
  return { accessKeyId, secretAccessKey, ...(sessionToken ? { sessionToken } : {}) }
}
