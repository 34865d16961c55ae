import { Dropbox, type files } from 'dropbox'
import { array, boolean, literal, looseObject, maxLength, minValue, null_, number, object, optional, pipe, safeInteger, safeParse, string, variant, type GenericSchema, type InferOutput } from 'valibot'
import type { ByteRange, Pace } from '../backend.ts'
import { BearerClient, type BearerOptions, type Send } from '../http/bearer.ts'
import { causeError, pageCause } from '../http/failure.ts'
import { partBody, type Part } from '../http/parts.ts'
import { readObject, readSmall } from '../http/reply.ts'
import type { ExchangeKind, Watch } from '../http/watch.ts'
import { notDropbox, sdkError, tagError } from './errors.ts'

const size = pipe(number(), safeInteger(), minValue(0))
const token = pipe(string(), maxLength(4096))
const metadata = object({ path_lower: optional(string()), size, rev: token, server_modified: string(), content_hash: optional(token) })
const anyMetadata = variant('.tag', [
  object({ '.tag': literal('file'), ...metadata.entries }), object({ '.tag': literal('folder') }), object({ '.tag': literal('deleted') }),
])
const page = object({ entries: array(anyMetadata), cursor: token, has_more: boolean() })
const finished = object({
  entries: array(variant('.tag', [object({ '.tag': literal('success'), ...metadata.entries }), object({ '.tag': literal('failure'), failure: looseObject({ '.tag': string() }) })])),
})
const session = object({ session_id: token })
const removed = object({ metadata: anyMetadata })
/** Another kind of account would be an answer that says nothing. */
const spaceUsage = object({
  used: size,
  allocation: looseObject({
    '.tag': string(), used: optional(size), allocated: optional(size), user_within_team_space_allocated: optional(size), user_within_team_space_used_cached: optional(size),
    user_within_team_space_limit_type: optional(looseObject({ '.tag': string() })),
  }),
})

export type FileMetadata = InferOutput<typeof metadata>
export type ListPage = InferOutput<typeof page>
export type SpaceUsage = InferOutput<typeof spaceUsage>

/** What is sent in one request. */
export interface Sending extends Part {
  readonly hash: string
  readonly pace: Pace | undefined
  readonly onSent: (bytes: number) => void
}

/** An upload session that has all its bytes, and the file that it becomes. */
export interface Commit {
  readonly sessionId: string
  readonly size: number
  readonly path: string
  readonly ifAbsent: boolean
}

/** What one exchange needs that the SDK does not pass on. */
interface Way {
  readonly what: string
  readonly send: Send
  readonly watch: Watch
  readonly contents?: Sending
  /** Reads an object's body; anything else is read as text. */
  readonly read?: (reply: Awaited<ReturnType<Send>>) => Promise<Uint8Array>
  object?: Uint8Array
}

/**
 * The requests that Holdfast makes to Dropbox, one method each: the SDK writes requests and reads answers, and our HTTP moves them. It
 * gets no token, so that it never renews one. Paths begin with `/`.
 */
export class DropboxApi implements Disposable {
  readonly #client: BearerClient
  readonly #origin: string | undefined
  readonly #ways = new WeakMap<AbortSignal, Way>()
  readonly #sdk: Dropbox

  /** @param origin stands for all of Dropbox's hosts (tests) */
  constructor(options: BearerOptions, origin: string | undefined) {
    this.#client = new BearerClient(options)
    this.#origin = origin
    this.#sdk = new Dropbox({ fetch: (url: unknown, request: unknown) => this.#fetch(String(url), request as SdkRequest) })
  }

  [Symbol.dispose](): void {
    this.#client[Symbol.dispose]()
  }

  /** A whole file of at most 150 MiB. Without `ifAbsent` it replaces. */
  upload(what: string, path: string, contents: Sending, ifAbsent: boolean, signal: AbortSignal): Promise<FileMetadata> {
    return this.#call(what, { contents }, metadata, (options) => this.#sdk.filesUpload({ ...commitInfo(path, ifAbsent), content_hash: contents.hash }, options), signal)
  }

