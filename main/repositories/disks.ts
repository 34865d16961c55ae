import type { JobDisk, RunView } from '../api/contract.ts'
import { MainError } from '../api/errors.ts'
import { nextTimeMs } from '../api/schedule.ts'
import type { JobRecord, JobStore } from '../jobs/store.ts'
import { isComplete } from '../runs/run-view.ts'
import type { SecretStore } from '../settings/secrets.ts'
import { seenAt, type AttachedDrives, type Drive } from '../system/drives.ts'
import { repositoryUrl } from './address.ts'
import type { DiskRecord, RotatedDisk } from './disk-record.ts'
import type { RepositoryRecord } from './store.ts'

export interface DisksPorts {
  readonly store: Pick<JobStore, 'all' | 'repositories'>
  readonly secrets: Pick<SecretStore, 'get' | 'has' | 'set'>
  /** Never rejects. */
  readonly attached: () => Promise<AttachedDrives>
  /** What is mounted, as a text that is another one after any change. Never rejects. */
  readonly mounts: () => Promise<string>
  readonly queue: { isBusy(repository: string): boolean; endedMs(repository: string): number | undefined }
  /** Waits until all that was written to the file system at a folder is on its disk; false where that cannot be told. Never rejects. */
  readonly flush: (folder: string) => Promise<boolean>
  readonly now: () => number
  /** The repository of a job is another one, or elsewhere, from now on. */
  readonly onMoved: (jobId: string) => void
  /** A disk that was plugged in while the app ran has got its backup, and can be unplugged. */
  readonly onSafe: (disk: string, record: JobRecord) => void
  readonly onChange: () => void
}

/** That a disk is there is written down again after this time. */
const seenAgainMs = 6 * 3_600_000

/**
 * The disks that repositories are on, known by their file systems and not by the paths where they happen to be mounted. A repository whose disk is elsewhere
 * is used there; one whose disk is away is waited for, whatever lies at its path meanwhile; of disks in rotation the one that is there counts.
 */
export class Disks {
  readonly #ports: DisksPorts
  #attached: ReadonlyMap<string, Drive> | undefined
  #mounts: string | undefined
  #looking: Promise<void> | undefined
  /** Records whose folder was written to lately, so that it is certain that it is theirs. */
  readonly #confirmed = new Set<string>()
  /** Disks that have come since the app started, and wait for the first backup since. */
  readonly #arrived = new Set<string>()
  /** By disk: the end of the last work on it after which all of it was written. */
  readonly #flushed = new Map<string, number>()

  /** By record: when another disk had its turn last in this session. */
  readonly #turnedMs = new Map<string, number>()

  constructor(ports: DisksPorts) {
    this.#ports = ports
  }

