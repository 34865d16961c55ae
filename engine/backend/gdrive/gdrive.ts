import { throwIfAborted } from '../../base/abort.ts'
import { BoundedMap } from '../../base/bounded-map.ts'
import { hasCode, HoldfastError } from '../../base/errors.ts'
import type { SpaceLeft } from '../../protocol/space.ts'
import type { BackendTraits, Body, ByteRange, ObjectInfo, Pace, PutOptions, StorageBackend, UploadJournal } from '../backend.ts'
import type { GoogleClient } from '../google/client.ts'
import { sizeOf } from '../http/parts.ts'
import { isObjectName, requireObjectName, requirePrefix } from '../name.ts'
import type { DriveAddress } from './address.ts'
import { Drive, type DriveFile } from './drive.ts'
import { Folders } from './folders.ts'
import { Listing } from './listing.ts'
import { olderFirst } from './twins.ts'
import { Uploads } from './uploads.ts'

/** About 300 bytes each. */
const keptFiles = 50_000
const mostBytes = 5 * 1024 ** 4

export const maximumConnections = 6

/**
 * A repository in a folder of Google Drive: objects are files, in folders as their names have them. Drive knows files by id; names may be
 * there twice (see twins.ts), and a search by name lags behind. So folders are listed, which does not, ids are kept, and nothing can be
 * created exclusively.
 */
export class DriveBackend implements StorageBackend {
  readonly label: string
  readonly traits: BackendTraits
  readonly #client: GoogleClient
  readonly #drive: Drive
  readonly #root: readonly string[]
  readonly #folders: Folders
  readonly #uploads: Uploads
  /** Ids of files by object name, as they were seen last. */
  readonly #ids = new BoundedMap<string>(keptFiles)

  constructor({ folders, account }: DriveAddress, client: GoogleClient, journal: UploadJournal | undefined) {
    this.#client = client
    this.#drive = new Drive(client)
    this.#root = folders
    this.#folders = new Folders(this.#drive)
    this.#uploads = new Uploads(this.#drive, journal)
    this.label = `gdrive:/${folders.join('/')}${account === '' ? '' : ` of ${account}`}`
    this.traits = {
      maxConnections: maximumConnections, exclusiveCreate: false, resumable: journal !== undefined, distance: 'far',
      listing: { order: 'any', cost: 'prefix' }, largestPut: mostBytes, account: `gdrive:${account}`,
    }
  }