  /** Begins an upload session with its first bytes; resolves to its id. @param close they are all */
  async start(what: string, contents: Sending, close: boolean, signal: AbortSignal): Promise<string> {
    const { session_id } = await this.#call(what, { contents }, session, (options) => this.#sdk.filesUploadSessionStart({ close, content_hash: contents.hash }, options), signal)
    return session_id
  }

  /** Errors: also unavailable with `reason` incorrect_offset (and `correctOffset`), closed, not_found. @param close these are its last bytes */
  async append(what: string, sessionId: string, contents: Sending, close: boolean, signal: AbortSignal): Promise<void> {
    const arg = { cursor: { session_id: sessionId, offset: contents.offset }, close, content_hash: contents.hash }
    await this.#call(what, { contents }, null_(), (options) => this.#sdk.filesUploadSessionAppendV2(arg, options), signal)
  }

  finish(what: string, commit: Commit, signal: AbortSignal): Promise<FileMetadata> {
    return this.#call(what, { moves: 'slow' }, metadata, (options) => this.#sdk.filesUploadSessionFinish(finishArg(commit), options), signal)
  }

  /** Finishes up to a thousand closed sessions; each may fail for itself. */
  async finishBatch(what: string, commits: readonly Commit[], signal: AbortSignal): Promise<readonly (FileMetadata | Error)[]> {
    const { entries } = await this.#call(what, { moves: 'slow' }, finished, (options) => this.#sdk.filesUploadSessionFinishBatchV2({ entries: commits.map(finishArg) }, options), signal)
    if (entries.length !== commits.length) throw notDropbox(what)
    return entries.map((entry, index) => (entry['.tag'] === 'success' ? entry : tagError(commits[index]?.path ?? what, entry.failure, { status: 409 })))
  }

  /** Everything below a folder, folders included, as the first page. */
  list(path: string, signal: AbortSignal): Promise<ListPage> {
    return this.#call(`${path}/`, {}, page, (options) => this.#sdk.filesListFolder({ path, recursive: true, limit: 2000, include_non_downloadable_files: false }, options), signal)
  }

  listMore(path: string, cursor: string, signal: AbortSignal): Promise<ListPage> {
    return this.#call(`${path}/`, {}, page, (options) => this.#sdk.filesListFolderContinue({ cursor }, options), signal)
  }

  /** undefined for a folder. Errors: not-found, … */
  async metadata(what: string, path: string, signal: AbortSignal): Promise<FileMetadata | undefined> {
    const found = await this.#call(what, {}, anyMetadata, (options) => this.#sdk.filesGetMetadata({ path }, options), signal)
    return found['.tag'] === 'file' ? found : undefined
  }

  /** Removes that revision of a file; never a folder. */
  async remove(what: string, path: string, rev: string, signal: AbortSignal): Promise<void> {
    await this.#call(what, {}, removed, (options) => this.#sdk.filesDeleteV2({ path, parent_rev: rev }, options), signal)
  }

  /** Of the whole account. Errors: also credentials (the sign-in does not include it). */
  spaceUsage(what: string, signal: AbortSignal): Promise<SpaceUsage> {
    return this.#call(what, {}, spaceUsage, (options) => this.#sdk.usersGetSpaceUsage(options), signal)
  }

