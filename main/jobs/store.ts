import { randomUUID } from 'node:crypto'
import { hostname } from 'node:os'
import * as v from 'valibot'
import type { JobConfig } from '../api/contract.ts'
import { MainError } from '../api/errors.ts'
import { storedConfig, type StoredConfig } from '../api/schemas.ts'
import { copyRecord, CopyStore, type CopyRecord } from '../repositories/copies.ts'
import { joinedKnown } from '../repositories/known.ts'
import { repositoryRecord, RepositoryStore, same, type RepositoryRecord } from '../repositories/store.ts'
import { VersionedFile } from '../settings/versioned-file.ts'
import { continuousSchedules, moreSchedules, noConditions, noCopies, noDisks, noKits, ownRepositories, providerDestinations, unchosenRetention } from './migrations.ts'

/** A job with the repository that it goes to. */
export interface JobRecord {
  readonly id: string
  readonly config: JobConfig
  readonly repository: RepositoryRecord
  /** The schedule counts from here: when the job was made, or its schedule changed. */
  readonly scheduledSinceMs: number
  /** The machine's name when the job was made: its snapshots go on under it when the machine gets another. */
  readonly host?: string
}

/** A job as the job file keeps it. */
interface StoredJob {
  readonly id: string
  /** Id of the repository's record. */
  readonly repository: string
  readonly config: StoredConfig
  readonly scheduledSinceMs: number
  readonly host?: string
}

interface Stored {
  readonly repositories: readonly RepositoryRecord[]
  readonly jobs: readonly StoredJob[]
  readonly copies: readonly CopyRecord[]
}

const storedJob: v.GenericSchema<unknown, StoredJob> = v.object({
  id: v.string(),
  repository: v.string(),
  config: storedConfig,
  scheduledSinceMs: v.number(),
  host: v.exactOptional(v.pipe(v.string(), v.minLength(1), v.maxLength(255))),
})

const stored: v.GenericSchema<unknown, Stored> = v.pipe(
  v.object({ repositories: v.array(repositoryRecord), jobs: v.array(storedJob), copies: v.array(copyRecord) }),
  v.check(({ repositories, jobs, copies }) => [...jobs, ...copies].every((one) => repositories.some(({ id }) => id === one.repository))),
)

const migrations = [providerDestinations, ownRepositories, unchosenRetention, noCopies, moreSchedules, noConditions, continuousSchedules, noKits, noDisks]

/** Where a job goes that moves. */
export interface Move {
  /** Id of the record of the new place: one that is there, to share it, or one that is yet to be. */
  readonly repository: string
  /** The repository that the job knows is at the new place too. */
  readonly sameRepository: boolean
}

/** More are not made. */
export const mostJobs = 200

/** The jobs of this machine, in the order in which they were made, and the repositories that they go to. */
export class JobStore {
  readonly repositories: RepositoryStore
  readonly copies: CopyStore
  readonly #file: VersionedFile<Stored>
  readonly #now: () => number
  #joined: { readonly of: Stored; readonly jobs: readonly JobRecord[] } | undefined

  constructor(path: string, now: () => number) {
    this.#now = now
    const file = new VersionedFile({ path, schema: stored, migrations, initial: { repositories: [], jobs: [], copies: [] }, now })
    this.#file = file
    this.repositories = new RepositoryStore({
      get all() { return file.value.repositories },
      set: (repositories) => file.set({ ...file.value, repositories }),
    })
    this.copies = new CopyStore({
      get all() { return file.value.copies },
      set: (copies) => file.set({ ...file.value, copies }),
    })
  }

  /** Where a damaged job file was put. */
  get movedTo(): string | undefined {
    return this.#file.movedTo
  }

