import { BoundedMap } from '../../base/bounded-map.ts'
import { HoldfastError } from '../../base/errors.ts'
import { MakeOnce } from '../flow/make-once.ts'
import type { BoxApi } from './api.ts'

/** "All Files". */
const root = '0'
/** Packs alone lie in 256. */
const keptFolders = 2000

/** Folders by path, from the account's root down. Names are unique in a folder, so a path has one id for as long as its folder is there. */
export class Folders {
  readonly #api: BoxApi
  readonly #kept = new BoundedMap<string>(keptFolders)
  readonly #once = new MakeOnce<string>()

  constructor(api: BoxApi) {
    this.#api = api
  }

  keep(path: readonly string[], id: string): void {
    this.#kept.set(path.join('/'), id)
  }

  /** After one of them turned out to be gone. */
  forget(): void {
    this.#kept.clear()
  }

  /** undefined where there is none. */
  async find(path: readonly string[], signal: AbortSignal): Promise<string | undefined> {
    const name = path.at(-1)
    if (name === undefined) return root
    const known = this.#kept.get(path.join('/'))
    if (known !== undefined) return known
    const parent = await this.find(path.slice(0, -1), signal)
    const there = parent === undefined ? undefined : await this.#api.find(path.join('/'), parent, name, signal)
    if (there?.type !== 'folder') return undefined
    this.keep(path, there.id)
    return there.id
  }

  /** Makes it when it is missing, with all above it. */
  async make(path: readonly string[], signal: AbortSignal): Promise<string> {
    const key = path.join('/')
    const name = path.at(-1)
    return name === undefined ? root : this.#once.get(key, () => this.#kept.get(key), () => this.#make(path, name, signal), signal)
  }

  async #make(path: readonly string[], name: string, signal: AbortSignal): Promise<string> {
    const id = await this.#api.createFolder(path.join('/'), await this.make(path.slice(0, -1), signal), name, signal)
    this.keep(path, id)
    return id
  }
}

/** For a folder that is removed again and again while one works in it. */
export function folderVanished(name: string, cause: unknown): HoldfastError {
  return new HoldfastError('unavailable', `The folder of ${name} is removed from Box again and again.`, { cause })
}
