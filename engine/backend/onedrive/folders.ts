import { BoundedMap } from '../../base/bounded-map.ts'
import { HoldfastError } from '../../base/errors.ts'
import { MakeOnce } from '../flow/make-once.ts'
import type { OneDriveApi } from './api.ts'

/** Packs alone lie in 256. */
const keptFolders = 2000

/**
 * Folders that are there, by path from the app folder down. An upload to a path makes what is missing above it, too; but several at once
 * would then meet in the same folder, and of one that must not replace a refusal would not say whether the folder or the file is there.
 */
export class Folders {
  readonly #api: OneDriveApi
  readonly #there = new BoundedMap<true>(keptFolders)
  readonly #once = new MakeOnce<true>()

  constructor(api: OneDriveApi) {
    this.#api = api
  }

  /** After one of them turned out to be gone. */
  forget(): void {
    this.#there.clear()
  }

  /** Makes it when it is missing, with all above it. */
  async make(path: readonly string[], signal: AbortSignal): Promise<void> {
    const key = path.join('/')
    if (path.length > 0) await this.#once.get(key, () => this.#there.get(key), () => this.#make(path, key, signal), signal)
  }

  /** Asked for first: in a repository that is there nearly all are, and one is asked for without its parents. */
  async #make(path: readonly string[], key: string, signal: AbortSignal): Promise<true> {
    if (!(await this.#api.hasFolder(key, path, signal))) {
      await this.make(path.slice(0, -1), signal)
      await this.#api.createFolder(key, path, signal)
    }
    this.#there.set(key, true)
    return true
  }
}

/** For a folder that is removed again and again while one works in it. */
export function folderVanished(name: string, cause: unknown): HoldfastError {
  return new HoldfastError('unavailable', `The folder of ${name} is removed from OneDrive again and again.`, { cause })
}
