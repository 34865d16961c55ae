import { randomUUID } from 'node:crypto'
import * as v from 'valibot'
import type { Destination } from '../api/contract.ts'
import { MainError } from '../api/errors.ts'
import { destinationSchema } from '../api/schemas.ts'

/** Another place to which a repository is copied. Its secrets are kept under its id. */
export interface CopyRecord {
  readonly id: string
  /** Id of the record of the repository that is copied. */
  readonly repository: string
  readonly destination: Destination
  /** The repository that a first run made or found there; later runs refuse another. */
  readonly repositoryId?: string
  /** What is forgotten in the repository is forgotten there too; else it stays. */
  readonly removeVanished: boolean
  /** ms since 1970. */
  readonly addedMs: number
  /** When somebody stopped it last. */
  readonly stoppedMs?: number
}

export const copyRecord: v.GenericSchema<unknown, CopyRecord> = v.object({
  id: v.string(),
  repository: v.string(),
  destination: destinationSchema,
  repositoryId: v.exactOptional(v.string()),
  removeVanished: v.boolean(),
  addedMs: v.number(),
  stoppedMs: v.exactOptional(v.number()),
})

/** Where the records lie: in one file with the repositories, so that none names one that is not there. */
export interface CopyShelf {
  readonly all: readonly CopyRecord[]
  set(all: readonly CopyRecord[]): Promise<void>
}

/** The copies of this machine's repositories, in the order in which they were added. */
export class CopyStore {
  readonly #shelf: CopyShelf

  constructor(shelf: CopyShelf) {
    this.#shelf = shelf
  }

  get all(): readonly CopyRecord[] {
    return this.#shelf.all
  }

  /** Of a repository, by the id of its record. */
  of(repository: string): readonly CopyRecord[] {
    return this.all.filter((one) => one.repository === repository)
  }

  find(id: string): CopyRecord | undefined {
    return this.all.find((one) => one.id === id)
  }

  /** Errors: `not-found`. */
  get(id: string): CopyRecord {
    const found = this.find(id)
    if (!found) throw new MainError('not-found', 'There is no such copy.')
    return found
  }

  /** @param id under which its secrets are kept already */
  async add(copy: Omit<CopyRecord, 'id'>, id: string = randomUUID()): Promise<CopyRecord> {
    const added = { ...copy, id }
    await this.#shelf.set([...this.all, added])
    return added
  }

  /** Nothing happens where the record is gone. */
  async change(id: string, changes: Pick<CopyRecord, 'repositoryId'> | Pick<CopyRecord, 'stoppedMs'>): Promise<void> {
    if (this.find(id)) await this.#shelf.set(this.all.map((one) => (one.id === id ? { ...one, ...changes } : one)))
  }

  async remove(id: string): Promise<void> {
    await this.#shelf.set(this.all.filter((one) => one.id !== id))
  }
}
