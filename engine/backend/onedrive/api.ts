import { array, maxLength, minLength, minValue, nullish, number, object, optional, pipe, safeInteger, string, unknown, type InferOutput } from 'valibot'
import { hasCode, HoldfastError } from '../../base/errors.ts'
import { leftOf, type SpaceLeft } from '../../protocol/space.ts'
import type { ByteRange, Pace } from '../backend.ts'
import { readObject } from '../http/reply.ts'
import type { Contents, OneDriveClient } from './client.ts'

const size = pipe(number(), safeInteger(), minValue(0))
const hashes = nullish(object({ quickXorHash: nullish(pipe(string(), maxLength(100))) }))
const item = object({
  id: pipe(string(), minLength(1), maxLength(500)), name: pipe(string(), maxLength(1000)), size: optional(size), lastModifiedDateTime: nullish(string()),
  file: optional(object({ hashes })), folder: optional(unknown()),
})
const items = object({ value: array(item), '@odata.nextLink': optional(pipe(string(), maxLength(16_384))) })
const session = object({ uploadUrl: pipe(string(), maxLength(16_384)) })
/** What is missing; the last range is answered by the file. */
const progress = object({
  nextExpectedRanges: optional(array(pipe(string(), maxLength(100)))),
  id: optional(pipe(string(), minLength(1), maxLength(500))), size: optional(size), file: optional(object({ hashes })),
})
/** Negative where more is used than there is. */
const drive = object({ quota: nullish(object({ total: nullish(pipe(number(), safeInteger())), remaining: nullish(pipe(number(), safeInteger())) })) })
const listed = '$select=id,name,size,file,folder,lastModifiedDateTime'
const pageItems = 1000

export type DriveItem = InferOutput<typeof item>
export interface ItemPage {
  readonly items: readonly DriveItem[]
  readonly next: string | undefined
}

/** What was stored. */
export interface StoredFile {
  readonly id: string
  readonly size: number
  readonly quickXorHash: string | undefined
}

/** How an unfinished upload stands: it waits for this byte; it has all of them, and did not become a file; or it has become one. */
export type SessionState =
  | { readonly type: 'open'; readonly offset: number }
  | { readonly type: 'stuck' }
  | { readonly type: 'complete'; readonly file: StoredFile }

/**
 * The requests that Holdfast makes to OneDrive, one method each: https://learn.microsoft.com/graph/api/resources/onedrive. Paths go from the
 * app folder down.
 */
export class OneDriveApi implements Disposable {
  readonly client: OneDriveClient

  constructor(client: OneDriveClient) {
    this.client = client
  }

  [Symbol.dispose](): void {
    this.client[Symbol.dispose]()
  }

  item(what: string, path: readonly string[], signal: AbortSignal): Promise<DriveItem> {
    return this.client.json(what, { method: 'GET', path: `${addressOf(path)}?${listed}` }, item, signal)
  }

  /** The file at a path. Errors: not-found (also where a folder is, or a stranger's file in other letters), … */
  async file(what: string, path: readonly string[], signal: AbortSignal): Promise<DriveItem & { readonly size: number }> {
    const found = await this.item(what, path, signal)
    if (!found.file || found.size === undefined || found.name !== path.at(-1)) throw new HoldfastError('not-found', `The object does not exist. (${what})`)
    return { ...found, size: found.size }
  }

  /** @param link of the page before; undefined for the first */
  async children(what: string, path: readonly string[], link: string | undefined, signal: AbortSignal): Promise<ItemPage> {
    const request = { method: 'GET', path: link ?? `${addressOf(path, '/children')}?$top=${pageItems}&${listed}` }
    const { value, '@odata.nextLink': next } = await this.client.json(what, request, items, signal)
    if (next !== undefined) this.client.requireOwn(`the list of ${what}`, next)
    return { items: value, next }
  }

  /** Whether a folder is there. Errors: denied (a file is), … */
  async hasFolder(what: string, path: readonly string[], signal: AbortSignal): Promise<boolean> {
    try {
      if ((await this.item(what, path, signal)).folder !== undefined) return true
    } catch (error) {
      if (!hasCode(error, 'not-found')) throw error
      return false
    }
    throw inTheWay(what)
  }

  /** Errors: not-found (the folder above), … That it is there meanwhile is as good. */
  async createFolder(what: string, path: readonly string[], signal: AbortSignal): Promise<void> {
    const json = { name: path.at(-1), folder: {}, '@microsoft.graph.conflictBehavior': 'fail' }
    try {
      await this.client.perform(what, { method: 'POST', path: addressOf(path.slice(0, -1), '/children'), json }, signal)
    } catch (error) {
      if (!hasCode(error, 'exists') || !(await this.hasFolder(what, path, signal))) throw error
    }
  }

