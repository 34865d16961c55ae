import { randomBytes } from 'node:crypto'
import { throwIfAborted } from '../../base/abort.ts'
import type { Clock } from '../../base/clock.ts'
import { hasCode, HoldfastError } from '../../base/errors.ts'
import type { BackendTraits, Body, ByteRange, ObjectInfo, Pace, PutOptions, StorageBackend } from '../backend.ts'
import type { SpaceLeft } from '../../protocol/space.ts'
import { MakeOnce } from '../flow/make-once.ts'
import { sizeOf, wholeOf } from '../http/parts.ts'
import { requireObjectName, requirePrefix } from '../name.ts'
import type { ChunkedUploads } from './chunked.ts'
import { DavListing, pathOf } from './listing.ts'
import type { DavServer } from './server.ts'

/** Holds files that are being written: no object name begins with a dot. */
const temporaryFolder = '.tmp'
const temporaryName = /^[0-9a-f]{32}$/
const cleanUpMs = 900
const lockedTries = 6
const lockedMs = 50
/** Larger ones are looked at before they take their place. */
const verifiedFrom = 64 * 1024

export interface DavBackendOptions {
  readonly label: string
  readonly traits: Omit<BackendTraits, 'exclusiveCreate' | 'listing' | 'largestPut' | 'resumable'>
  /** Path of the repository on the server: percent-encoded, with a slash in front and none behind; empty for the root. */
  readonly base: string
  readonly server: DavServer
  readonly clock: Clock
  readonly chunked?: ChunkedUploads
  readonly close: () => Promise<void> | void
}

/**
 * A repository in a folder of a WebDAV server. Servers show a file while it is being sent, so each is sent under another name and moved.
 * None of them creates exclusively in a way that holds for two clients of any server (measured: If-None-Match, Overwrite: F, MKCOL and LOCK
 * each fail on one of nginx, Apache, rclone), so repositories there decide by flags.
 */
export class DavBackend implements StorageBackend {
  readonly label: string
  readonly traits: BackendTraits
  readonly #options: DavBackendOptions
  readonly #server: DavServer
  /** Paths of folders that are there, as far as is known. */
  readonly #folders = new Set<string>()
  /** Servers refuse one of two that make the same folder at once. */
  readonly #once = new MakeOnce<true>()

  constructor(options: DavBackendOptions) {
    this.label = options.label
    this.#options = options
    this.#server = options.server
    this.traits = {
      ...options.traits, exclusiveCreate: false, resumable: options.chunked?.resumable ?? false,
      listing: { order: 'ascending', cost: 'prefix' }, largestPut: Number.MAX_SAFE_INTEGER,
    }
  }

  async put(name: string, body: Body, options: PutOptions, signal: AbortSignal): Promise<void> {
    requireObjectName(name)
    throwIfAborted(signal)
    if (options.ifAbsent) throw new HoldfastError('unsupported', 'A WebDAV server cannot create a file only where there is none of its name.')
    const { chunked } = this.#options
    const isStored = body.type === 'file' && chunked?.takes(name, body) === true
      && (await this.#inFolder(name, signal, () => chunked.put(name, this.#pathOf(name), body, options, signal)))
    if (!isStored) await this.#putWhole(name, body, options, signal)
    options.onProgress?.(sizeOf(body))
  }

  async get(name: string, range: ByteRange | 'all', signal: AbortSignal, pace?: Pace): Promise<Uint8Array> {
    requireObjectName(name)
    if (range !== 'all' && range.length === 0) return this.#nothingOf(name, range.offset, signal)
    return this.#server.get(name, this.#pathOf(name), range, pace, signal)
  }

  async stat(name: string, signal: AbortSignal): Promise<ObjectInfo> {
    requireObjectName(name)
    const file = await this.#server.file(name, this.#pathOf(name), signal)
    if (!file) throw new HoldfastError('not-found', `The object does not exist. (${name})`)
    return { name, ...file }
  }

  async *list(prefix: string, signal: AbortSignal): AsyncIterable<ObjectInfo> {
    requirePrefix(prefix)
    throwIfAborted(signal)
    const listing = new DavListing(pathOf(this.#options.base) ?? '', (folder, until) => this.#server.list(`${folder}*`, `${this.#options.base}/${folder}`, 1, until))
    yield* listing.below(prefix, signal)
  }

  async remove(name: string, signal: AbortSignal): Promise<void> {
    requireObjectName(name)
    throwIfAborted(signal)
    await this.#server.remove(name, this.#pathOf(name), signal)
  }

  async abortStaleUploads(olderThanMs: number, signal: AbortSignal): Promise<number> {
    const beforeMs = this.#options.clock.now() - olderThanMs
    const folder = `${this.#options.base}/${temporaryFolder}/`
    let removed = (await this.#options.chunked?.abortBefore(beforeMs, signal)) ?? 0
    try {
      for await (const { href, isFolder, modifiedMs } of this.#server.list('unfinished uploads', folder, 1, signal)) {
        const name = pathOf(href)?.split('/').at(-1) ?? ''
        if (isFolder || !temporaryName.test(name) || modifiedMs === 0 || modifiedMs > beforeMs) continue
        await this.#server.removeOwn('an unfinished upload', folder + name, signal)
        removed++
      }
    } catch (error) {
      if (!hasCode(error, 'not-found')) throw error
    }
    return removed
  }

  space(signal: AbortSignal): Promise<SpaceLeft | undefined> {
    return this.#server.space(this.label, `${this.#options.base}/`, signal)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#options.close()
  }

  async #putWhole(name: string, body: Body, options: PutOptions, signal: AbortSignal): Promise<void> {
    const temporary = `${this.#options.base}/${temporaryFolder}/${randomBytes(16).toString('hex')}`
    const sending = { ...wholeOf(body), pace: options.pace, onSent: (bytes: number) => { options.onProgress?.(bytes) } }
    try {
      await this.#inFolder(`${temporaryFolder}/x`, signal, () => this.#server.put(name, temporary, sending, {}, signal))
      if (sending.length > verifiedFrom) await this.#expectSize(name, temporary, sending.length, signal)
      await this.#inFolder(name, signal, () => this.#server.move(name, temporary, this.#pathOf(name), {}, signal))
    } catch (error) {
      await this.#server.removeOwn(name, temporary, AbortSignal.timeout(cleanUpMs)).catch(() => undefined)
      throw error
    }
  }

  /** The server has no checksum to ask for: what it holds has to be as long as what was sent. Errors: unavailable. */
  async #expectSize(name: string, path: string, size: number, signal: AbortSignal): Promise<void> {
    const stored = await this.#server.file(name, path, signal).catch((error: unknown) => {
      throw hasCode(error, 'not-found') ? new HoldfastError('unavailable', `The server took ${name} and does not have it.`, { cause: error }) : error
    })
    if (stored?.size !== size) throw new HoldfastError('unavailable', `The server holds ${stored?.size ?? 0} of the ${size} bytes of ${name} that it took.`)
  }

