import { mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import writeFileAtomic from 'write-file-atomic'
import { catalogFolder } from './paths.ts'

/**
 * When this machine last saw a storage bear a repository, whichever of its jobs looked. It only saves time: a file that is missing or damaged counts
 * as never.
 */
export class ProbeMemory {
  readonly #folder: string

  /** @param home Holdfast's own folder */
  constructor(home: string, repositoryId: string) {
    this.#folder = catalogFolder(home, repositoryId)
  }

  /** Undefined where it was never seen at this address. */
  lastMs(address: string): number | undefined {
    try {
      const [time = '', where] = readFileSync(this.#path, 'utf8').split('\n')
      return where === address && /^\d{1,15}$/.test(time) ? Number(time) : undefined
    } catch {
      return undefined
    }
  }

  /** Of several addresses only the last is kept. Errors: those of the file system. */
  async set(address: string, nowMs: number): Promise<void> {
    mkdirSync(this.#folder, { recursive: true, mode: 0o700 })
    await writeFileAtomic(this.#path, `${Math.max(0, Math.floor(nowMs))}\n${address}\n`, { mode: 0o600 })
  }

  get #path(): string {
    return join(this.#folder, 'probed')
  }
}
