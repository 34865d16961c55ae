import { HoldfastError } from '../../base/errors.ts'
import type { FolderEntry } from './folder-walk.ts'
import { temporaryFolder, temporaryPattern } from './unfinished.ts'

/** Folders that were made or seen; 256 hold the packs. */
const mostRemembered = 2048
/** What an `init` that broke off leaves behind: folders, with names of ours alone in them. */
const leftovers: Readonly<Record<string, RegExp>> = { [temporaryFolder]: temporaryPattern, keys: /^[0-9a-f]{32}$/, probe: /^[0-9a-f]{32}-[abc]$/ }
/** What systems put on a disk or into a login folder by themselves, or keep there for the login itself. */
const harmless =
  /^(?:lost\+found|\.ds_store|\.spotlight-v100|\.fseventsd|\.trashes|\.trash-\d+|#recycle|@eadir|#snapshot|\.ssh|\.hsh|\.bash_logout|\.bashrc|\.profile|\.cache|\.hushlogin|\.ftpquota|\.message)$/i

/** The folder of a repository on a server of files, and which folders in it are known to be there. */
export class ServerFolder {
  /** On the server, without `~`. */
  readonly root: string
  readonly #known = new Set<string>()

  /** @param path from the server's root, or `~/from/the/login/folder`. Errors: unsupported (the server does not say what the login folder is). */
  constructor(path: string, home: string | undefined) {
    if (path.startsWith('~') && home === undefined) throw new HoldfastError('unsupported', 'The server does not say what the login folder is: give a folder from its root.')
    this.root = home !== undefined && path.startsWith('~') ? `${home.replace(/\/$/, '')}/${path.slice(2)}`.replace(/(.)\/$/, '$1') : path
  }

  /** `name` is an object's or a folder's, '' for the root. */
  pathOf(name: string): string {
    if (name === '') return this.root
    return this.root.endsWith('/') ? this.root + name : `${this.root}/${name}`
  }

  isKnown(folder: string): boolean {
    return this.#known.has(folder)
  }

  know(folder: string): void {
    if (this.#known.size >= mostRemembered) this.#known.clear()
    this.#known.add(folder)
  }

  /** Something vanished: nothing is taken to stay. */
  forget(): void {
    this.#known.clear()
  }

  noRoot(cause?: unknown): HoldfastError {
    return new HoldfastError('offline', `The repository's folder is not there on the server: ${this.root}. Is its disk mounted?`, { cause })
  }

  /**
   * A repository is in the folder, or could be made there; false: it is missing. Errors: arguments (it holds other things).
   * @param read the entries of a folder below the root ('' for that); undefined where there is none. The first thousand are enough
   */
  async expectOwn(read: (folder: string) => Promise<readonly Pick<FolderEntry, 'name' | 'kind'>[] | undefined>): Promise<boolean> {
    const entries = await read('')
    if (!entries) return false
    if (entries.some(({ name }) => name === 'config')) return true
    const others: string[] = []
    for (const { name, kind } of entries) {
      const ours = kind === 'folder' ? leftovers[name] : undefined
      const isOurs = ours !== undefined && ((await read(name))?.every((one) => ours.test(one.name)) ?? true)
      if (!isOurs && !harmless.test(name)) others.push(name)
    }
    if (others.length === 0) return true
    const shown = others.sort().slice(0, 3).map((name) => JSON.stringify(name)).join(', ')
    const more = others.length > 3 ? ` and ${others.length - 3} more` : ''
    throw new HoldfastError('arguments', `The folder ${this.root} on the server holds other things: ${shown}${more}. A repository wants a folder of its own. Give one that is empty, or a new one inside, such as ${this.pathOf('holdfast')}.`, {
      data: { reason: 'not-empty', entries: others.length },
    })
  }
}

/** `a`, `a/b`, … of `a/b/…`; of `/a/b` from the root they begin with a slash. */
export function partsOf(folder: string): readonly string[] {
  const [names, front] = [folder.split('/').filter((name) => name !== ''), folder.startsWith('/') ? '/' : '']
  return names.map((_, index) => front + names.slice(0, index + 1).join('/'))
}

export function split(object: string): readonly [folder: string, name: string] {
  const cut = object.lastIndexOf('/')
  return [object.slice(0, Math.max(0, cut)), object.slice(cut + 1)]
}