  /** @param bytes about so many will come */
  async download(what: string, path: string, range: ByteRange | 'all', bytes: number, pace: Pace | undefined, signal: AbortSignal): Promise<Uint8Array> {
    const extraHeaders: Record<string, string> = range === 'all' ? {} : { range: `bytes=${range.offset}-${range.offset + range.length - 1}` }
    let object: Uint8Array | undefined
    await this.#client.exchange(what, bytes, (send, watch) => {
      const read: Way['read'] = async ({ headers, body }) => {
        const length = /^\d{1,15}$/.test(headers['content-length'] ?? '') ? Number(headers['content-length']) : undefined
        return (object = await readObject(what, range, { length, range: headers['content-range'] }, body, watch, pace))
      }
      return this.#through({ what, send, watch, read }, (options) => this.#sdk.filesDownload({ path }, { ...options, extraHeaders }))
    }, signal)
    if (!object) throw notDropbox(what)
    return object
  }

  async #call<S extends GenericSchema>(what: string, moves: Moves, schema: S, call: Call, signal: AbortSignal): Promise<InferOutput<S>> {
    const { contents, moves: kind = contents ? contents.length : 'small' } = moves
    const result = await this.#client.exchange(what, kind, (send, watch) => this.#through({ what, send, watch, ...(contents ? { contents } : {}) }, call), signal)
    const answer = safeParse(schema, result)
    if (!answer.success) throw notDropbox(what)
    return answer.output
  }

  async #through(way: Way, call: Call): Promise<unknown> {
    this.#ways.set(way.watch.signal, way)
    try {
      return (await call({ signal: way.watch.signal })).result
    } catch (error) {
      throw sdkError(error, way.what) ?? error
    }
  }

  /** What the SDK calls for each request. */
  async #fetch(address: string, { method, headers, body: text, signal }: SdkRequest): Promise<SdkReply> {
    const way = signal && this.#ways.get(signal)
    if (!way) throw new TypeError('A request without its watch.')
    const { what, send, watch, contents } = way
    const url = this.#origin === undefined ? address : address.replace(/^https:\/\/[^/]+/, this.#origin)
    const body = contents ? partBody(contents, watch, contents.pace, contents.onSent) : Buffer.from(text ?? '')
    try {
      const reply = await send({ method, url, headers: { ...ownHeaders(headers), 'content-length': String(contents ? contents.length : (body as Buffer).length) }, body })
      const { status } = reply
      const ok = status >= 200 && status < 300
      const isPage = /^\s*text\/html\b/i.test(reply.headers['content-type'] ?? '')
      if (ok && way.read && !isPage) {
        await way.read(reply)
        return sdkReply(status, { 'dropbox-api-result': '{}' }, '')
      }
      const answer = await readSmall(reply, watch)
      const cause = isPage || (status >= 300 && status < 400) ? pageCause(ok ? 400 : status) : undefined
      if (cause) throw causeError(cause, [what, `HTTP ${status}`, reply.headers['server'] ?? ''], { status, reason: 'NotDropbox' })
      return sdkReply(status, reply.headers, answer.toString())
    } finally {
      if (!Buffer.isBuffer(body)) body.destroy()
    }
  }
}

type Call = (options: { readonly signal: AbortSignal }) => Promise<{ readonly result: unknown }>

interface Moves {
  readonly contents?: Sending
  readonly moves?: ExchangeKind | number
}

interface SdkRequest {
  readonly method: string
  readonly headers: Readonly<Record<string, string>>
  readonly body?: string | null
  readonly signal?: AbortSignal
}

/** The parts of a Response that the SDK uses. */
interface SdkReply {
  readonly ok: boolean
  readonly status: number
  readonly headers: Headers
  text(): Promise<string>
  arrayBuffer(): Promise<ArrayBuffer>
  blob(): Promise<ArrayBuffer>
}

function sdkReply(status: number, headers: Readonly<Record<string, string>>, text: string): SdkReply {
  const nothing = async (): Promise<ArrayBuffer> => new ArrayBuffer(0)
  return { ok: status >= 200 && status < 300, status, headers: new Headers(headers), text: async () => text, arrayBuffer: nothing, blob: nothing }
}

function ownHeaders(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]))
}

function commitInfo(path: string, ifAbsent: boolean): files.CommitInfo {
  // Without strict_conflict an upload of the very bytes that are there succeeds, and two would have created it.
  return { path, mode: { '.tag': ifAbsent ? 'add' : 'overwrite' }, autorename: false, mute: true, strict_conflict: ifAbsent }
}

function finishArg({ sessionId, size: offset, path, ifAbsent }: Commit): files.UploadSessionFinishArg {
  return { cursor: { session_id: sessionId, offset }, commit: commitInfo(path, ifAbsent) }
}
