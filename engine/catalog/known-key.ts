import { mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import writeFileAtomic from 'write-file-atomic'
import { catalogFolder } from './paths.ts'

/**
 * Which key of a repository opened last on this machine, so that its turn comes first. It only saves time: a file that is missing or damaged
 * counts as none. A key's name is that of its object, and no secret.
 */
export class KnownKey {
  readonly #home: string

  constructor(home: string) {
    this.#home = home
  }

  of(repositoryId: string): string | undefined {
    try {
      return /^[0-9a-f]{32}/.exec(readFileSync(this.#path(repositoryId), 'utf8'))?.[0]
    } catch {
      return undefined
    }
  }

  /** Errors: those of the file system. */
  async remember(repositoryId: string, keyName: string): Promise<void> {
    if (this.of(repositoryId) === keyName) return
    mkdirSync(catalogFolder(this.#home, repositoryId), { recursive: true, mode: 0o700 })
    await writeFileAtomic(this.#path(repositoryId), `${keyName}\n`, { mode: 0o600 })
  }

  #path(repositoryId: string): string {
    return join(catalogFolder(this.#home, repositoryId), 'key')
  }
}
