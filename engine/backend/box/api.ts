import { randomBytes } from 'node:crypto'
import { array, finite, literal, maxLength, minValue, nullish, number, object, optional, picklist, pipe, regex, safeInteger, string, tuple, type InferOutput } from 'valibot'
import { hasCode, HoldfastError } from '../../base/errors.ts'
import { leftOf, type SpaceLeft } from '../../protocol/space.ts'
import type { ByteRange, Pace } from '../backend.ts'
import { readObject } from '../http/reply.ts'
import type { BoxClient, BoxRequest, Contents } from './client.ts'
import { boxId, type ConflictItem } from './errors.ts'

const size = pipe(number(), safeInteger(), minValue(0))
const sha1 = pipe(string(), regex(/^[0-9a-f]{40}$/i))
const file = object({ type: literal('file'), id: boxId, name: string(), size, sha1: nullish(sha1), modified_at: nullish(string()) })
const files = object({ entries: tuple([file]) })
const folder = object({ type: literal('folder'), id: boxId })
const item = object({ type: picklist(['file', 'folder', 'web_link']), id: boxId, name: string(), size: optional(size), modified_at: nullish(string()) })
const items = object({ entries: array(item), next_marker: nullish(pipe(string(), maxLength(4096))) })
const session = object({ id: pipe(string(), regex(/^[0-9A-Za-z_-]{1,200}$/)), part_size: pipe(number(), safeInteger(), minValue(1)) })
const part = object({ part_id: pipe(string(), maxLength(200)), offset: size, size, sha1: nullish(sha1) })
const user = object({ space_amount: nullish(pipe(number(), finite())), space_used: nullish(pipe(number(), finite())) })
/** What is told of an account without a limit, if it is not -1. */
const withoutLimit = 999_999_999_999_999
const fileFields = 'fields=id,type,name,size,sha1,modified_at'

export type BoxFile = InferOutput<typeof file>
export type BoxItem = InferOutput<typeof item>
export type UploadedPart = InferOutput<typeof part>
export interface UploadSession {
  readonly id: string
  readonly partBytes: number
}

/** Where a file comes to lie: new in a folder, or as the newest version of one. */
export type Place = { readonly type: 'new'; readonly parent: string; readonly name: string } | { readonly type: 'version'; readonly id: string; readonly name: string }

/** The requests that Holdfast makes to Box, one method each: https://developer.box.com/reference */
export class BoxApi {
  readonly client: BoxClient

  constructor(client: BoxClient) {
    this.client = client
  }

  /** @param marker of the page before; undefined for the first */
  async items(what: string, folderId: string, marker: string | undefined, signal: AbortSignal): Promise<{ readonly items: readonly BoxItem[]; readonly next: string | undefined }> {
    const query = new URLSearchParams({ usemarker: 'true', limit: '1000', fields: 'id,type,name,size,modified_at', ...(marker === undefined ? {} : { marker }) })
    const { entries, next_marker } = await this.client.json(what, { method: 'GET', path: `/folders/${folderId}/items?${query.toString()}` }, items, signal)
    return { items: entries, next: next_marker ? next_marker : undefined }
  }

  /**
   * What has a name in a folder now, undefined for nothing: asked by the check before an upload, which a refusal answers. (A search lags
   * behind, and a list has a thousand names.) Errors: not-found (the folder), …
   */
  async find(what: string, parent: string, name: string, signal: AbortSignal): Promise<ConflictItem | undefined> {
    try {
      await this.client.perform(what, { method: 'OPTIONS', path: '/files/content', json: { name, parent: { id: parent } } }, signal)
      return undefined
    } catch (error) {
      if (!hasCode(error, 'exists')) throw error
      const item = conflictOf(error)
      if (!item) throw new HoldfastError('unavailable', `Box does not say what has the name ${what}.`, { cause: error })
      return item
    }
  }

  /** Its id; that of the folder that is there, where there is one. Errors: denied (a file is), not-found (the parent), … */
  async createFolder(what: string, parent: string, name: string, signal: AbortSignal): Promise<string> {
    try {
      return (await this.client.json(what, { method: 'POST', path: '/folders?fields=id,type', json: { name, parent: { id: parent } } }, folder, signal)).id
    } catch (error) {
      if (!hasCode(error, 'exists')) throw error
      const there = conflictOf(error) ?? await this.find(what, parent, name, signal)
      if (there?.type === 'folder') return there.id
      throw there ? inTheWay(what) : new HoldfastError('unavailable', `Box says that there is, and is not, a folder at ${what}.`, { cause: error })
    }
  }

  /** Of the user; undefined where there is no limit. https://developer.box.com/reference/get-users-me */
  async space(what: string, signal: AbortSignal): Promise<SpaceLeft | undefined> {
    const { space_amount, space_used } = await this.client.json(what, { method: 'GET', path: '/users/me?fields=space_amount,space_used' }, user, signal)
    return typeof space_amount === 'number' && typeof space_used === 'number' && space_amount < withoutLimit ? leftOf(space_amount, space_used) : undefined
  }

  file(what: string, id: string, signal: AbortSignal): Promise<BoxFile> {
    return this.client.json(what, { method: 'GET', path: `/files/${id}?${fileFields}` }, file, signal)
  }

