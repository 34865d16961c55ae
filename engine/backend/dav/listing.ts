import { throwIfAborted } from '../../base/abort.ts'
import { hasCode, HoldfastError } from '../../base/errors.ts'
import type { ObjectInfo } from '../backend.ts'
import { isObjectName } from '../name.ts'
import type { DavEntry } from './multistatus.ts'

/** Packs lie in 256 folders, of which none has more even with 20 million packs. */
const mostInFolder = 200_000
/** Snapshots have a folder for each job and thousand. */
const mostFolders = 100_000

/** The resources of a folder, the folder itself among them. Errors: not-found, … */
export type ReadFolder = (folder: string, signal: AbortSignal) => AsyncIterable<DavEntry>

interface Child {
  readonly name: string
  readonly isFolder: boolean
  readonly size: number
  readonly modifiedMs: number
}

/**
 * One listing, ascending: folders are read one at a time, with the next one under way, and each is sorted. Holds the names of the folders
 * on the way down.
 */
export class DavListing {
  readonly #read: ReadFolder
  /** Decoded, without a slash behind it. */
  readonly #base: string
  #folders = 0

  /** @param base path of the repository on the server, decoded */
  constructor(base: string, read: ReadFolder) {
    this.#base = base
    this.#read = read
  }

  async *below(prefix: string, signal: AbortSignal): AsyncGenerator<ObjectInfo> {
    yield* this.#folder(prefix.slice(0, prefix.lastIndexOf('/') + 1), prefix, signal)
  }

  async *#folder(folder: string, prefix: string, signal: AbortSignal): AsyncGenerator<ObjectInfo> {
    if (++this.#folders > mostFolders) throw liar('The server lists more folders than any repository has.')
    const children = await this.#children(folder, prefix, signal)
    for (const { name, isFolder, size, modifiedMs } of children) {
      throwIfAborted(signal)
      if (isFolder) yield* this.#folder(`${name}/`, prefix, signal)
      else yield { name, size, modifiedMs }
    }
  }

  /** In the order of the objects that are in them. */
  async #children(folder: string, prefix: string, signal: AbortSignal): Promise<readonly Child[]> {
    const found = new Map<string, Child>()
    try {
      for await (const entry of this.#read(folder, signal)) {
        const name = this.#nameOf(entry.href, folder)
        if (name === undefined || !(name.startsWith(prefix) || (entry.isFolder && prefix.startsWith(`${name}/`)))) continue
        if (entry.isFolder) found.set(`${name}/`, { name, isFolder: true, size: 0, modifiedMs: 0 })
        else if (entry.size !== undefined) found.set(name, { name, isFolder: false, size: entry.size, modifiedMs: entry.modifiedMs })
        if (found.size > mostInFolder) throw liar('The server lists more objects in a folder than any repository has.')
      }
    } catch (error) {
      if (hasCode(error, 'not-found')) return []
      throw error
    }
    return [...found].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, child]) => child)
  }

  /** The object or folder that a reference in a folder's list names; undefined for the folder itself and for what is not ours. */
  #nameOf(href: string, folder: string): string | undefined {
    const path = pathOf(href)
    const inFolder = `${this.#base}/${folder}`
    if (path === undefined) return undefined
    const trimmed = path.replace(/\/+$/, '')
    if (`${trimmed}/` === inFolder || trimmed === this.#base) return undefined
    if (!trimmed.startsWith(inFolder)) throw liar('The server lists objects that were not asked for.')
    const name = folder + trimmed.slice(inFolder.length)
    return isObjectName(name) && !trimmed.slice(inFolder.length).includes('/') ? name : undefined
  }
}

/** Decoded and composed, as some servers decompose accents; undefined for what is no reference. */
export function pathOf(href: string): string | undefined {
  try {
    const path = /^[a-z][a-z0-9+.-]*:\/\//i.test(href) ? new URL(href).pathname : href
    return decodeURIComponent(path).normalize('NFC').replace(/\/{2,}/g, '/')
  } catch {
    return undefined
  }
}

function liar(message: string): HoldfastError {
  return new HoldfastError('unsupported', message, { data: { reason: 'BadListing' } })
}
