import { drive_v3 } from 'googleapis/build/src/apis/drive/v3.js'
import { array, boolean, literal, object, optional, pipe, regex, string, type InferOutput } from 'valibot'
import { HoldfastError } from '../../base/errors.ts'
import { leftOf, type SpaceLeft } from '../../protocol/space.ts'
import { maximumWholeBytes, type Body, type ByteRange, type Pace, type PutOptions } from '../backend.ts'
import type { GoogleClient } from '../google/client.ts'
import { mediaUpload, octets, promisedOf, relatedUpload } from '../google/related.ts'
import { beginSession } from '../google/session.ts'
import { jsonAnswer } from '../http/bearer.ts'
import { sizeOf } from '../http/parts.ts'
import { readObject } from '../http/reply.ts'

const folderType = 'application/vnd.google-apps.folder'
/** My Drive. */
export const myDrive = 'root'
const listedFields = 'id,name,mimeType,parents,size,createdTime,modifiedTime,trashed'
const fileFields = `${listedFields},md5Checksum,sha256Checksum`
const idsAtOnce = 50

/** Ids go into queries and paths. */
const id = pipe(string(), regex(/^[A-Za-z0-9_-]{1,128}$/))
const fileResource = object({
  id, name: string(), mimeType: optional(string()), parents: optional(array(string())), size: optional(string()), createdTime: optional(string()), modifiedTime: optional(string()),
  md5Checksum: optional(string()), sha256Checksum: optional(string()), trashed: optional(boolean()),
})
/** An empty list of anything else has no kind. */
const fileList = object({ kind: literal('drive#fileList'), nextPageToken: optional(string()), incompleteSearch: optional(boolean()), files: optional(array(fileResource), []) })
const amount = optional(pipe(string(), regex(/^\d{1,15}$/)))
/** Without a limit: as much as one likes, or what an organisation shares. */
const about = object({ storageQuota: object({ limit: amount, usage: amount }) })
const generatedIds = object({ ids: array(id) })

type Listed = InferOutput<typeof fileResource>

/** A file or folder of Drive, as far as it matters here. */
export interface DriveFile {
  readonly id: string
  readonly name: string
  readonly isFolder: boolean
  /** Absent: it has no bytes of its own (a folder, a document of Google's). */
  readonly size: number | undefined
  readonly createdMs: number
  readonly modifiedMs: number
  readonly md5: string | undefined
  readonly sha256: string | undefined
  readonly trashed: boolean
}

export interface DrivePage {
  readonly files: readonly DriveFile[]
  readonly next: string | undefined
}

/** Where bytes go: to a new file of an id that was generated for it, or to one that is there. */
export type UploadPlace =
  | { readonly type: 'new'; readonly id: string; readonly name: string; readonly parent: string }
  | { readonly type: 'there'; readonly id: string }

/**
 * The requests that Holdfast makes to Drive, one method each. Only files that Holdfast made itself are seen (scope drive.file), none in the
 * bin. https://developers.google.com/workspace/drive/api/reference/rest/v3/files
 */
export class Drive {
  readonly #client: GoogleClient
  readonly #files: drive_v3.Resource$Files
  readonly #about: drive_v3.Resource$About
  #ids: string[] = []

  constructor(client: GoogleClient) {
    this.#client = client
    const drive = new drive_v3.Drive({ rootUrl: client.origin })
    this.#files = drive.files
    this.#about = drive.about
  }

  get client(): GoogleClient {
    return this.#client
  }

