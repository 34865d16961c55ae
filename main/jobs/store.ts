import { randomUUID } from 'node:crypto'
import { hostname } from 'node:os'
import * as v from 'valibot'
import { knownRepository, type KnownRepository } from '../../engine/protocol/known.ts'
import type { JobConfig } from '../api/contract.ts'
import { MainError } from '../api/errors.ts'
import { jobConfig } from '../api/schemas.ts'
import { providerDestinations } from './migrations.ts'
import { VersionedFile } from '../settings/versioned-file.ts'

/** A job as the job file keeps it. */
export interface JobRecord {
  readonly id: string
  readonly config: JobConfig
  /** The schedule counts from here: when the job was made, or its schedule changed. */
  readonly scheduledSinceMs: number
  /** The repository that its first run made or found; later runs refuse another at the same address. */
  readonly repositoryId?: string
  /** What this machine knows of that repository, beside what HOLDFAST_HOME keeps: that alone can be lost. */
  readonly known?: KnownRepository
  /** The machine's name when the job was made: its snapshots go on under it when the machine gets another. */
  readonly host?: string
}

const record: v.GenericSchema<unknown, JobRecord> = v.object({
  id: v.string(),
  config: jobConfig,
  scheduledSinceMs: v.number(),
  host: v.exactOptional(v.pipe(v.string(), v.minLength(1), v.maxLength(255))),
  repositoryId: v.exactOptional(v.string()),
  known: v.exactOptional(knownRepository),
})

/** The jobs of this machine, in the order in which they were made. */
export class JobStore {
  readonly #file: VersionedFile<readonly JobRecord[]>
  readonly #now: () => number

  constructor(path: string, now: () => number) {
    this.#now = now
    this.#file = new VersionedFile({ path, schema: v.array(record), migrations: [providerDestinations], initial: [], now })
  }

  /** Where a damaged job file was put. */
  get movedTo(): string | undefined {
    return this.#file.movedTo
  }

  get all(): readonly JobRecord[] {
    return this.#file.value
  }

  /** Errors: `not-found`. */
  get(id: string): JobRecord {
    const found = this.all.find((one) => one.id === id)
    if (!found) throw new MainError('not-found', 'There is no such job.')
    return found
  }

  /** Errors: `exists` where a job has this name. */
  async add(config: JobConfig): Promise<JobRecord> {
    this.expectFreeName(config.name)
    const host = hostname().slice(0, 255)
    const added: JobRecord = { id: randomUUID(), config, scheduledSinceMs: this.#now(), ...(host !== '' && { host }) }
    await this.#file.set([...this.all, added])
    return added
  }

  /** Errors: `exists`. */
  expectFreeName(name: string): void {
    if (this.all.some((one) => sameName(one.config.name, name))) throw new MainError('exists', `There is a job named ${name} already.`, { field: 'config.name' })
  }

  /**
   * The name stays as it is. A new destination may hold another repository, unless somebody has looked.
   * @param sameRepository the repository that the job knows is at the new destination too. Errors: `not-found`.
   */
  async update(id: string, config: JobConfig, sameRepository = false): Promise<void> {
    const old = this.get(id)
    const forgets = !sameRepository && !same(old.config.destination, config.destination)
    const rescheduled = !same(old.config.schedule, config.schedule)
    await this.#replace({
      id,
      config: { ...config, name: old.config.name },
      scheduledSinceMs: rescheduled ? this.#now() : old.scheduledSinceMs,
      ...(old.host !== undefined && { host: old.host }),
      ...(!forgets && old.repositoryId !== undefined && { repositoryId: old.repositoryId }),
      ...(!forgets && old.known && { known: old.known }),
    })
  }

  /** Remembers the repository of a job, and what is known of it. Nothing happens where the job is gone. */
  async learn(id: string, repositoryId: string, known: KnownRepository | undefined): Promise<void> {
    const old = this.all.find((one) => one.id === id)
    if (!old || (old.repositoryId === repositoryId && (!known || same(old.known, known)))) return
    await this.#replace({ ...old, repositoryId, ...(known && { known }) })
  }

  async remove(id: string): Promise<void> {
    await this.#file.set(this.all.filter((one) => one.id !== id))
  }

  async #replace(changed: JobRecord): Promise<void> {
    await this.#file.set(this.all.map((one) => (one.id === changed.id ? changed : one)))
  }
}

function sameName(a: string, b: string): boolean {
  return a.toLowerCase() === b.toLowerCase()
}

function same(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b)
}