  /** A whole file of at most 50 MB. Errors: exists (a new one), not-found (the folder, the file), … */
  async upload(what: string, place: Place, contents: Contents, digest: Buffer, signal: AbortSignal): Promise<BoxFile> {
    const boundary = `holdfast-${randomBytes(16).toString('hex')}`
    const attributes = JSON.stringify(place.type === 'new' ? { name: place.name, parent: { id: place.parent } } : { name: place.name })
    // The attributes come first, or Box refuses; its content-md5 is a SHA-1.
    const head = Buffer.from(`--${boundary}\r\ncontent-disposition: form-data; name="attributes"\r\n\r\n${attributes}\r\n--${boundary}\r\ncontent-disposition: form-data; name="file"; filename="object"\r\ncontent-type: application/octet-stream\r\n\r\n`)
    const request: BoxRequest = {
      method: 'POST', upload: true, path: `${place.type === 'new' ? '/files/content' : `/files/${place.id}/content`}?${fileFields}`,
      headers: { 'content-type': `multipart/form-data; boundary=${boundary}`, 'content-md5': digest.toString('hex') },
      contents: { ...contents, head, tail: Buffer.from(`\r\n--${boundary}--\r\n`) },
    }
    return (await this.client.json(what, request, files, signal)).entries[0]
  }

  async beginSession(what: string, place: Place, bytes: number, signal: AbortSignal): Promise<UploadSession> {
    const request = place.type === 'new'
      ? { path: '/files/upload_sessions', json: { folder_id: place.parent, file_name: place.name, file_size: bytes } }
      : { path: `/files/${place.id}/upload_sessions`, json: { file_size: bytes } }
    const { id, part_size } = await this.client.json(what, { method: 'POST', upload: true, ...request }, session, signal)
    return { id, partBytes: part_size }
  }

  /** @param total bytes of the whole file */
  async uploadPart(what: string, sessionId: string, contents: Contents, digest: Buffer, total: number, signal: AbortSignal): Promise<UploadedPart> {
    const { offset, length } = contents.part
    const { part: uploaded } = await this.client.json(what, {
      method: 'PUT', upload: true, path: `/files/upload_sessions/${sessionId}`, contents,
      headers: { 'content-type': 'application/octet-stream', digest: digestHeader(digest), 'content-range': `bytes ${offset}-${offset + length - 1}/${total}` },
    }, object({ part }), signal)
    return uploaded
  }

  async parts(what: string, sessionId: string, offset: number, signal: AbortSignal): Promise<readonly UploadedPart[]> {
    const request = { method: 'GET', upload: true, path: `/files/upload_sessions/${sessionId}/parts?offset=${offset}&limit=1000` }
    return (await this.client.json(what, request, object({ entries: array(part) }), signal)).entries
  }

  /** undefined: Box is still putting the parts together, and was waited for. */
  async commit(what: string, sessionId: string, parts: readonly UploadedPart[], digest: Buffer, signal: AbortSignal): Promise<BoxFile | undefined> {
    const request: BoxRequest = { method: 'POST', upload: true, path: `/files/upload_sessions/${sessionId}/commit`, json: { parts }, headers: { digest: digestHeader(digest) }, moves: 'slow' }
    return (await this.client.jsonWhenReady(what, request, files, signal))?.entries[0]
  }

  async abortSession(what: string, sessionId: string, signal: AbortSignal): Promise<void> {
    await this.client.perform(what, { method: 'DELETE', upload: true, path: `/files/upload_sessions/${sessionId}` }, signal)
  }

  /** @param bytes about so many will come */
  read(what: string, id: string, range: ByteRange | 'all', bytes: number, pace: Pace | undefined, signal: AbortSignal): Promise<Uint8Array> {
    const header = range === 'all' ? undefined : `bytes=${range.offset}-${range.offset + range.length - 1}`
    return this.client.download(what, id, header, bytes, ({ headers, body }, watch) => {
      const length = /^\d{1,15}$/.test(headers['content-length'] ?? '') ? Number(headers['content-length']) : undefined
      return readObject(what, range, { length, range: headers['content-range'] }, body, watch, pace)
    }, signal)
  }

  /** To the trash, as the account's owner has it set. */
  async remove(what: string, id: string, signal: AbortSignal): Promise<void> {
    await this.client.perform(what, { method: 'DELETE', path: `/files/${id}` }, signal)
  }
}

/** What has the name that was refused. */
export function conflictOf(error: unknown): ConflictItem | undefined {
  if (!hasCode(error, 'exists')) return undefined
  const { conflictId, conflictType, conflictName } = error.data
  if (typeof conflictId !== 'string' || (conflictType !== 'file' && conflictType !== 'folder' && conflictType !== 'web_link')) return undefined
  return { id: conflictId, type: conflictType, ...(typeof conflictName === 'string' && conflictName !== '' ? { name: conflictName } : {}) }
}

export function inTheWay(what: string): HoldfastError {
  return new HoldfastError('denied', `Something that is no object stands in the place of ${what} at Box.`, { data: { advice: 'Use a folder in which nothing else is kept.' } })
}

/** RFC 3230. */
function digestHeader(digest: Buffer): string {
  return `sha=${digest.toString('base64')}`
}
