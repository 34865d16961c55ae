import { throwIfAborted } from '../../base/abort.ts'
import type { Clock } from '../../base/clock.ts'
import { hasCode, HoldfastError } from '../../base/errors.ts'
import { leftOf, type SpaceLeft } from '../../protocol/space.ts'
import { maximumWholeBytes, type BackendTraits, type Body, type ByteRange, type ObjectInfo, type Pace, type PutOptions, type StorageBackend, type UploadJournal } from '../backend.ts'
import { EndGuard } from '../http/pages.ts'
import { patiently } from '../http/patience.ts'
import { sizeOf, wholeOf } from '../http/parts.ts'
import { isObjectName, requireObjectName, requirePrefix } from '../name.ts'
import type { DropboxAddress } from './address.ts'
import type { DropboxApi, FileMetadata, ListPage, SpaceUsage } from './api.ts'
import { Committer } from './committer.ts'
import { blocksOf, contentHash } from './content-hash.ts'
import { putInSession, verifyStored } from './sessions.ts'
import { NamespaceTurns } from './turns.ts'

export const maximumConnections = 8
/** https://www.dropbox.com/developers/documentation/http/documentation#files-upload_session-append */
const mostBytes = 2 ** 41 - 2 ** 22
/** A request with so much is over in a moment, so that others may wait for its end; more is sent beside them, and only committed in its turn. */
const wholeBytes = 256 * 1024

/**
 * A repository in a folder of a Dropbox: objects are files, and folders come and go with them. Names are compared without regard to case
 * there; ours are lower-case. A list is recursive: a page has up to 2,000 names, and each request counts against the account's unpublished
 * limit, so that 256 lists of parts would cost more than one of all.
 */
export class DropboxBackend implements StorageBackend {
  readonly label: string
  readonly traits: BackendTraits
  readonly #api: DropboxApi
  readonly #root: string
  readonly #journal: UploadJournal | undefined
  readonly #committer: Committer
  readonly #clock: Clock
  /** False: the sign-in was given without the right to ask. */
  #tellsSpace = true

  constructor({ root, account }: DropboxAddress, api: DropboxApi, journal: UploadJournal | undefined, clock: Clock) {
    this.#api = api
    this.#clock = clock
    this.#root = root
    this.#journal = journal
    this.#committer = new Committer((commits, signal) => api.finishBatch(`${commits.length} objects`, commits, signal), new NamespaceTurns(clock, Math.random))
    this.label = `dropbox:${root === '' ? '/' : root}${account === '' ? '' : ` of ${account}`}`
    this.traits = {
      maxConnections: maximumConnections, exclusiveCreate: true, resumable: journal !== undefined, distance: 'far',
      listing: { order: 'any', cost: 'folder' }, largestPut: mostBytes, account: `dropbox:${account}`,
    }
  }