  /**
   * By parent: unlike a search by name, that shows what was just written. Errors: also unsupported (files from elsewhere), unavailable (a
   * token that is not taken any more: the list has to begin anew).
   */
  async page(parent: string, token: string | undefined, signal: AbortSignal): Promise<DrivePage> {
    const { files, nextPageToken, incompleteSearch } = await this.#client.call('a folder', fileList, (options) => this.#files.list({
      q: `'${parent}' in parents and trashed = false`, pageSize: 1000, spaces: 'drive', fields: `kind,nextPageToken,incompleteSearch,files(${listedFields})`,
      ...(token === undefined ? {} : { pageToken: token }),
    }, options), signal).catch((error: unknown) => { throw token === undefined ? error : withdrawn(error) })
    if (incompleteSearch === true) throw new HoldfastError('unavailable', 'Google Drive did not look everywhere for the files of a folder.')
    // My Drive has an id of its own there.
    const isForeign = ({ parents }: Listed): boolean => parent !== myDrive && parents !== undefined && !parents.includes(parent)
    if (files.some(isForeign)) throw new HoldfastError('unsupported', 'Google Drive lists files of other folders than was asked for.', { data: { reason: 'BadListing' } })
    return { files: files.map(fileOf).filter(({ trashed }) => !trashed), next: nextPageToken }
  }

  /** Errors: not-found. */
  async file(fileId: string, what: string, signal: AbortSignal): Promise<DriveFile> {
    return fileOf(await this.#client.call(what, fileResource, (options) => this.#files.get({ fileId, fields: fileFields }, options), signal))
  }

  /** An id for a new file or folder: a second creation with it is refused (`isTaken`), so that a lost reply leads to no second file. */
  async newId(signal: AbortSignal): Promise<string> {
    if (this.#ids.length === 0) {
      const { ids } = await this.#client.call('new ids', generatedIds, (options) => this.#files.generateIds({ count: idsAtOnce, space: 'drive', type: 'files' }, options), signal)
      this.#ids.push(...ids.slice(0, idsAtOnce))
    }
    const next = this.#ids.pop()
    if (next === undefined) throw new HoldfastError('unavailable', 'Google Drive gives no id for a new file.')
    return next
  }

  /** Errors: one that `isTaken`, not-found (the parent). */
  async createFolder(place: Extract<UploadPlace, { type: 'new' }>, signal: AbortSignal): Promise<void> {
    await this.#client.call(place.name, object({ id }), (options) => this.#files.create({
      requestBody: { id: place.id, name: place.name, parents: [place.parent], mimeType: folderType }, fields: 'id',
    }, options), signal)
  }

  /** Of the account, with its mail and photographs. https://developers.google.com/workspace/drive/api/reference/rest/v3/about */
  async space(what: string, signal: AbortSignal): Promise<SpaceLeft | undefined> {
    const { storageQuota: { limit, usage } } = await this.#client.call(what, about, (options) => this.#about.get({ fields: 'storageQuota' }, options), signal)
    return limit === undefined || usage === undefined ? undefined : leftOf(Number(limit), Number(usage))
  }

  /** For good, not into the bin. Errors: not-found. */
  async remove(fileId: string, what: string, signal: AbortSignal): Promise<void> {
    await this.#client.perform(what, (options) => this.#files.delete({ fileId }, options), signal)
  }

  /** Whole, in one request. Errors: one that `isTaken`, not-found (the parent, or the file that is replaced). */
  async upload(place: UploadPlace, what: string, body: Body, options: PutOptions, signal: AbortSignal): Promise<DriveFile> {
    const request = place.type === 'new'
      ? { method: 'POST', url: this.#uploadUrl('', 'multipart'), ...relatedUpload(newFile(place), body, options) }
      : { method: 'PATCH', url: this.#uploadUrl(place.id, 'media'), ...mediaUpload(body, options) }
    return fileOf(await this.#client.json(what, sizeOf(body), request, fileResource, signal))
  }

  /** The address of a session; its last answer is one for `uploaded`. */
  beginSession(place: UploadPlace, what: string, size: number, signal: AbortSignal): Promise<string> {
    if (place.type === 'new') return beginSession(this.#client, what, { method: 'POST', url: this.#uploadUrl('', 'resumable') }, newFile(place), size, signal)
    return beginSession(this.#client, what, { method: 'PATCH', url: this.#uploadUrl(place.id, 'resumable') }, {}, size, signal)
  }

  uploaded(what: string, answer: Buffer): DriveFile {
    return fileOf(jsonAnswer(what, fileResource, answer))
  }

  read(fileId: string, name: string, range: ByteRange | 'all', pace: Pace | undefined, signal: AbortSignal): Promise<Uint8Array> {
    const headers = range === 'all' ? {} : { range: `bytes=${range.offset}-${range.offset + range.length - 1}` }
    const request = { method: 'GET', url: `${this.#client.origin}/drive/v3/files/${fileId}?alt=media`, headers }
    return this.#client.exchange(name, range === 'all' ? maximumWholeBytes : range.length, request, async (reply, watch) => {
      const promised = promisedOf(reply.headers)
      // What comes in chunks is as long as the file says.
      const length = promised.length ?? (range === 'all' ? (await this.file(fileId, name, signal)).size : undefined)
      return readObject(name, range, { ...promised, length }, reply.body, watch, pace)
    }, signal)
  }

  #uploadUrl(fileId: string, type: 'multipart' | 'media' | 'resumable'): string {
    return `${this.#client.origin}/upload/drive/v3/files${fileId === '' ? '' : `/${fileId}`}?uploadType=${type}&fields=${encodeURIComponent(fileFields)}`
  }
}

/** Of a creation: its id is used already. https://developers.google.com/workspace/drive/api/guides/create-file#generate-ids */
export function isTaken(error: unknown): boolean {
  return error instanceof HoldfastError && error.data['status'] === 409
}

function newFile({ id: fileId, name, parent }: Extract<UploadPlace, { type: 'new' }>): object {
  return { id: fileId, name, parents: [parent], mimeType: octets }
}

function fileOf({ id: fileId, name, mimeType, size, createdTime, modifiedTime, md5Checksum, sha256Checksum, trashed = false }: Listed): DriveFile {
  const bytes = size !== undefined && /^\d{1,15}$/.test(size) ? Number(size) : undefined
  return {
    id: fileId, name, isFolder: mimeType === folderType, size: bytes, createdMs: time(createdTime), modifiedMs: time(modifiedTime),
    md5: md5Checksum, sha256: sha256Checksum, trashed,
  }
}

/** Of a page token that is refused. https://developers.google.com/workspace/drive/api/reference/rest/v3/files/list */
function withdrawn(error: unknown): unknown {
  if (!(error instanceof HoldfastError) || error.data['status'] !== 400) return error
  return new HoldfastError('unavailable', 'Google Drive does not go on with the list of a folder.', { cause: error })
}

function time(text: string | undefined): number {
  const ms = Date.parse(text ?? '')
  return Number.isFinite(ms) ? ms : 0
}
