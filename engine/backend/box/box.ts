import { throwIfAborted } from '../../base/abort.ts'
import { BoundedMap } from '../../base/bounded-map.ts'
import { hasCode, HoldfastError } from '../../base/errors.ts'
import type { SpaceLeft } from '../../protocol/space.ts'
import { maximumWholeBytes, type BackendTraits, type Body, type ByteRange, type ObjectInfo, type Pace, type PutOptions, type StorageBackend, type UploadJournal } from '../backend.ts'
import { sizeOf, wholeOf } from '../http/parts.ts'
import { requireObjectName, requirePrefix } from '../name.ts'
import type { BoxAddress } from './address.ts'
import { BoxApi, conflictOf, inTheWay, type BoxFile, type Place } from './api.ts'
import type { BoxClient } from './client.ts'
import { Folders, folderVanished } from './folders.ts'
import { Listing, timeOf } from './listing.ts'
import { putInSession, sessionBytes, sha1Of } from './sessions.ts'

export const maximumConnections = 4
/** About 300 bytes each. */
const keptFiles = 50_000
/** Of the smallest plan: https://support.box.com/hc/en-us/articles/360043697314 */
const mostBytes = 250 * 1000 * 1000
const mostTries = 8
const reservedMs = 200

/**
 * A repository in a folder of Box: objects are files, in folders as their names have them. Box knows files and folders by id; names are
 * unique in a folder, without regard to case, which makes creating exclusive. A list walks every folder, with a few requests at once:
 * sharing it out by prefixes would only list the folders above them again and again.
 */
export class BoxBackend implements StorageBackend {
  readonly label: string
  readonly traits: BackendTraits
  readonly #api: BoxApi
  readonly #root: readonly string[]
  readonly #folders: Folders
  readonly #journal: UploadJournal | undefined
  /** Ids of files by object name, as they were seen last. */
  readonly #ids = new BoundedMap<string>(keptFiles)

  constructor({ folders, account }: BoxAddress, client: BoxClient, journal: UploadJournal | undefined) {
    this.#api = new BoxApi(client)
    this.#root = folders
    this.#folders = new Folders(this.#api)
    this.#journal = journal
    this.label = `box:/${folders.join('/')}${account === '' ? '' : ` of ${account}`}`
    this.traits = {
      maxConnections: maximumConnections, exclusiveCreate: true, resumable: journal !== undefined, distance: 'far',
      listing: { order: 'any', cost: 'folder' }, largestPut: mostBytes, account: `box:${account}`,
    }
  }

  async put(name: string, body: Body, options: PutOptions, signal: AbortSignal): Promise<void> {
    requireObjectName(name)
    throwIfAborted(signal)
    try {
      await this.#put(name, body, options, signal)
    } catch (error) {
      // A folder that is kept here, or the file that was to be replaced, was removed meanwhile: nothing was stored.
      if (!hasCode(error, 'not-found')) throw error
      this.#folders.forget()
      await this.#put(name, body, options, signal).catch((again: unknown) => { throw hasCode(again, 'not-found') ? folderVanished(name, again) : again })
    }
    options.onProgress?.(sizeOf(body))
  }

  async get(name: string, range: ByteRange | 'all', signal: AbortSignal, pace?: Pace): Promise<Uint8Array> {
    requireObjectName(name)
    throwIfAborted(signal)
    if (range !== 'all' && range.length === 0) return this.#nothingOf(name, range.offset, signal)
    return this.#ofFile(name, (id) => this.#api.read(name, id, range, range === 'all' ? maximumWholeBytes : range.length, pace, signal), signal)
  }

  async stat(name: string, signal: AbortSignal): Promise<ObjectInfo> {
    requireObjectName(name)
    throwIfAborted(signal)
    const { size, modified_at } = await this.#info(name, signal)
    return { name, size, modifiedMs: timeOf(modified_at) }
  }

  async *list(prefix: string, signal: AbortSignal): AsyncIterable<ObjectInfo> {
    requirePrefix(prefix)
    throwIfAborted(signal)
    const walk = (): AsyncIterable<ObjectInfo> => new Listing(this.#api, this.#folders, this.#root, (name, id) => { this.#ids.set(name, id) }).below(prefix, signal)
    try {
      yield* walk()
    } catch (error) {
      if (!hasCode(error, 'not-found')) throw error
      // A folder was removed while it was listed, or since its id was kept.
      this.#folders.forget()
      throw new HoldfastError('unavailable', 'A folder was removed from Box while it was listed.', { cause: error })
    }
  }

  async remove(name: string, signal: AbortSignal): Promise<void> {
    requireObjectName(name)
    throwIfAborted(signal)
    try {
      await this.#ofFile(name, (id) => this.#api.remove(name, id, signal), signal)
    } catch (error) {
      if (!hasCode(error, 'not-found')) throw error
    }
    this.#ids.delete(name)
  }

  space(signal: AbortSignal): Promise<SpaceLeft | undefined> {
    return this.#api.space(this.label, signal)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#api.client[Symbol.dispose]()
  }

  async #put(name: string, body: Body, options: PutOptions, signal: AbortSignal): Promise<void> {
    const path = this.#pathOf(name)
    const leaf = path.at(-1) ?? ''
    const parent = await this.#folders.make(path.slice(0, -1), signal)
    const created: Place = { type: 'new', parent, name: leaf }
    // A name that may be there is asked for before its bytes go out for nothing; packs have a fresh one for each attempt (R5).
    const there = options.ifAbsent || options.once ? undefined : await this.#fileIn(name, parent, leaf, signal)
    let place: Place = there === undefined ? created : { type: 'version', id: there, name: leaf }
    for (let tries = 1; ; tries++) {
      try {
        const file = await this.#store(name, place, body, options, signal)
        this.#ids.set(name, file.id)
        return
      } catch (error) {
        place = await this.#nextPlace(name, place, created, options, error, tries, signal)
      }
    }
  }