  async put(name: string, body: Body, options: PutOptions, signal: AbortSignal): Promise<void> {
    requireObjectName(name)
    throwIfAborted(signal)
    if (options.ifAbsent) throw new HoldfastError('unsupported', 'Google Drive cannot create a file only where there is none of its name.')
    try {
      await this.#put(name, body, options, signal)
    } catch (error) {
      // A folder that is kept here was removed meanwhile: nothing was stored in it.
      if (!hasCode(error, 'not-found')) throw error
      this.#folders.forget()
      this.#ids.delete(name)
      await this.#put(name, body, options, signal).catch((again: unknown) => {
        throw hasCode(again, 'not-found') ? new HoldfastError('unavailable', `The folder of ${name} is removed from Google Drive again and again.`, { cause: again }) : again
      })
    }
    options.onProgress?.(sizeOf(body))
  }

  async get(name: string, range: ByteRange | 'all', signal: AbortSignal, pace?: Pace): Promise<Uint8Array> {
    requireObjectName(name)
    if (range !== 'all' && range.length === 0) return this.#nothingOf(name, range.offset, signal)
    return this.#ofFile(name, (id) => this.#drive.read(id, name, range, pace, signal), signal)
  }

  async stat(name: string, signal: AbortSignal): Promise<ObjectInfo> {
    requireObjectName(name)
    const { size, modifiedMs } = await this.#ofFile(name, async (id) => {
      const file = await this.#drive.file(id, name, signal)
      if (file.trashed) throw missing(name)
      return file
    }, signal)
    if (size === undefined) throw new HoldfastError('unavailable', `Google Drive does not say how long ${name} is.`)
    return { name, size, modifiedMs }
  }

  async *list(prefix: string, signal: AbortSignal): AsyncIterable<ObjectInfo> {
    requirePrefix(prefix)
    throwIfAborted(signal)
    const listing = new Listing(this.#folders, this.#root, (name, id) => { this.#ids.set(name, id) })
    yield* listing.below(prefix, signal)
  }

  async remove(name: string, signal: AbortSignal): Promise<void> {
    requireObjectName(name)
    throwIfAborted(signal)
    this.#ids.delete(name)
    // The oldest is what everybody sees: it goes last, so that no younger twin is seen after it.
    for (const { id } of (await this.#twins(name, signal)).reverse()) {
      await this.#drive.remove(id, name, signal).catch((error: unknown) => {
        if (!hasCode(error, 'not-found')) throw error
      })
    }
  }

  space(signal: AbortSignal): Promise<SpaceLeft | undefined> {
    return this.#drive.space(this.label, signal)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#client[Symbol.dispose]()
  }

  async #put(name: string, body: Body, options: PutOptions, signal: AbortSignal): Promise<void> {
    const parent = await this.#folders.make(this.#folderOf(name), signal)
    // Packs have a name of their own for each attempt (R5): nobody else has made one.
    const there = options.once ? this.#ids.get(name) : (await this.#twins(name, signal, true))[0]?.id
    this.#ids.set(name, await this.#uploads.put(name, parent, there, body, options, signal))
  }

  /** Does something with the file of a name; an id that is kept and gone is looked up anew. Errors: not-found. */
  async #ofFile<T>(name: string, work: (id: string) => Promise<T>, signal: AbortSignal): Promise<T> {
    const known = this.#ids.get(name)
    if (known !== undefined) {
      try {
        return await work(known)
      } catch (error) {
        if (!hasCode(error, 'not-found')) throw error
        this.#ids.delete(name)
      }
    }
    const [oldest] = await this.#twins(name, signal)
    if (!oldest) throw missing(name)
    return work(oldest.id)
  }

  /**
   * All files of a name, oldest first. That there is none is believed only of the folders as they are now.
   * @param anew asks for the folders as they are now in any case
   */
  async #twins(name: string, signal: AbortSignal, anew = false): Promise<DriveFile[]> {
    const path = this.#folderOf(name)
    const kept = this.#folders.kept(path)
    if (!kept) return this.#namedIn(await this.#folders.find(path, signal), name, signal)
    const looking = this.#namedIn(kept, name, signal)
    if (!anew && (await looking).length > 0) return looking
    const [there, now] = await Promise.all([looking, this.#folders.find(path, signal)])
    return now.join() === kept.join() ? there : this.#namedIn(now, name, signal)
  }

  async #namedIn(folders: readonly string[], name: string, signal: AbortSignal): Promise<DriveFile[]> {
    const folder = name.slice(0, name.lastIndexOf('/') + 1)
    const found: DriveFile[] = []
    for await (const file of this.#folders.inside(folders, signal)) {
      if (file.size === undefined) continue
      const object = folder + file.name
      if (object === name) found.push(file)
      else if (isObjectName(object)) this.#ids.set(object, file.id)
    }
    found.sort(olderFirst)
    const [oldest] = found
    if (oldest) this.#ids.set(name, oldest.id)
    return found
  }

  #folderOf(name: string): readonly string[] {
    return [...this.#root, ...name.split('/').slice(0, -1)]
  }

  async #nothingOf(name: string, offset: number, signal: AbortSignal): Promise<Uint8Array> {
    if (offset > (await this.stat(name, signal)).size) throw new HoldfastError('damaged', `${name} ends before the bytes that were asked for.`)
    return new Uint8Array(0)
  }
}

function missing(name: string): HoldfastError {
  return new HoldfastError('not-found', `The object does not exist. (${name})`)
}
