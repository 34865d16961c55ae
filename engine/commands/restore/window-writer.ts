import type { ByteString } from '../../base/byte-string.ts'
import { HoldfastError } from '../../base/errors.ts'
import type { Metadata } from '../../target/dress.ts'
import type { EntryPlace, FolderPlace } from '../../target/folders.ts'
import { maxPlaces } from '../blob-places.ts'
import { Downloads } from './downloads.ts'
import type { HardLinks, LinkKey } from './hard-links.ts'
import { giveUp, planAgain } from './plan-again.ts'
import { pathOf } from './paths.ts'
import type { RestorerOptions } from './restorer.ts'
import { RestoreWindow } from './window.ts'
import type { RestoringFile } from './window.ts'
import { fatalWriteError } from './write-errors.ts'

/** What may wait for a window's end, and how long its paths may be together. */
const maxWaiting = 8192
const maxWaitingBytes = 8 * 1024 * 1024

interface Options extends RestorerOptions {
  readonly links: HardLinks
  /** Throws again what concerns more than the one entry. */
  readonly onError: (path: ByteString, error: unknown, source: ByteString) => void
}

/** What has to wait until the files of its window are written. */
interface Afterwards {
  readonly links: { readonly link: LinkKey; readonly place: EntryPlace; readonly source: ByteString }[]
  /** Folders that were left, the inner before the outer. */
  readonly folders: { readonly place: FolderPlace; readonly metadata: Metadata; readonly made: boolean }[]
  /** Folders in which an earlier run may have left something. */
  readonly leftovers: { readonly place: FolderPlace; readonly keep: ReadonlySet<ByteString> }[]
  pathBytes: number
}

/** Takes windows as they are planned and has one written while the next is planned; the next begins while the last transfers of one go on. */
export class WindowWriter {
  readonly #options: Options
  readonly #downloads: Downloads
  readonly #startedMs: number
  #window = new RestoreWindow()
  #afterwards = nothingAfterwards()
  #writing: Promise<void> = Promise.resolve()
  /** Everything of the window before is on its way; rejects as its writing does. */
  #begun: Promise<void> = Promise.resolve()