  /** The names of the disks that a repository waits for, of which one is enough; undefined where it waits for none. Before the first look nobody knows: it waits. */
  awaited({ disk, rotation = [] }: Pick<RepositoryRecord, 'disk' | 'rotation'>): readonly string[] | undefined {
    if (!disk) return undefined
    const all = [disk, ...rotation.map((one) => one.disk)]
    return all.some((one) => this.#placeOf(one) !== undefined) ? undefined : all.map(({ name }) => name)
  }

  /** Whether the disk whose turn it is has missed a time of the job's schedule, while others had theirs, and nothing has run since. */
  missed({ config: { schedule }, repository: { id, disk } }: JobRecord, lastRun: RunView | undefined): boolean {
    const turnedMs = this.#turnedMs.get(id)
    if (!disk || turnedMs === undefined || schedule.type === 'manual' || (lastRun && lastRun.finishedMs >= turnedMs)) return false
    return disk.completeMs === undefined || (nextTimeMs(schedule, disk.completeMs) ?? Infinity) <= this.#ports.now()
  }

  /** The disks of a repository, in the order in which they came. */
  view({ repository }: Pick<JobRecord, 'repository'>): readonly JobDisk[] {
    const { disk, rotation = [] } = repository
    if (!disk) return []
    return [disk, ...rotation.map((one) => one.disk)].map((one) => ({
      id: one.id,
      name: one.name,
      current: one === disk,
      present: this.#placeOf(one) !== undefined,
      seenMs: one.seenMs,
      ...(one.completeMs !== undefined && { completeMs: one.completeMs }),
      safe: one.removable && this.#isSafe(one),
    }))
  }

  /** Lets a disk take turns with those of a repository. @param folder of its repository in the file system. @param path the same, as it is seen now */
  async add(id: string, { id: disk, name, removable }: Drive, folder: string, path: string): Promise<void> {
    const added: RotatedDisk = { destination: { type: 'folder', path }, disk: { id: disk, name, folder, removable, seenMs: this.#ports.now() } }
    await this.#ports.store.repositories.setDisks(id, (one) => ({ ...one, rotation: [...(one.rotation ?? []).filter((other) => other.disk.id !== disk), added] }))
    await this.look()
  }

  /** Lets a disk take no more turns; of several alone. Errors: `busy` while something works on it. */
  async remove(id: string, disk: string): Promise<void> {
    const { store, queue } = this.#ports
    const record = store.repositories.get(id)
    if (record.disk?.id === disk) {
      if (queue.isBusy(id)) throw new MainError('busy', 'Something works on this disk.')
      // The one after it takes its place, whether it is plugged in or not.
      const [next] = record.rotation ?? []
      if (next) await this.#moveTo(id, next.destination, (one) => turned(one, next.disk.id, next.destination.path))
    }
    await store.repositories.setDisks(id, ({ rotation = [], ...one }) => {
      const left = rotation.filter((other) => other.disk.id !== disk)
      return { ...one, ...(left.length > 0 && { rotation: left }) }
    })
    await this.look()
  }

  /** Whether a mount has changed since the last look. Cheap, for often. Never rejects. */
  async glance(): Promise<boolean> {
    return (await this.#ports.mounts()) !== this.#mounts
  }

  /** Looks which disks are there, and where. Resolves when what was there at the call was seen. Calling it more often changes nothing. */
  look(): Promise<void> {
    // A look that goes on may have seen what was there before.
    const look = (this.#looking ?? Promise.resolve()).then(() => this.#look())
    this.#looking = look
    return look
  }

  /** A backup has ended and is in the history. */
  async ended(run: RunView, record: JobRecord): Promise<void> {
    const { store, onSafe, onChange } = this.#ports
    if (!isComplete(run)) return
    const { id } = record.repository
    this.#confirmed.add(id)
    const complete = (one: RepositoryRecord): RepositoryRecord => ({ ...one, ...(one.disk && { disk: { ...one.disk, completeMs: run.finishedMs } }) })
    await store.repositories.setDisks(id, complete)
    await this.look()
    // Only now it is known that it is on a disk.
    if (!record.repository.disk) await store.repositories.setDisks(id, complete)
    await this.#flush(id)
    const disk = store.repositories.find(id)?.disk
    if (disk?.removable === true && this.#isSafe(disk) && this.#arrived.delete(disk.id)) onSafe(disk.name, record)
    onChange()
  }

  async #look(): Promise<void> {
    const { attached, mounts, store, onChange } = this.#ports
    this.#mounts = await mounts()
    const found = await attached()
    const before = this.#attached
    this.#attached = new Map(found.all.map((drive) => [drive.id, drive]))
    for (const drive of found.all) if (before && !before.has(drive.id)) this.#arrived.add(drive.id)
    for (const { id } of store.repositories.all) {
      await this.#learn(id, found)
      await this.#choose(id)
      await this.#remember(id, before)
      await this.#flush(id)
    }
    if (!before || JSON.stringify([...before]) !== JSON.stringify([...this.#attached])) onChange()
  }

  /** Which disk a folder is on that somebody has just chosen, or that was certainly written to. The system's own is no matter of this. */
  async #learn(id: string, { of }: AttachedDrives): Promise<void> {
    const record = this.#ports.store.repositories.find(id)
    if (!record || record.disk || record.destination.type !== 'folder' || (record.repositoryId !== undefined && !this.#confirmed.has(id))) return
    const found = await of(record.destination.path)
    if (!found || found.drive.system) return
    const { drive: { id: disk, name, removable }, folder } = found
    await this.#ports.store.repositories.setDisks(id, (one) => ({ ...one, disk: { id: disk, name, folder, removable, seenMs: this.#ports.now() } }))
  }

  /** The repository is where its disk is, or on another of its disks. What is under way there goes on where it began. */
  async #choose(id: string): Promise<void> {
    const record = this.#ports.store.repositories.find(id)
    if (!record?.disk || record.destination.type !== 'folder' || this.#ports.queue.isBusy(id)) return
    const path = this.#placeOf(record.disk)
    if (path === record.destination.path) return
    if (path !== undefined) return this.#moveTo(id, { type: 'folder', path }, (one) => ({ ...one, destination: { type: 'folder', path } }))
    const next = record.rotation?.find(({ disk }) => this.#placeOf(disk) !== undefined)?.disk
    const there = next && this.#placeOf(next)
    if (there === undefined) return
    await this.#moveTo(id, { type: 'folder', path: there }, (one) => turned(one, next?.id, there))
    this.#turnedMs.set(id, this.#ports.now())
  }

  /** What opens it was entered for a disk: it goes with that, and to those that take turns with it. */
  async #moveTo(id: string, to: RotatedDisk['destination'], moved: (record: RepositoryRecord) => RepositoryRecord): Promise<void> {
    const { secrets, store, onMoved, onChange } = this.#ports
    const record = store.repositories.get(id)
    // An app that ended between the two writes has left it for another already.
    const places = [record.destination, to, ...(record.rotation ?? []).map(({ destination }) => destination)].map(repositoryUrl)
    const kept = places.map((address) => secrets.get(id, address)).find((one) => one !== undefined)
    // What cannot be opened now is not to be lost: the run says so.
    if (!kept && secrets.has(id).password) return
    if (kept) await secrets.set(id, repositoryUrl(to), kept)
    await store.repositories.setDisks(id, moved)
    for (const job of store.all) if (job.repository.id === id) onMoved(job.id)
    onChange()
  }

  /** Writes down when a disk was there, and how it is called now. @param before what was there at the last look */
  async #remember(id: string, before: ReadonlyMap<string, Drive> | undefined): Promise<void> {
    const now = this.#ports.now()
    const remembered = (disk: DiskRecord): DiskRecord => {
      const drive = this.#attached?.get(disk.id)
      if (drive) return drive.name !== disk.name || Math.abs(now - disk.seenMs) >= seenAgainMs ? { ...disk, name: drive.name, removable: drive.removable, seenMs: now } : disk
      return before?.has(disk.id) === true ? { ...disk, seenMs: now } : disk
    }
    await this.#ports.store.repositories.setDisks(id, ({ disk, rotation, ...record }) => ({
      ...record, ...(disk && { disk: remembered(disk) }), ...(rotation && { rotation: rotation.map((one) => ({ ...one, disk: remembered(one.disk) })) }),
    }))
  }

  /** Where the folder of a repository is now; undefined where its disk is away. */
  #placeOf({ id, folder }: DiskRecord): string | undefined {
    const drive = this.#attached?.get(id)
    return drive && seenAt(drive, folder)
  }

  /** After work on a disk that may be unplugged: waits until it is on it. */
  async #flush(id: string): Promise<void> {
    const disk = this.#ports.store.repositories.find(id)?.disk
    const place = disk && this.#attached?.get(disk.id)?.mount
    if (!disk?.removable || place === undefined || this.#isSafe(disk)) return
    const work = this.#workOn(disk)
    if (work.busy || work.endedMs === undefined) return
    if (await this.#ports.flush(place)) this.#flushed.set(disk.id, work.endedMs)
  }

  #isSafe(disk: DiskRecord): boolean {
    const { busy, endedMs } = this.#workOn(disk)
    return !busy && endedMs !== undefined && this.#attached?.has(disk.id) === true && this.#flushed.get(disk.id) === endedMs
  }

  /** What this session has done on a disk, in all repositories on it. */
  #workOn({ id }: DiskRecord): { readonly busy: boolean; readonly endedMs: number | undefined } {
    const { queue, store } = this.#ports
    const here = store.repositories.all.filter((one) => one.disk?.id === id)
    const ended = here.flatMap((one) => queue.endedMs(one.id) ?? [])
    return { busy: here.some((one) => queue.isBusy(one.id)), endedMs: ended.length > 0 ? Math.max(...ended) : undefined }
  }
}

/** A record with another of its disks in the first place, and all that belongs to each with it. Without that disk it stays as it is. */
function turned(record: RepositoryRecord, to: string | undefined, path: string): RepositoryRecord {
  const { rotation = [], disk, destination, repositoryId, known, kits, ...rest } = record
  const next = rotation.find((one) => one.disk.id === to)
  if (!next || !disk || destination.type !== 'folder') return record
  const left: RotatedDisk = { destination, disk, ...(repositoryId !== undefined && { repositoryId }), ...(known && { known }), ...(kits && { kits }) }
  return { ...rest, ...next, destination: { type: 'folder', path }, rotation: [...rotation.filter((one) => one !== next), left] }
}
