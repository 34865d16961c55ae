import { throwIfAborted } from '../../base/abort.ts'
import { hasCode, HoldfastError } from '../../base/errors.ts'
import type { SpaceLeft } from '../../protocol/space.ts'
import {
  maximumWholeBytes, type BackendTraits, type Body, type ByteRange, type ObjectInfo, type Pace, type PutOptions, type StorageBackend, type UploadJournal,
} from '../backend.ts'
import { sizeOf, wholeOf } from '../http/parts.ts'
import { requireObjectName, requirePrefix } from '../name.ts'
import type { OneDriveAddress } from './address.ts'
import { inTheWay, type OneDriveApi, type StoredFile } from './api.ts'
import { Folders, folderVanished } from './folders.ts'
import { Listing, timeOf } from './listing.ts'
import { QuickXorHash, quickXorOf } from './quick-xor.ts'
import { putInSession } from './sessions.ts'

export const maximumConnections = 8
/** https://support.microsoft.com/office/64883a5d-228e-48f5-b3d2-eb39e07630fa */
const mostBytes = 250 * 1000 ** 3
/** One request takes up to 250 MB, and is lost as a whole when it breaks off; a session is two requests more, and loses a range at most. */
const wholeBytes = 4 * 1024 * 1024

/**
 * A repository in Holdfast's app folder of a OneDrive, or a folder in it: objects are files, in folders as their names have them. Names are
 * unique in a folder, without regard to case, which makes creating exclusive. A list walks every folder, with a few requests at once.
 */
export class OneDriveBackend implements StorageBackend {
  readonly label: string
  readonly traits: BackendTraits
  readonly #api: OneDriveApi
  readonly #root: readonly string[]
  readonly #folders: Folders
  readonly #journal: UploadJournal | undefined

  constructor({ folders, account }: OneDriveAddress, api: OneDriveApi, journal: UploadJournal | undefined) {
    this.#api = api
    this.#root = folders
    this.#folders = new Folders(api)
    this.#journal = journal
    this.label = `onedrive:/${folders.join('/')}${account === '' ? '' : ` of ${account}`}`
    this.traits = {
      maxConnections: maximumConnections, exclusiveCreate: true, resumable: journal !== undefined, distance: 'far',
      listing: { order: 'any', cost: 'folder' }, largestPut: mostBytes, account: `onedrive:${account}`,
    }
  }

  async put(name: string, body: Body, options: PutOptions, signal: AbortSignal): Promise<void> {
    requireObjectName(name)
    throwIfAborted(signal)
    try {
      await this.#put(name, body, options, signal)
    } catch (error) {
      // A folder that is kept here was removed meanwhile: nothing was stored in it.
      if (!hasCode(error, 'not-found')) throw error
      this.#folders.forget()
      await this.#put(name, body, options, signal).catch((again: unknown) => { throw hasCode(again, 'not-found') ? folderVanished(name, again) : again })
    }
    options.onProgress?.(sizeOf(body))
  }

  async get(name: string, range: ByteRange | 'all', signal: AbortSignal, pace?: Pace): Promise<Uint8Array> {
    requireObjectName(name)
    if (range !== 'all' && range.length === 0) return this.#nothingOf(name, range.offset, signal)
    return this.#api.read(name, this.#pathOf(name), range, range === 'all' ? maximumWholeBytes : range.length, pace, signal)
  }

  async stat(name: string, signal: AbortSignal): Promise<ObjectInfo> {
    requireObjectName(name)
    const { size, lastModifiedDateTime } = await this.#api.file(name, this.#pathOf(name), signal)
    return { name, size, modifiedMs: timeOf(lastModifiedDateTime) }
  }