  constructor(options: Options) {
    const { context, reader, target, progress } = options
    this.#options = options
    this.#startedMs = context.clock.now()
    this.#downloads = new Downloads({
      repository: reader.repository,
      pool: target.pool,
      places: reader.places,
      concurrency: reader.storage.concurrency,
      gate: () => context.pauseGate.pass(context.signal),
      onWritten: (bytes) => {
        progress.bytes.written += bytes
        progress.report()
      },
      onLosses: (file, losses) => { progress.losses(pathOf(file.spec), losses) },
      onComplete: (file) => this.#complete(file),
    })
  }

  /** The window that is being planned. */
  get window(): RestoreWindow {
    return this.#window
  }

  get full(): boolean {
    const { links, folders, leftovers, pathBytes } = this.#afterwards
    return this.#window.full || links.length + folders.length + leftovers.length >= maxWaiting || pathBytes >= maxWaitingBytes
  }

  linkLater(link: LinkKey, place: EntryPlace, source: ByteString): void {
    this.#afterwards.links.push({ link, place, source })
    this.#afterwards.pathBytes += place.folder.path.length
  }

  finishLater(place: FolderPlace, metadata: Metadata, made: boolean): void {
    this.#afterwards.folders.push({ place, metadata, made })
    this.#afterwards.pathBytes += place.path.length
  }

  leftovers(place: FolderPlace, keep: ReadonlySet<ByteString>): void {
    this.#afterwards.leftovers.push({ place, keep })
  }

  /** Hands the planned window to the threads, as soon as everything of the one before is on its way. */
  async next(): Promise<void> {
    const window = this.#window
    const afterwards = this.#afterwards
    await this.#begun
    this.#window = new RestoreWindow()
    this.#afterwards = nothingAfterwards()
    const begun = Promise.withResolvers<undefined>()
    this.#writing = this.#write(window, afterwards, this.#writing, () => { begun.resolve(undefined) })
    this.#begun = Promise.race([begun.promise, this.#writing])
    // Their errors are thrown where they are awaited; until then they must not count as unhandled.
    this.#writing.catch(() => undefined)
    this.#begun.catch(() => undefined)
  }

  /** Writes what is planned. */
  async end(): Promise<void> {
    await this.next()
    await this.#writing
  }

  /** What is in flight has ended, well or not. */
  async settled(): Promise<void> {
    await this.#writing.catch(() => undefined)
  }

  /** What has to wait is done in the order of the windows. */
  async #write(window: RestoreWindow, afterwards: Afterwards, before: Promise<void>, onBegun: () => void): Promise<void> {
    try {
      await this.#fetch(window, onBegun)
    } finally {
      await before
    }
    this.#finish(afterwards)
  }

  async #fetch(window: RestoreWindow, onBegun: () => void): Promise<void> {
    const { context, reader: { places } } = this.#options
    let unread = await this.#downloads.run(window, onBegun, context.signal)
    for (let tried = 1; unread.size > 0 && tried < maxPlaces; tried++) {
      unread = await this.#downloads.run(await planAgain(unread, places), onBegun, context.signal)
    }
    for (const file of giveUp(unread, places)) await this.#complete(file)
  }

  #finish(afterwards: Afterwards): void {
    for (const { link, place, source } of afterwards.links) this.#link(link, place, source)
    for (const { place, keep } of afterwards.leftovers) this.#clearUp(place, keep)
    for (const { place, metadata, made } of afterwards.folders) this.#finishFolder(place, metadata, made)
  }

  async #complete(file: RestoringFile): Promise<void> {
    const { target, progress, links } = this.#options
    const { spec } = file
    if (!file.failure && !file.whole) {
      const { failures, losses } = await target.pool.run({ type: 'finish', files: [spec] })
      if (failures[0]) file.failure = failures[0]
      for (const lost of losses ?? []) progress.losses(pathOf(spec), lost.losses)
    }
    if (!file.failure) {
      progress.files.written += 1
      return
    }
    const { code, message } = file.failure
    const fatal = fatalWriteError(code, undefined)
    if (fatal) throw fatal
    if (file.link !== undefined) links.remove(file.link)
    await target.pool.run({ type: 'discard', files: [spec] })
    progress.notWritten(pathOf(spec), code, message, file.source)
  }

  #link(link: LinkKey, place: EntryPlace, source: ByteString): void {
    const { target, progress, job, links } = this.#options
    const path = pathOf(place)
    try {
      if (job.overwrite === 'never' && target.entries.look(place.folder, place.name) !== undefined) {
        progress.files.unchanged += 1
        return
      }
      const first = links.find(link)
      if (!first) {
        progress.problem('not-restored', path, 'not restored: it is another name of a file that could not be restored', source)
        return
      }
      const made = target.entries.makeLink(first, place)
      progress.files[made ? 'written' : 'unchanged'] += 1
    } catch (error) {
      this.#options.onError(path, error, source)
    }
  }

  #clearUp(place: FolderPlace, keep: ReadonlySet<ByteString>): void {
    try {
      this.#options.target.entries.removeLeftovers(place, keep, this.#startedMs)
    } catch (error) {
      this.#options.onError(place.path, error, place.path)
    }
  }

  #finishFolder(place: FolderPlace, metadata: Metadata, made: boolean): void {
    const { target, progress, onError } = this.#options
    try {
      const losses = target.entries.finishFolder(place, metadata, made)
      progress.losses(place.path, losses)
    } catch (error) {
      if (error instanceof HoldfastError && error.code === 'unsafe-path') progress.problem('metadata', place.path, error.message)
      else onError(place.path, error, place.path)
    }
  }
}

function nothingAfterwards(): Afterwards {
  return { links: [], folders: [], leftovers: [], pathBytes: 0 }
}
