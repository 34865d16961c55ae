import { throwIfAborted } from '../../base/abort.ts'
import { hasCode, HoldfastError } from '../../base/errors.ts'
import type { ObjectInfo } from '../backend.ts'
import { EndGuard } from '../http/pages.ts'
import { patiently } from '../http/patience.ts'
import { isObjectName } from '../name.ts'
import type { DriveItem, ItemPage, OneDriveApi } from './api.ts'

/** First pages of so many folders are under way at once. */
const ahead = 4
/** Packs lie in 256, snapshots in one for each job. */
const mostFolders = 100_000

interface Branch {
  /** Of an object in it; empty, or ends in `/`. */
  readonly at: string
  /** What names in it begin with. */
  readonly start: string
}

/** Walks a folder and all below it: OneDrive lists one folder at a time, in an order of its own. */
export class Listing {
  readonly #api: OneDriveApi
  readonly #root: readonly string[]
  readonly #guard = new EndGuard()

  constructor(api: OneDriveApi, root: readonly string[]) {
    this.#api = api
    this.#root = root
  }

  async *below(prefix: string, signal: AbortSignal): AsyncGenerator<ObjectInfo> {
    const at = prefix.slice(0, prefix.lastIndexOf('/') + 1)
    const waiting: Branch[] = [{ at, start: prefix.slice(at.length) }]
    const begun: { readonly branch: Branch; readonly page: Promise<ItemPage> }[] = []
    for (let folders = 0; ; ) {
      for (const branch of waiting.splice(0, ahead - begun.length)) begun.push({ branch, page: this.#page(branch, undefined, signal) })
      const next = begun.shift()
      if (!next) return
      for await (const { name: leaf, size, file, folder, lastModifiedDateTime } of this.#items(next.branch, next.page, signal)) {
        const name = next.branch.at + leaf
        // What is no object name is not ours.
        if (!leaf.startsWith(next.branch.start) || leaf.includes('/') || !isObjectName(name)) continue
        if (folder !== undefined) waiting.push({ at: `${name}/`, start: '' })
        else if (file && size !== undefined) yield { name, size, modifiedMs: timeOf(lastModifiedDateTime) }
      }
      if (++folders > mostFolders) {
        throw new HoldfastError('unsupported', 'OneDrive lists more folders than any repository has.', { data: { reason: 'BadListing' } })
      }
    }
  }

  async *#items(branch: Branch, first: Promise<ItemPage>, signal: AbortSignal): AsyncGenerator<DriveItem> {
    let page = await first
    for (let link: string | undefined; ; ) {
      this.#guard.page(page.items.length, link, page.next)
      for (const item of page.items) {
        throwIfAborted(signal)
        yield item
      }
      if (page.next === undefined) return
      link = page.next
      page = await this.#page(branch, link, signal)
    }
  }

  /** In a folder that is not there is nothing. */
  #page({ at }: Branch, link: string | undefined, signal: AbortSignal): Promise<ItemPage> {
    const path = [...this.#root, ...at.split('/').slice(0, -1)]
    const request = patiently(() => this.#api.children(`${at}*`, path, link, signal), this.#api.client.clock, signal)
    const page = request.catch((error: unknown): ItemPage => {
      if (!hasCode(error, 'not-found') || link !== undefined) throw error
      return { items: [], next: undefined }
    })
    // A page asked for ahead may fail when nobody wants it any more.
    page.catch(() => undefined)
    return page
  }
}

export function timeOf(time: string | null | undefined): number {
  const ms = Date.parse(time ?? '')
  return Number.isFinite(ms) ? ms : 0
}
