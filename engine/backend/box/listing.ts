import { throwIfAborted } from '../../base/abort.ts'
import { HoldfastError } from '../../base/errors.ts'
import type { ObjectInfo } from '../backend.ts'
import { EndGuard } from '../http/pages.ts'
import { patiently } from '../http/patience.ts'
import { isObjectName } from '../name.ts'
import type { BoxApi, BoxItem } from './api.ts'
import type { Folders } from './folders.ts'

type Page = Awaited<ReturnType<BoxApi['items']>>

/** First pages of so many folders are under way at once. */
const ahead = 4
/** Packs lie in 256, snapshots in one for each job. */
const mostFolders = 100_000

interface Branch {
  readonly id: string
  /** Of an object in it; empty, or ends in `/`. */
  readonly at: string
  /** What names in it begin with. */
  readonly start: string
}

/** Walks a folder and all below it: Box lists one folder at a time, in an order of its own. */
export class Listing {
  readonly #api: BoxApi
  readonly #folders: Folders
  readonly #root: readonly string[]
  readonly #onFile: (name: string, id: string) => void
  readonly #guard = new EndGuard()

  /** @param onFile is told the id of each object that is listed */
  constructor(api: BoxApi, folders: Folders, root: readonly string[], onFile: (name: string, id: string) => void) {
    this.#api = api
    this.#folders = folders
    this.#root = root
    this.#onFile = onFile
  }

  async *below(prefix: string, signal: AbortSignal): AsyncGenerator<ObjectInfo> {
    const at = prefix.slice(0, prefix.lastIndexOf('/') + 1)
    const id = await this.#folders.find(this.#pathOf(at), signal)
    if (id === undefined) return
    const waiting: Branch[] = [{ id, at, start: prefix.slice(at.length) }]
    const begun: { readonly branch: Branch; readonly page: Promise<Page> }[] = []
    for (let folders = 0; ; ) {
      for (const branch of waiting.splice(0, ahead - begun.length)) begun.push({ branch, page: this.#page(branch, undefined, signal) })
      const next = begun.shift()
      if (!next) return
      for await (const item of this.#items(next.branch, next.page, signal)) {
        const name = next.branch.at + item.name
        // What is no object name is not ours.
        if (!item.name.startsWith(next.branch.start) || item.name.includes('/') || !isObjectName(name)) continue
        if (item.type === 'folder') waiting.push(this.#enter(name, item.id))
        else if (item.type === 'file' && item.size !== undefined) yield this.#info(name, item.id, item.size, item.modified_at)
      }
      if (++folders > mostFolders) throw new HoldfastError('unsupported', 'Box lists more folders than any repository has.', { data: { reason: 'BadListing' } })
    }
  }

  async *#items(branch: Branch, first: Promise<Page>, signal: AbortSignal): AsyncGenerator<BoxItem> {
    let page = await first
    for (let marker: string | undefined; ; ) {
      this.#guard.page(page.items.length, marker, page.next)
      for (const item of page.items) {
        throwIfAborted(signal)
        yield item
      }
      if (page.next === undefined) return
      marker = page.next
      page = await this.#page(branch, marker, signal)
    }
  }

  #page({ id, at }: Branch, marker: string | undefined, signal: AbortSignal): Promise<Page> {
    const page = patiently(() => this.#api.items(`${at}*`, id, marker, signal), this.#api.client.clock, signal)
    // A page asked for ahead may fail when nobody wants it any more.
    page.catch(() => undefined)
    return page
  }

  #enter(name: string, id: string): Branch {
    this.#folders.keep(this.#pathOf(`${name}/`), id)
    return { id, at: `${name}/`, start: '' }
  }

  #info(name: string, id: string, size: number, time: string | null | undefined): ObjectInfo {
    this.#onFile(name, id)
    return { name, size, modifiedMs: timeOf(time) }
  }

  #pathOf(at: string): readonly string[] {
    return [...this.#root, ...at.split('/').slice(0, -1)]
  }
}

export function timeOf(time: string | null | undefined): number {
  const ms = Date.parse(time ?? '')
  return Number.isFinite(ms) ? ms : 0
}
