import { throwIfAborted } from '../../base/abort.ts'
import { HoldfastError } from '../../base/errors.ts'
import type { ObjectInfo } from '../backend.ts'
import { isObjectName } from '../name.ts'
import type { DriveFile, DrivePage } from './drive.ts'
import type { Folders } from './folders.ts'
import { olderFirst } from './twins.ts'

/** So many folders are asked for ahead of the one that is being read. */
const ahead = 3
/** Packs lie in 256 folders, snapshots in one for each job. */
const mostFolders = 100_000

/** A folder of one path: twins are one. */
interface Branch {
  /** Of an object in it; ends in `/`. */
  readonly at: string
  readonly ids: readonly string[]
}

/**
 * One listing: folders are walked from the top as they are now, each path once. At most one folder's names are held, because only a whole
 * folder tells which of two files of one name counts.
 */
export class Listing {
  readonly #folders: Folders
  readonly #root: readonly string[]
  readonly #onFile: (name: string, id: string) => void
  #seenFolders = 0

  /** @param onFile is told the id of each object that is listed */
  constructor(folders: Folders, root: readonly string[], onFile: (name: string, id: string) => void) {
    this.#folders = folders
    this.#root = root
    this.#onFile = onFile
  }

  async *below(prefix: string, signal: AbortSignal): AsyncGenerator<ObjectInfo> {
    const at = prefix.slice(0, prefix.lastIndexOf('/') + 1)
    const ids = await this.#folders.find(this.#pathOf(at), signal)
    if (ids.length > 0) yield* this.#branch({ at, ids }, prefix.slice(at.length), undefined, signal)
  }

  async *#branch({ at, ids }: Branch, start: string, first: Promise<DrivePage> | undefined, signal: AbortSignal): AsyncGenerator<ObjectInfo> {
    const files = new Map<string, DriveFile>()
    const folders = new Map<string, DriveFile[]>()
    for await (const file of this.#folders.inside(ids, signal, first)) {
      const name = at + file.name
      // What is no object name is not ours.
      if (!file.name.startsWith(start) || file.name.includes('/') || !isObjectName(name)) continue
      if (file.isFolder) folders.set(name, [...(folders.get(name) ?? []), file])
      else if (file.size !== undefined) keepOlder(files, name, file)
    }
    for (const [name, { id, size = 0, modifiedMs }] of files) {
      throwIfAborted(signal)
      this.#onFile(name, id)
      yield { name, size, modifiedMs }
    }
    files.clear()
    if ((this.#seenFolders += folders.size) > mostFolders) throw new HoldfastError('unsupported', 'Google Drive lists more folders than any repository has.', { data: { reason: 'BadListing' } })
    yield* this.#branches([...folders].map(([name, twins]) => ({ at: `${name}/`, ids: this.#folders.keep(this.#pathOf(`${name}/`), twins) })), signal)
  }

  /** One after the other; the next ones are under way meanwhile. */
  async *#branches(branches: readonly Branch[], signal: AbortSignal): AsyncGenerator<ObjectInfo> {
    const begun: Promise<DrivePage>[] = []
    for (const [index, branch] of branches.entries()) {
      for (const { ids: [id] } of branches.slice(begun.length, index + 1 + ahead)) {
        const page = this.#folders.page(id ?? '', undefined, signal)
        // A page asked for ahead may fail when nobody wants it any more.
        page.catch(() => undefined)
        begun.push(page)
      }
      yield* this.#branch(branch, '', begun[index], signal)
    }
  }

  #pathOf(at: string): readonly string[] {
    return [...this.#root, ...at.split('/').slice(0, -1)]
  }
}

function keepOlder(files: Map<string, DriveFile>, name: string, file: DriveFile): void {
  const other = files.get(name)
  if (!other || olderFirst(file, other) < 0) files.set(name, file)
}
