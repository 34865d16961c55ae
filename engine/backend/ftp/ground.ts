import { HoldfastError } from '../../base/errors.ts'
import type { FolderEntry } from '../flow/folder-walk.ts'
import type { Watch } from '../http/watch.ts'
import type { FtpConnection } from './connection.ts'
import { isReply } from './errors.ts'
import { entriesOf, isFolder } from './files.ts'
import { temporaryFolder, temporaryPattern } from './temporary.ts'

/** Folders that were made or seen; 256 hold the packs. */
const mostRemembered = 2048
/** What an `init` that broke off leaves behind: folders, with names of ours alone in them. */
const leftovers: Readonly<Record<string, RegExp>> = { [temporaryFolder]: temporaryPattern, keys: /^[0-9a-f]{32}$/, probe: /^[0-9a-f]{32}-[ab]$/ }
/** What systems put on a disk or into a login folder by themselves. */
const harmless = /^(?:lost\+found|\.ds_store|\.trash-\d+|#recycle|@eadir|#snapshot|\.ssh|\.bash_logout|\.bashrc|\.profile|\.cache|\.ftpquota|\.message)$/i

/** The folder of a repository on a server, and the folders in it. */
export class Ground {
  /** On the server, without `~`. */
  readonly root: string
  readonly #made = new Set<string>()

  constructor(root: string) {
    this.root = root
  }

  /** `name` is an object's or a folder's, '' for the root. */
  pathOf(name: string): string {
    if (name === '') return this.root
    return this.root.endsWith('/') ? this.root + name : `${this.root}/${name}`
  }

  /** Makes a folder where it is missing, and those on the way to it, but for the root. Errors: offline (no root), denied, … */
  async make(folder: string, connection: FtpConnection, watch: Watch): Promise<void> {
    const names = folder === '' ? [] : folder.split('/')
    for (const part of names.map((_, index) => names.slice(0, index + 1).join('/'))) {
      if (this.#made.has(part)) continue
      await makeFolder(this.pathOf(part), connection, watch).catch(async (error: unknown) => {
        throw (await isFolder(this.root, connection, watch)) ? error : this.noRoot(error)
      })
      if (this.#made.size >= mostRemembered) this.#made.clear()
      this.#made.add(part)
    }
  }

  /** Something vanished: nothing is taken to stay. */
  forget(): void {
    this.#made.clear()
  }

  /** Makes the folder of a new repository where it is missing. Errors: arguments (it holds other things), denied, … */
  async makeRoot(nowMs: number, connection: FtpConnection, watch: Watch): Promise<void> {
    const names = this.root.split('/').filter((name) => name !== '')
    const paths = names.map((_, index) => `/${names.slice(0, index + 1).join('/')}`)
    let there = paths.length
    while (there > 0 && !(await isFolder(paths[there - 1] ?? '/', connection, watch))) there--
    for (const path of paths.slice(there)) await makeFolder(path, connection, watch)
    await this.expectOwn(nowMs, connection, watch)
  }

  /** A repository is in the folder, or could be made there; false: it is missing. Nothing of strangers is touched. Errors: arguments (it holds other things). */
  async expectOwn(nowMs: number, connection: FtpConnection, watch: Watch): Promise<boolean> {
    const entries = await entriesOf(this.root, nowMs, connection, watch)
    if (!entries) return false
    if (entries.some(({ name }) => name === 'config')) return true
    const others: string[] = []
    for (const entry of entries) if (!harmless.test(entry.name) && !(await this.#isLeftover(entry, nowMs, connection, watch))) others.push(entry.name)
    if (others.length === 0) return true
    const shown = others.sort().slice(0, 3).map((name) => JSON.stringify(name)).join(', ')
    const more = others.length > 3 ? ` and ${others.length - 3} more` : ''
    throw new HoldfastError('arguments', `The folder ${this.root} on the server holds other things: ${shown}${more}. A repository wants a folder of its own. Give one that is empty, or a new one inside, such as ${this.pathOf('holdfast')}.`, {
      data: { reason: 'not-empty', entries: others.length },
    })
  }

  noRoot(cause?: unknown): HoldfastError {
    return new HoldfastError('offline', `The repository's folder is not there on the server: ${this.root}. Is its disk mounted?`, { cause })
  }

  async #isLeftover(entry: FolderEntry, nowMs: number, connection: FtpConnection, watch: Watch): Promise<boolean> {
    const ours = leftovers[entry.name]
    if (!ours || entry.kind !== 'folder') return false
    return (await entriesOf(this.pathOf(entry.name), nowMs, connection, watch))?.every(({ name }) => ours.test(name)) ?? true
  }
}

/** Repeating is safe: 550 also says that it is there. */
async function makeFolder(path: string, connection: FtpConnection, watch: Watch): Promise<void> {
  try {
    await connection.command(`MKD ${path}`, watch)
  } catch (error) {
    if (!isReply(error, 521, 550, 553) || !(await isFolder(path, connection, watch))) throw error
  }
}

export function split(object: string): readonly [folder: string, name: string] {
  const cut = object.lastIndexOf('/')
  return [object.slice(0, Math.max(0, cut)), object.slice(cut + 1)]
}