  get all(): readonly JobRecord[] {
    const { value } = this.#file
    if (this.#joined?.of !== value) this.#joined = { of: value, jobs: joined(value) }
    return this.#joined.jobs
  }

  /** Errors: `not-found`. */
  get(id: string): JobRecord {
    const found = this.all.find((one) => one.id === id)
    if (!found) throw new MainError('not-found', 'There is no such job.')
    return found
  }

  /**
   * Errors: `exists` where a job has this name.
   * @param repository record to share, or to make under this id
   * @param host the computer's name in its snapshots: by default that of the jobs which share the repository, so that they are looked after together
   */
  async add(config: JobConfig, repository: string = randomUUID(), host = this.#hostIn(repository)): Promise<JobRecord> {
    this.expectFreeName(config.name)
    const { destination, ...kept } = config
    const added: StoredJob = { id: randomUUID(), repository, config: kept, scheduledSinceMs: this.#now(), ...(host !== '' && { host }) }
    const { repositories, jobs } = this.#file.value
    await this.#file.set({ ...this.#file.value, repositories: withRecord(repositories, { id: repository, destination }), jobs: [...jobs, added] })
    return this.get(added.id)
  }

  /** Errors: `exists`. */
  expectFreeName(name: string): void {
    if (this.all.some((one) => sameName(one.config.name, name))) throw new MainError('exists', `There is a job named ${name} already.`, { field: 'config.name' })
  }

  #hostIn(repository: string): string {
    return this.#file.value.jobs.find((one) => one.repository === repository)?.host ?? hostname().slice(0, 255)
  }

  /** The name stays as it is. Without `move` the place is the same, however it is spelled now. Errors: `not-found`. */
  async update(id: string, config: JobConfig, move?: Move): Promise<void> {
    const old = this.get(id)
    const { destination, ...kept } = config
    const repository = move?.repository ?? old.repository.id
    const rescheduled = !same(old.config.schedule, config.schedule)
    const changed: StoredJob = {
      id,
      repository,
      config: { ...kept, name: old.config.name },
      scheduledSinceMs: rescheduled ? this.#now() : old.scheduledSinceMs,
      ...(old.host !== undefined && { host: old.host }),
    }
    const { repositories } = this.#file.value
    const placed = move
      ? withRecord(repositories, { ...(move.sameRepository && withoutDisk(old.repository)), id: repository, destination })
      : repositories.map((one) => (one.id === repository ? { ...one, destination } : one))
    const jobs = this.#file.value.jobs.map((one) => (one.id === id ? changed : one))
    // What nobody else uses any more is copied from its new place from now on.
    const isLeft = !jobs.some((one) => one.repository === old.repository.id)
    await this.#set(placed, jobs, isLeft ? this.#copiesOf(old.repository.id, repository) : undefined)
  }

  /** Jobs of the record `gone` go on with the record `kept`, which learns what that one knew. */
  async merge(kept: string, gone: string): Promise<void> {
    const { repositories, jobs } = this.#file.value
    const { repositoryId, known, kits = [], disk, rotation } = this.repositories.get(gone)
    const learn = (one: RepositoryRecord): RepositoryRecord => {
      const joint = joinedKnown(one.known, known)
      return { ...(repositoryId !== undefined && { repositoryId }), ...(disk && { disk }), ...(rotation && { rotation }), ...one, ...(joint && { known: joint }), ...(kits.length > 0 && { kits: [...(one.kits ?? []), ...kits] }) }
    }
    await this.#set(
      repositories.map((one) => (one.id === kept ? learn(one) : one)),
      jobs.map((one) => (one.repository === gone ? { ...one, repository: kept } : one)),
      this.#copiesOf(gone, kept),
    )
  }

  async remove(id: string): Promise<void> {
    await this.#set(this.#file.value.repositories, this.#file.value.jobs.filter((one) => one.id !== id))
  }

  /** Those of one record are those of another from now on. */
  #copiesOf(from: string, to: string): readonly CopyRecord[] {
    return this.copies.all.map((one) => (one.repository === from ? { ...one, repository: to } : one))
  }

  /** A record that no job names any more goes with the last one that did, and its copies with it. */
  async #set(repositories: readonly RepositoryRecord[], jobs: readonly StoredJob[], copies = this.copies.all): Promise<void> {
    const isNamed = (id: string): boolean => jobs.some((one) => one.repository === id)
    await this.#file.set({ repositories: repositories.filter(({ id }) => isNamed(id)), jobs, copies: copies.filter(({ repository }) => isNamed(repository)) })
  }
}

/** With a record that is there already nothing changes, but for what it did not know. */
function withRecord(all: readonly RepositoryRecord[], record: RepositoryRecord): readonly RepositoryRecord[] {
  return all.some(({ id }) => id === record.id) ? all.map((one) => (one.id === record.id ? { ...record, ...one } : one)) : [...all, record]
}

/** The disk at the new place is another, or is learned anew. */
function withoutDisk({ disk: _disk, ...record }: RepositoryRecord): RepositoryRecord {
  return record
}

function joined({ repositories, jobs }: Stored): readonly JobRecord[] {
  const byId = new Map(repositories.map((one) => [one.id, one]))
  return jobs.flatMap(({ repository: name, config, ...job }) => {
    const repository = byId.get(name)
    return repository ? [{ ...job, config: { ...config, destination: repository.destination }, repository }] : []
  })
}

function sameName(a: string, b: string): boolean {
  return a.toLowerCase() === b.toLowerCase()
}
