import { BoundedMap } from '../../base/bounded-map.ts'
import { hasCode, HoldfastError } from '../../base/errors.ts'
import { MakeOnce } from '../flow/make-once.ts'
import { EndGuard } from '../http/pages.ts'
import { isTaken, myDrive, type Drive, type DriveFile, type DrivePage } from './drive.ts'
import { olderFirst } from './twins.ts'

const keptFolders = 2000
const pageTries = 3
/** Drive itself allows no more: https://support.google.com/drive/answer/2528592 (numChildrenInNonRootLimitExceeded). */
const mostInFolder = 500_000

/**
 * Folders by path, from My Drive down. A path may lead to several folders of one name (see twins.ts): all of them are read, and the oldest
 * is written into. Ids are kept, since they never change; what they do not know is asked for from the top, because another machine may
 * have made a folder of the same name meanwhile.
 */
export class Folders {
  readonly #drive: Drive
  readonly #kept = new BoundedMap<readonly string[]>(keptFolders)
  readonly #once = new MakeOnce<string>()

  constructor(drive: Drive) {
    this.#drive = drive
  }

  /** As they were found last. */
  kept(path: readonly string[]): readonly string[] | undefined {
    return this.#kept.get(path.join('/'))
  }

  keep(path: readonly string[], folders: readonly DriveFile[]): readonly string[] {
    const ids = folders.toSorted(olderFirst).map(({ id }) => id)
    if (ids.length > 0) this.#kept.set(path.join('/'), ids)
    else this.#kept.delete(path.join('/'))
    return ids
  }

  /** After one of them turned out to be gone. */
  forget(): void {
    this.#kept.clear()
  }

  /** The folders at a path as they are now, oldest first; none when it is not there. */
  async find(path: readonly string[], signal: AbortSignal): Promise<readonly string[]> {
    const known = await this.#confirmed(path, signal)
    if (known) return known
    let ids: readonly string[] = [myDrive]
    for (const [depth, name] of path.entries()) {
      ids = this.keep(path.slice(0, depth + 1), await this.#named(ids, name, signal))
      if (ids.length === 0) return []
    }
    return ids
  }

  /** The folder to write into; made when it is missing, with all above it. */
  make(path: readonly string[], signal: AbortSignal): Promise<string> {
    return this.#once.get(path.join('/'), () => this.kept(path)?.[0], () => this.#make(path, signal), signal)
  }

  /**
   * What lies in folders of one path, in any order; twins of files are the caller's matter. Errors: unsupported (a list without end).
   * @param first the first page of the first folder, where it is under way already
   */
  async *inside(ids: readonly string[], signal: AbortSignal, first?: Promise<DrivePage>): AsyncGenerator<DriveFile> {
    let begun = first
    for (const id of ids) {
      const guard = new EndGuard(mostInFolder)
      for (let token: string | undefined; ; ) {
        const { files, next }: DrivePage = await (begun ?? this.page(id, token, signal))
        begun = undefined
        guard.page(files.length, token, next)
        yield* files
        if (next === undefined) break
        token = next
      }
    }
  }

  /**
   * A page of a folder's list. All packs together are a list of some hundred requests, and whoever repeats it begins with the first: so each
   * that breaks off is asked again at once, a few times. What asks for patience is told. In a folder that was removed is nothing.
   */
  async page(id: string, token: string | undefined, signal: AbortSignal): Promise<DrivePage> {
    for (let tries = 1; ; tries++) {
      try {
        return await this.#drive.page(id, token, signal)
      } catch (error) {
        if (hasCode(error, 'not-found')) return { files: [], next: undefined }
        if (!hasCode(error, 'offline', 'unavailable') || tries === pageTries) throw error
      }
    }
  }

  /** The folders that are kept of a path, where nothing has changed on the way to them: all levels are asked for at once. */
  async #confirmed(path: readonly string[], signal: AbortSignal): Promise<readonly string[] | undefined> {
    const levels = path.map((_, depth) => this.kept(path.slice(0, depth + 1)))
    const here = levels.at(-1)
    if (!here || levels.includes(undefined)) return undefined
    const same = await Promise.all(levels.map(async (ids, depth) => {
      const above = depth === 0 ? [myDrive] : (levels[depth - 1] ?? [])
      const found = (await this.#named(above, path[depth] ?? '', signal)).toSorted(olderFirst)
      return found.map(({ id }) => id).join() === ids?.join()
    }))
    return same.every(Boolean) ? here : undefined
  }

  async #named(parents: readonly string[], name: string, signal: AbortSignal): Promise<readonly DriveFile[]> {
    const found: DriveFile[] = []
    for await (const file of this.inside(parents, signal)) {
      if (file.isFolder && file.name.normalize('NFC') === name) found.push(file)
    }
    return found
  }

  async #make(path: readonly string[], signal: AbortSignal): Promise<string> {
    const [there] = await this.find(path, signal)
    if (there !== undefined) return there
    const name = path.at(-1)
    if (name === undefined) return myDrive
    const parent = await this.make(path.slice(0, -1), signal)
    const id = await this.#drive.newId(signal)
    await this.#drive.createFolder({ type: 'new', id, name, parent }, signal).catch((error: unknown) => {
      if (!isTaken(error)) throw error
    })
    // Whoever made one at the same time finds both, too, and takes the same.
    const [oldest] = await this.find(path, signal)
    if (oldest === undefined) throw new HoldfastError('unavailable', 'Google Drive does not show a folder that was just made.')
    return oldest
  }
}