  /** Does something that needs the folder of a name; makes the folder where it is missing. */
  async #inFolder<T>(name: string, signal: AbortSignal, work: () => Promise<T>): Promise<T> {
    const folder = name.slice(0, Math.max(0, name.lastIndexOf('/')))
    const path = folder === '' ? this.#options.base : `${this.#options.base}/${folder}`
    await this.#makeFolder(path, signal)
    try {
      return await work()
    } catch (error) {
      if (!hasCode(error, 'not-found')) throw error
      // Somebody removed it meanwhile, as a person may tidy up empty folders.
      this.#folders.clear()
      await this.#makeFolder(path, signal)
      return await work().catch((again: unknown) => {
        throw hasCode(again, 'not-found') ? new HoldfastError('unavailable', `The server does not keep the folder of ${name}.`, { cause: again }) : again
      })
    }
  }

  /** Top down only where it is needed: most of the time the folder above is there. */
  async #makeFolder(path: string, signal: AbortSignal): Promise<void> {
    if (path === '' || this.#folders.has(path)) return
    await this.#once.get(path, () => this.#folders.has(path) || undefined, async () => {
      await this.#makePath(path, signal)
      this.#folders.add(path)
      return true
    }, signal)
  }

  async #makePath(path: string, signal: AbortSignal, tries = 1): Promise<void> {
    try {
      await this.#server.makeFolder(path, path, signal)
    } catch (error) {
      // Another put makes it at this moment: rclone locks what it works on.
      if (error instanceof HoldfastError && error.data['status'] === 423 && tries < lockedTries) {
        await this.#options.clock.sleep(lockedMs * tries, signal)
        return this.#makePath(path, signal, tries + 1)
      }
      // Apache refuses one of several that make the same folder at once.
      if (hasCode(error, 'denied') && (await this.#isFolder(path, signal))) return
      const above = path.slice(0, path.lastIndexOf('/'))
      if (!hasCode(error, 'not-found') || above === '') throw error
      // Whatever was known of it.
      this.#folders.delete(above)
      await this.#makeFolder(above, signal)
      await this.#server.makeFolder(path, path, signal)
    }
  }

  async #isFolder(path: string, signal: AbortSignal): Promise<boolean> {
    try {
      return (await this.#server.file(path, `${path}/`, signal)) === undefined
    } catch (error) {
      if (hasCode(error, 'not-found', 'denied')) return false
      throw error
    }
  }

  #pathOf(name: string): string {
    return `${this.#options.base}/${name}`
  }

  async #nothingOf(name: string, offset: number, signal: AbortSignal): Promise<Uint8Array> {
    if (offset > (await this.stat(name, signal)).size) throw new HoldfastError('damaged', `${name} ends before the bytes that were asked for.`)
    return new Uint8Array(0)
  }
}
