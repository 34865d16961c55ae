import { BoundedMap } from '../../base/bounded-map.ts'
import { hasCode, HoldfastError } from '../../base/errors.ts'
import type { Body, PutOptions, UploadJournal } from '../backend.ts'
import { hexDigests } from '../google/checksums.ts'
import { putInSession } from '../google/session-upload.ts'
import type { FileBody } from '../google/session.ts'
import { sizeOf } from '../http/parts.ts'
import { isTaken, type Drive, type DriveFile, type UploadPlace } from './drive.ts'

/** Files larger than this go up in a session, which costs one request more. */
const sessionBytes = 4 * 1024 * 1024
const keptIds = 200
const cleanUpMs = 900

interface Digests {
  readonly md5: string
  readonly sha256: string
}

/** Brings objects to Drive: new files, or new bytes of files that are there. What arrives is compared by checksum; what differs is removed. */
export class Uploads {
  readonly #drive: Drive
  readonly #journal: UploadJournal | undefined
  /** Ids of creations that nobody has heard of: they may have happened, and are not done a second time. */
  readonly #open = new BoundedMap<string>(keptIds)

  constructor(drive: Drive, journal: UploadJournal | undefined) {
    this.#drive = drive
    this.#journal = journal
  }

  /**
   * Resolves to the file's id. Errors: also not-found (the folder, or the file that is replaced).
   * @param there the file of that name
   */
  async put(name: string, parent: string, there: string | undefined, body: Body, options: PutOptions, signal: AbortSignal): Promise<string> {
    // Drive tells them when it is done: they are made beside the upload.
    const digests = hexDigests(body, signal)
    digests.catch(() => undefined)
    // What was begun in a session ends so: its name is one attempt (rule R5).
    if (body.type === 'file' && (body.size > sessionBytes || this.#journal?.get(name) !== undefined)) {
      return this.#putInSession(name, parent, there, body, digests, options, signal)
    }
    if (there !== undefined) {
      await this.#verified(name, await this.#drive.upload({ type: 'there', id: there }, name, body, options, signal), sizeOf(body), digests)
      return there
    }
    return this.#create(name, parent, body, digests, options, signal)
  }

  async #create(name: string, parent: string, body: Body, digests: Promise<Digests>, options: PutOptions, signal: AbortSignal): Promise<string> {
    const id = this.#open.get(name) ?? (await this.#drive.newId(signal))
    this.#open.set(name, id)
    try {
      await this.#verified(name, await this.#drive.upload(this.#newPlace(name, id, parent), name, body, options, signal), sizeOf(body), digests)
    } catch (error) {
      if (isTaken(error)) {
        // The creation that nobody heard of has happened, of these or other bytes.
        this.#open.delete(name)
        await this.#verified(name, await this.#drive.upload({ type: 'there', id }, name, body, options, signal), sizeOf(body), digests)
        return id
      }
      if (!hasCode(error, 'offline', 'aborted', 'unavailable')) this.#open.delete(name)
      throw error
    }
    this.#open.delete(name)
    return id
  }

  async #putInSession(name: string, parent: string, there: string | undefined, body: FileBody, digests: Promise<Digests>, options: PutOptions, signal: AbortSignal): Promise<string> {
    let stored = there
    await putInSession({
      client: this.#drive.client, name, journal: this.#journal,
      begin: async (until) => {
        const place: UploadPlace = there === undefined ? this.#newPlace(name, await this.#drive.newId(until), parent) : { type: 'there', id: there }
        stored = place.id
        return { address: await this.#drive.beginSession(place, name, body.size, until), id: place.id }
      },
      verify: async (answer) => {
        const file = this.#drive.uploaded(name, answer)
        stored = file.id
        await this.#verified(name, file, body.size, digests)
      },
      isThere: async (id, until) => {
        if (id === undefined) return false
        stored = id
        return this.#holds(id, name, body.size, digests, until)
      },
    }, body, options, signal)
    if (stored === undefined) throw new HoldfastError('unavailable', `Google Drive does not say where it keeps ${name}.`)
    return stored
  }

  #newPlace(name: string, id: string, parent: string): UploadPlace {
    return { type: 'new', id, name: name.slice(name.lastIndexOf('/') + 1), parent }
  }

  async #holds(id: string, name: string, size: number, digests: Promise<Digests>, signal: AbortSignal): Promise<boolean> {
    try {
      const file = await this.#drive.file(id, name, signal)
      return !file.trashed && isAsSent(file, size, await digests)
    } catch (error) {
      if (hasCode(error, 'not-found')) return false
      throw error
    }
  }

  async #verified(name: string, file: DriveFile, size: number, digests: Promise<Digests>): Promise<void> {
    if (file.trashed) throw new HoldfastError('not-found', `The folder of ${name} lies in the bin of Google Drive.`)
    if (isAsSent(file, size, await digests)) return
    await this.#drive.remove(file.id, name, AbortSignal.timeout(cleanUpMs)).catch(() => undefined)
    throw new HoldfastError('unavailable', `Google Drive received other bytes of ${name} than were sent.`, { data: { advice: 'Run the command again. If it happens again, the network or memory of a machine on the way is at fault.' } })
  }
}

/** Drive tells the MD5 of every file with bytes; the SHA-256 counts where it is told. */
function isAsSent(file: DriveFile, size: number, { md5, sha256 }: Digests): boolean {
  return file.size === size && (file.sha256 ?? sha256) === sha256 && (file.md5 === md5 || (file.md5 === undefined && file.sha256 === sha256))
}