  async put(name: string, body: Body, options: PutOptions, signal: AbortSignal): Promise<void> {
    requireObjectName(name)
    throwIfAborted(signal)
    if (sizeOf(body) <= wholeBytes && this.#journal?.get(name) === undefined) await this.#putWhole(name, body, options, signal)
    else {
      await putInSession({
        api: this.#api, name, path: this.#pathOf(name), journal: this.#journal,
        commit: (commit, until) => (commit.ifAbsent ? this.#committer.alone(() => this.#api.finish(name, commit, until), until) : this.#committer.commit(commit, until)),
      }, body, options, signal)
    }
    options.onProgress?.(sizeOf(body))
  }

  async get(name: string, range: ByteRange | 'all', signal: AbortSignal, pace?: Pace): Promise<Uint8Array> {
    requireObjectName(name)
    if (range !== 'all' && range.length === 0) return this.#nothingOf(name, range.offset, signal)
    return this.#api.download(name, this.#pathOf(name), range, range === 'all' ? maximumWholeBytes : range.length, pace, signal)
  }

  async stat(name: string, signal: AbortSignal): Promise<ObjectInfo> {
    requireObjectName(name)
    const file = await this.#api.metadata(name, this.#pathOf(name), signal)
    if (!file) throw new HoldfastError('not-found', `The object does not exist. (${name})`)
    return { name, size: file.size, modifiedMs: timeOf(file) }
  }

  async *list(prefix: string, signal: AbortSignal): AsyncIterable<ObjectInfo> {
    requirePrefix(prefix)
    throwIfAborted(signal)
    const folder = prefix.slice(0, Math.max(0, prefix.lastIndexOf('/')))
    const path = folder === '' ? this.#root : this.#pathOf(folder)
    const guard = new EndGuard()
    let page: ListPage
    try {
      page = await patiently(() => this.#api.list(path, signal), this.#clock, signal)
    } catch (error) {
      if (hasCode(error, 'not-found')) return
      throw error
    }
    for (let cursor: string | undefined; ; ) {
      const next = page.has_more ? page.cursor : undefined
      guard.page(page.entries.length, cursor, next)
      for (const entry of page.entries) {
        const info = entry['.tag'] === 'file' ? this.#info(entry) : undefined
        throwIfAborted(signal)
        if (info?.name.startsWith(prefix)) yield info
      }
      if (next === undefined) return
      cursor = next
      page = await patiently(() => this.#api.listMore(path, next, signal), this.#clock, signal)
    }
  }

  async remove(name: string, signal: AbortSignal): Promise<void> {
    requireObjectName(name)
    throwIfAborted(signal)
    try {
      // The revision is asked for because a path alone removes a whole folder, too.
      const file = await this.#api.metadata(name, this.#pathOf(name), signal)
      if (file) await this.#committer.alone(() => this.#api.remove(name, this.#pathOf(name), file.rev, signal), signal)
    } catch (error) {
      if (!hasCode(error, 'not-found')) throw error
    }
  }

  async space(signal: AbortSignal): Promise<SpaceLeft | undefined> {
    if (!this.#tellsSpace) return undefined
    try {
      return spaceOf(await this.#api.spaceUsage(this.label, signal))
    } catch (error) {
      if (!hasCode(error, 'credentials')) throw error
      this.#tellsSpace = false
      return undefined
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#api[Symbol.dispose]()
  }

  async #putWhole(name: string, body: Body, options: PutOptions, signal: AbortSignal): Promise<void> {
    const path = this.#pathOf(name)
    const whole = wholeOf(body)
    const hash = contentHash(await blocksOf(whole, signal))
    const contents = { ...whole, hash, pace: options.pace, onSent: (bytes: number) => { options.onProgress?.(bytes) } }
    const file = await this.#committer.alone(() => this.#api.upload(name, path, contents, options.ifAbsent === true, signal), signal)
    await verifyStored(this.#api, name, path, file, whole.length, hash, signal)
  }

  #pathOf(name: string): string {
    return `${this.#root}/${name}`
  }

  /** undefined for what is not an object of ours. The root's own folders can be told in other letters, never in another number. */
  #info(file: FileMetadata): ObjectInfo | undefined {
    const depth = this.#root.split('/').length
    const name = file.path_lower?.split('/').slice(depth).join('/') ?? ''
    return isObjectName(name) ? { name, size: file.size, modifiedMs: timeOf(file) } : undefined
  }

  async #nothingOf(name: string, offset: number, signal: AbortSignal): Promise<Uint8Array> {
    if (offset > (await this.stat(name, signal)).size) throw new HoldfastError('damaged', `${name} ends before the bytes that were asked for.`)
    return new Uint8Array(0)
  }
}

/** A team's room is everybody's; its member may have less of it. https://www.dropbox.com/developers/documentation/http/documentation#users-get_space_usage */
function spaceOf({ used, allocation }: SpaceUsage): SpaceLeft | undefined {
  if (allocation['.tag'] === 'individual') return leftOf(allocation.allocated, used)
  const team = leftOf(allocation.allocated, allocation.used)
  const isHeld = allocation.user_within_team_space_limit_type?.['.tag'] === 'stop_sync'
  const own = isHeld ? leftOf(allocation.user_within_team_space_allocated, allocation.user_within_team_space_used_cached) : undefined
  return own && team ? (own.freeBytes < team.freeBytes ? own : team) : (own ?? team)
}

function timeOf({ server_modified: time }: FileMetadata): number {
  const ms = Date.parse(time)
  return Number.isFinite(ms) ? ms : 0
}