  /** Where a put goes on that was refused for what is, or is not, under its name. Errors: what it failed with, where that is its end. */
  async #nextPlace(name: string, place: Place, created: Extract<Place, { type: 'new' }>, options: PutOptions, error: unknown, tries: number, signal: AbortSignal): Promise<Place> {
    if (tries === mostTries) throw error
    if (error instanceof HoldfastError && error.data['reason'] === 'name_temporarily_reserved') {
      // Another put of the name is being decided: the same put is asked again (rule R4).
      await this.#api.client.clock.sleep(reservedMs * tries, signal)
      return place
    }
    if (!hasCode(error, 'exists')) throw error
    const there = conflictOf(error) ?? await this.#api.find(name, created.parent, created.name, signal)
    if (!there) return created
    if (!isFileOf(there, created.name)) throw inTheWay(name)
    if (options.ifAbsent) throw error
    return { type: 'version', id: there.id, name: created.name }
  }

  async #store(name: string, place: Place, body: Body, options: PutOptions, signal: AbortSignal): Promise<BoxFile> {
    const digest = await sha1Of(wholeOf(body), signal)
    const file = await this.#send(name, place, body, options, digest, signal)
    if (file.size === sizeOf(body) && file.sha1?.toLowerCase() === digest.toString('hex')) return file
    await this.#api.remove(name, file.id, signal)
    throw new HoldfastError('damaged', `Box stored other bytes of ${name} than were sent.`, { data: { advice: 'Run the command again; what was stored wrongly has been removed.' } })
  }

  async #send(name: string, place: Place, body: Body, options: PutOptions, digest: Buffer, signal: AbortSignal): Promise<BoxFile> {
    if (sizeOf(body) >= sessionBytes) {
      const stored = (): Promise<BoxFile | undefined> => this.#storedAs(name, sizeOf(body), digest.toString('hex'), signal)
      return putInSession({ api: this.#api, name, journal: this.#journal, digest, stored }, place, body, options, signal)
    }
    this.#journal?.delete(name)
    return this.#api.upload(name, place, { part: wholeOf(body), pace: options.pace, onSent: (bytes) => { options.onProgress?.(bytes) } }, digest, signal)
  }

  async #storedAs(name: string, size: number, sha1: string, signal: AbortSignal): Promise<BoxFile | undefined> {
    try {
      const file = await this.#info(name, signal)
      return file.size === size && file.sha1?.toLowerCase() === sha1 ? file : undefined
    } catch (error) {
      if (hasCode(error, 'not-found')) return undefined
      throw error
    }
  }

  #info(name: string, signal: AbortSignal): Promise<BoxFile> {
    return this.#ofFile(name, async (id) => {
      const file = await this.#api.file(name, id, signal)
      // Ids outlive names: somebody gave it another one.
      if (file.name !== this.#pathOf(name).at(-1)) throw missing(name)
      return file
    }, signal)
  }

  /** Does something with the file of a name; an id that is kept and gone is looked up anew, as are the folders above it. Errors: not-found. */
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
    return work(await this.#find(name, signal))
  }

  async #find(name: string, signal: AbortSignal): Promise<string> {
    const path = this.#pathOf(name)
    const look = async (): Promise<string | undefined> => {
      const parent = await this.#folders.find(path.slice(0, -1), signal)
      return parent === undefined ? undefined : this.#fileIn(name, parent, path.at(-1) ?? '', signal)
    }
    const id = await look().catch((error: unknown) => {
      if (!hasCode(error, 'not-found')) throw error
      this.#folders.forget()
      return look()
    })
    if (id === undefined) throw missing(name)
    this.#ids.set(name, id)
    return id
  }

  async #fileIn(name: string, parent: string, leaf: string, signal: AbortSignal): Promise<string | undefined> {
    const there = await this.#api.find(name, parent, leaf, signal)
    return there && isFileOf(there, leaf) ? there.id : undefined
  }

  #pathOf(name: string): readonly string[] {
    return [...this.#root, ...name.split('/')]
  }

  async #nothingOf(name: string, offset: number, signal: AbortSignal): Promise<Uint8Array> {
    if (offset > (await this.stat(name, signal)).size) throw new HoldfastError('damaged', `${name} ends before the bytes that were asked for.`)
    return new Uint8Array(0)
  }
}

function missing(name: string): HoldfastError {
  return new HoldfastError('not-found', `The object does not exist. (${name})`)
}

/** In other letters it is a stranger's. */
function isFileOf({ type, name }: { readonly type: string; readonly name?: string | undefined }, leaf: string): boolean {
  return type === 'file' && (name === undefined || name === leaf)
}