  async *list(prefix: string, signal: AbortSignal): AsyncIterable<ObjectInfo> {
    requirePrefix(prefix)
    throwIfAborted(signal)
    yield* new Listing(this.#api, this.#root).below(prefix, signal)
  }

  async remove(name: string, signal: AbortSignal): Promise<void> {
    requireObjectName(name)
    try {
      // Asked for first, because a path alone removes a whole folder, too.
      const { id } = await this.#api.file(name, this.#pathOf(name), signal)
      await this.#api.remove(name, id, signal)
    } catch (error) {
      if (!hasCode(error, 'not-found')) throw error
    }
  }

  async space(signal: AbortSignal): Promise<SpaceLeft | undefined> {
    try {
      return await this.#api.space(this.label, signal)
    } catch (error) {
      // A sign-in for the app's folder alone need not see the drive.
      if (hasCode(error, 'denied')) return undefined
      throw error
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#api[Symbol.dispose]()
  }

  async #put(name: string, body: Body, options: PutOptions, signal: AbortSignal): Promise<void> {
    const path = this.#pathOf(name)
    await this.#folders.make(path.slice(0, -1), signal)
    const hash = await quickXorOf(wholeOf(body), signal)
    const stored = await this.#send(name, path, body, options, hash, signal).catch((error: unknown) => {
      // What cannot be replaced is no file.
      throw hasCode(error, 'exists') && !options.ifAbsent ? inTheWay(name) : error
    })
    if (await this.#isThat(name, path, stored, sizeOf(body), hash, signal)) return
    await this.#api.remove(name, stored.id, signal)
    const advice = 'Run the command again; what was stored wrongly has been removed.'
    throw new HoldfastError('damaged', `OneDrive stored other bytes of ${name} than were sent.`, { data: { advice } })
  }

  async #send(name: string, path: readonly string[], body: Body, options: PutOptions, hash: string, signal: AbortSignal): Promise<StoredFile> {
    const size = sizeOf(body)
    if (size > wholeBytes) {
      const stored = (): Promise<StoredFile | undefined> => this.#storedAs(name, path, size, hash, signal)
      return putInSession({ api: this.#api, name, path, journal: this.#journal, stored }, body, options, signal)
    }
    this.#journal?.delete(name)
    const contents = { part: wholeOf(body), pace: options.pace, onSent: (bytes: number) => { options.onProgress?.(bytes) } }
    return this.#api.upload(name, path, contents, options.ifAbsent === true, signal)
  }

  /** What is under the name, where it is this. */
  async #storedAs(name: string, path: readonly string[], size: number, hash: string, signal: AbortSignal): Promise<StoredFile | undefined> {
    try {
      const { id, size: there, file } = await this.#api.file(name, path, signal)
      const stored = { id, size: there, quickXorHash: file?.hashes?.quickXorHash ?? undefined }
      return await this.#isThat(name, path, stored, size, hash, signal) ? stored : undefined
    } catch (error) {
      if (hasCode(error, 'not-found')) return undefined
      throw error
    }
  }

  /** The checksum of a new file can come some time after it: then it is asked for, or the bytes are read back. */
  async #isThat(name: string, path: readonly string[], stored: StoredFile, size: number, hash: string, signal: AbortSignal): Promise<boolean> {
    if (stored.size !== size) return false
    const told = stored.quickXorHash ?? (await this.#api.file(name, path, signal)).file?.hashes?.quickXorHash
    if (typeof told === 'string') return told === hash
    const read = new QuickXorHash()
    for (let offset = 0; offset < size; offset += wholeBytes) {
      const range = { offset, length: Math.min(wholeBytes, size - offset) }
      read.update(await this.#api.read(name, path, range, range.length, undefined, signal))
    }
    return read.digest() === hash
  }

  #pathOf(name: string): readonly string[] {
    return [...this.#root, ...name.split('/')]
  }

  async #nothingOf(name: string, offset: number, signal: AbortSignal): Promise<Uint8Array> {
    if (offset > (await this.stat(name, signal)).size) throw new HoldfastError('damaged', `${name} ends before the bytes that were asked for.`)
    return new Uint8Array(0)
  }
}
