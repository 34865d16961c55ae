import * as v from 'valibot'
import { knownRepository, type KnownRepository } from '../../engine/protocol/known.ts'
import type { Destination } from '../api/contract.ts'
import { MainError } from '../api/errors.ts'
import { destinationSchema } from '../api/schemas.ts'
import { diskRecord, rotatedDisk, type DiskRecord, type RotatedDisk } from './disk-record.ts'
import { kitRecord, type KitRecord } from './kit-record.ts'

/** A repository that jobs of this machine use: where it is and what is known of it. Its secrets are kept under its id. */
export interface RepositoryRecord {
  /** Of this record; the repository has an id of its own. */
  readonly id: string
  readonly destination: Destination
  /** The repository that a first run made or found; later runs refuse another at the same address. */
  readonly repositoryId?: string
  /** What this machine knows of that repository, beside what HOLDFAST_HOME keeps: that alone can be lost. */
  readonly known?: KnownRepository
  /** Its recovery kits, the newest first. */
  readonly kits?: readonly KitRecord[]
  /** Nobody wants to be asked for a recovery kit again. */
  readonly kitUnwanted?: true
  /** The disk that its folder is on; absent where that is none of its own, or nobody could say yet. */
  readonly disk?: DiskRecord
  /** Disks that take turns with that one, and are away, or plugged in beside it. */
  readonly rotation?: readonly RotatedDisk[]
}

export const repositoryRecord: v.GenericSchema<unknown, RepositoryRecord> = v.object({
  id: v.string(),
  destination: destinationSchema,
  repositoryId: v.exactOptional(v.string()),
  known: v.exactOptional(knownRepository),
  kits: v.exactOptional(v.array(kitRecord)),
  kitUnwanted: v.exactOptional(v.literal(true)),
  disk: v.exactOptional(diskRecord),
  rotation: v.exactOptional(v.array(rotatedDisk)),
})

/** Where the records lie: in one file with the jobs, so that no job ever names one that is not there. */
export interface RepositoryShelf {
  readonly all: readonly RepositoryRecord[]
  set(all: readonly RepositoryRecord[]): Promise<void>
}

/** The repositories of this machine, in the order in which they came to be known. */
export class RepositoryStore {
  readonly #shelf: RepositoryShelf

  constructor(shelf: RepositoryShelf) {
    this.#shelf = shelf
  }

  get all(): readonly RepositoryRecord[] {
    return this.#shelf.all
  }

  find(id: string): RepositoryRecord | undefined {
    return this.all.find((one) => one.id === id)
  }

  /** Errors: `not-found`. */
  get(id: string): RepositoryRecord {
    const found = this.find(id)
    if (!found) throw new MainError('not-found', 'There is no such repository.')
    return found
  }

  /** Remembers which repository is there, and what is known of it. Nothing happens where the record is gone. */
  async learn(id: string, repositoryId: string, known: KnownRepository | undefined): Promise<void> {
    const old = this.find(id)
    if (!old || (old.repositoryId === repositoryId && (!known || same(old.known, known)))) return
    await this.#change({ ...old, repositoryId, ...(known && { known }) })
  }

  /** Changes what is known of its recovery kits. Nothing happens where the record is gone. */
  async setKits(id: string, change: (kits: readonly KitRecord[]) => readonly KitRecord[]): Promise<void> {
    const old = this.find(id)
    if (old) await this.#change({ ...old, kits: change(old.kits ?? []) })
  }

  /** Nothing happens where the record is gone. */
  async leaveWithoutKit(id: string): Promise<void> {
    const old = this.find(id)
    if (old) await this.#change({ ...old, kitUnwanted: true })
  }

  /** Changes where it is, and what is known of its disks. Nothing happens where the record is gone. */
  async setDisks(id: string, change: (record: RepositoryRecord) => RepositoryRecord): Promise<void> {
    const old = this.find(id)
    const changed = old && change(old)
    if (changed && !same(old, changed)) await this.#change(changed)
  }

  async #change(changed: RepositoryRecord): Promise<void> {
    await this.#shelf.set(this.all.map((one) => (one.id === changed.id ? changed : one)))
  }
}

export function same(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b)
}
