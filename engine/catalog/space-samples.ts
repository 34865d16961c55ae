import { mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import * as v from 'valibot'
import writeFileAtomic from 'write-file-atomic'
import type { SpaceLeft } from '../protocol/space.ts'
import type { SpaceSample } from '../snapshot/space.ts'
import { catalogFolder } from './paths.ts'

const schema = v.pipe(v.array(v.object({ timeMs: v.number(), freeBytes: v.number(), totalBytes: v.exactOptional(v.number()) })), v.maxLength(1000))

/** Half a year, one a day. */
const kept = 180
const dayMs = 24 * 3_600_000

/** What a repository's storage had left, day by day, as this machine saw it. It only serves a forecast: a file that is missing or damaged counts as empty. */
export class SpaceSamples {
  readonly #path: string

  constructor(home: string, repositoryId: string) {
    this.#path = join(catalogFolder(home, repositoryId), 'space')
  }

  /** Oldest first. */
  all(): readonly SpaceSample[] {
    try {
      const parsed = v.safeParse(schema, JSON.parse(readFileSync(this.#path, 'utf8')))
      return parsed.success ? parsed.output : []
    } catch {
      return []
    }
  }

  /** The last of a day stays. Errors: those of the file system. */
  async add({ freeBytes, totalBytes }: SpaceLeft, nowMs: number): Promise<readonly SpaceSample[]> {
    const day = Math.floor(nowMs / dayMs)
    const others = this.all().filter(({ timeMs }) => Math.floor(timeMs / dayMs) !== day)
    const samples = [...others, { timeMs: nowMs, freeBytes, ...(totalBytes === undefined ? {} : { totalBytes }) }].slice(-kept)
    mkdirSync(join(this.#path, '..'), { recursive: true, mode: 0o700 })
    await writeFileAtomic(this.#path, JSON.stringify(samples), { mode: 0o600 })
    return samples
  }
}