  /** A whole file of at most 250 MB. Errors: exists (ifAbsent; else a folder is there), not-found (the folder), … */
  async upload(what: string, path: readonly string[], contents: Contents, ifAbsent: boolean, signal: AbortSignal): Promise<StoredFile> {
    const query = `@microsoft.graph.conflictBehavior=${ifAbsent ? 'fail' : 'replace'}`
    return storedFile(what, await this.client.json(what, { method: 'PUT', path: `${addressOf(path, '/content')}?${query}`, contents }, item, signal))
  }

  /** Resolves to the session's address, which is a key to it. https://learn.microsoft.com/graph/api/driveitem-createuploadsession */
  async beginSession(what: string, path: readonly string[], ifAbsent: boolean, signal: AbortSignal): Promise<string> {
    const json = { item: { '@microsoft.graph.conflictBehavior': ifAbsent ? 'fail' : 'replace' } }
    const { uploadUrl } = await this.client.json(what, { method: 'POST', path: addressOf(path, '/createUploadSession'), json }, session, signal)
    this.client.requireElsewhere(what, uploadUrl)
    return uploadUrl
  }

  /** @param total bytes of the whole file */
  async uploadRange(what: string, url: string, contents: Contents, total: number, signal: AbortSignal): Promise<SessionState> {
    const { offset, length } = contents.part
    const headers = { 'content-range': `bytes ${offset}-${offset + length - 1}/${total}` }
    return stateOf(what, await this.client.json(what, { method: 'PUT', path: url, bare: true, contents, headers }, progress, signal), total)
  }

  async sessionState(what: string, url: string, total: number, signal: AbortSignal): Promise<SessionState> {
    return stateOf(what, await this.client.json(what, { method: 'GET', path: url, bare: true }, progress, signal), total)
  }

  async abortSession(what: string, url: string, signal: AbortSignal): Promise<void> {
    await this.client.perform(what, { method: 'DELETE', path: url, bare: true }, signal)
  }

  /** @param bytes about so many will come */
  read(what: string, path: readonly string[], range: ByteRange | 'all', bytes: number, pace: Pace | undefined, signal: AbortSignal): Promise<Uint8Array> {
    const header = range === 'all' ? undefined : `bytes=${range.offset}-${range.offset + range.length - 1}`
    return this.client.download(what, addressOf(path, '/content'), header, bytes, ({ headers, body }, watch) => {
      const length = /^\d{1,15}$/.test(headers['content-length'] ?? '') ? Number(headers['content-length']) : undefined
      return readObject(what, range, { length, range: headers['content-range'] }, body, watch, pace)
    }, signal)
  }

  /** What is left; undefined where it does not say. https://learn.microsoft.com/graph/api/resources/quota */
  async space(what: string, signal: AbortSignal): Promise<SpaceLeft | undefined> {
    const { quota } = await this.client.json(what, { method: 'GET', path: '/me/drive?$select=quota' }, drive, signal)
    const { total, remaining } = quota ?? {}
    return typeof total === 'number' && typeof remaining === 'number' ? leftOf(total, total - Math.min(total, remaining)) : undefined
  }

  /** Of an item by its id: a path could have become a folder. */
  async remove(what: string, id: string, signal: AbortSignal): Promise<void> {
    await this.client.perform(what, { method: 'DELETE', path: `/me/drive/items/${encodeURIComponent(id)}` }, signal)
  }
}

export function inTheWay(what: string): HoldfastError {
  const advice = 'Use a folder in which nothing else is kept.'
  return new HoldfastError('denied', `Something that is no object stands in the place of ${what} at OneDrive.`, { data: { advice } })
}

/** https://learn.microsoft.com/onedrive/developer/rest-api/concepts/special-folders-appfolder */
function addressOf(path: readonly string[], action = ''): string {
  if (path.length === 0) return `/me/drive/special/approot${action}`
  return `/me/drive/special/approot:/${path.map(encodeURIComponent).join('/')}:${action}`
}

function storedFile(what: string, { id, size: bytes, file }: InferOutput<typeof progress>): StoredFile {
  if (id === undefined || bytes === undefined || !file) throw new HoldfastError('unavailable', `OneDrive does not say what it stored of ${what}.`)
  return { id, size: bytes, quickXorHash: file.hashes?.quickXorHash ?? undefined }
}

/** Ranges that are missing, of which the first is where it goes on. */
function stateOf(what: string, answer: InferOutput<typeof progress>, total: number): SessionState {
  if (answer.id !== undefined) return { type: 'complete', file: storedFile(what, answer) }
  const [first] = answer.nextExpectedRanges ?? []
  if (first === undefined) return { type: 'stuck' }
  const offset = Number(/^(\d{1,15})(?:-|$)/.exec(first)?.[1] ?? NaN)
  if (!(offset <= total)) throw new HoldfastError('unavailable', `OneDrive does not say what has arrived of ${what}.`)
  return offset === total ? { type: 'stuck' } : { type: 'open', offset }
}
