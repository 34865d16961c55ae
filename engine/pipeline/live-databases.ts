import type { ByteString } from '../base/byte-string.ts'
import { unlessAborted } from '../base/abort.ts'
import type { EntryStat } from '../base/entry-stat.ts'
import type { BlobId } from '../snapshot/node.ts'
import { companions, copyDatabase, type DatabaseState, type FileState, type ScratchFile } from './database-copy.ts'
import { fileStamp } from './file-node.ts'
import type { FileReading, FileTask } from './file-reading.ts'
import { type LoadNow, PreviousDirectory } from './previous-directory.ts'
import type { Tally } from './tally.ts'
import type { Place } from './walk-types.ts'

/** SQLite's smallest page: every database is a multiple of it. */
const pageBytes = 512n
/** A database that nobody seems to use is not copied beyond this: it is read as any file is. */
const mostQuietBytes = 2n ** 31n
/** Copies that wait to be read; a larger one waits for all others. */
const mostWaitingBytes = 2 ** 30

export interface LiveDatabasesOptions {
  /** Absolute, of Holdfast's own; copies of databases lie in it until they are read. */
  readonly scratch: string
  readonly files: FileReading
  readonly load: LoadNow
  readonly tally: Tally
  readonly signal: AbortSignal
}

/**
 * Databases that programs write to during the walk (G17). A database and its journal or WAL make sense together alone, so what the snapshot
 * has of one is decided when the walk comes to the database; its companions, which come behind it, are then taken as they were in that moment.
 */
export class LiveDatabases {
  readonly #options: LiveDatabasesOptions
  #waitingBytes = 0
  #read = Promise.withResolvers<undefined>()

  constructor(options: LiveDatabasesOptions) {
    this.#options = options
  }

  /** Of one folder. @param previous its tree in the snapshot before */
  folder(names: readonly ByteString[], previous: BlobId | undefined): FolderDatabases {
    return new FolderDatabases(names, previous, this.#options.load, (place, stat, known) => this.#copy(place, stat, known))
  }

  /** What reads a copy in place of its file; it is gone then. */
  task(copy: ScratchFile, { folder, name, stat, onRead }: FileTask): FileTask {
    const bytes = Number(copy.stat.size)
    this.#waitingBytes += bytes
    const attributes = folder.attributes(name)
    return {
      folder: this.#folder, name: copy.name, stat: copy.stat,
      onRead: (read) => {
        copy.remove()
        this.#waitingBytes -= bytes
        this.#read.resolve(undefined)
        onRead(read.ok ? { ...read, stat, attributes, torn: false } : read)
      },
    }
  }

  readonly #folder: FileTask['folder'] = {
    address: (name) => ({ ok: true, value: `${this.#options.scratch}/${name}` }),
    attributes: () => ({ found: [] }),
    hold: () => undefined,
    release: () => undefined,
  }

  async #copy({ folder, name, path }: Place, stat: EntryStat, isKnown: boolean): Promise<DatabaseState | undefined> {
    const { scratch, files, tally, signal } = this.#options
    while (this.#waitingBytes > 0 && this.#waitingBytes + Number(stat.size) > mostWaitingBytes) {
      this.#read = Promise.withResolvers()
      await files.flush()
      if (this.#waitingBytes > 0) await unlessAborted(this.#read.promise, signal)
    }
    const copied = await copyDatabase({ folder, name, known: isKnown ? stat : undefined, scratch, signal })
    if (copied.type === 'copied') return copied.state
    if (copied.type !== 'other') tally.note('database', path, notInOneState)
    return undefined
  }
}

const notInOneState = 'A database in use could not be copied in one state: its program wrote to it the whole time, or there is no room for the copy. It is stored as it was read.'

type CopyNow = (place: Place, stat: EntryStat, isKnown: boolean) => Promise<DatabaseState | undefined>

/** Databases of one folder. */
export class FolderDatabases {
  readonly #previous: BlobId | undefined
  readonly #load: LoadNow
  readonly #copy: CopyNow
  /** Names that have a companion. */
  readonly #accompanied: ReadonlySet<ByteString>
  readonly #decided = new Map<ByteString, FileState | undefined>()
  #names: readonly ByteString[]

  constructor(names: readonly ByteString[], previous: BlobId | undefined, load: LoadNow, copy: CopyNow) {
    this.#names = names
    this.#previous = previous
    this.#load = load
    this.#copy = copy
    this.#accompanied = new Set(names.flatMap(ownerOf))
  }

  /** Of the folder, with companions that came meanwhile. */
  get names(): readonly ByteString[] {
    return this.#names
  }

  /** What the snapshot has of a companion whose database was dealt with, once; false: nothing; undefined: it is like any file. */
  take(name: ByteString): FileState | false | undefined {
    if (!this.#decided.has(name)) return undefined
    const state = this.#decided.get(name)
    this.#decided.delete(name)
    return state ?? false
  }

  /**
   * Asked of each file: what the snapshot is to have of it, where it is a database in use or may be one.
   * @param isUnchanged since the snapshot before, which has it
   */
  settle(place: Place, stat: EntryStat, isUnchanged: boolean): Promise<FileState | undefined> | undefined {
    if (this.#accompanied.has(place.name)) return this.#settle(place, stat, isUnchanged)
    return isUnchanged || stat.size === 0n || stat.size % pageBytes !== 0n || stat.size > mostQuietBytes ? undefined : this.#settle(place, stat, false)
  }

  async #settle(place: Place, stat: EntryStat, isUnchanged: boolean): Promise<FileState | undefined> {
    if (isUnchanged && await this.#companionsStand(place)) return undefined
    const state = await this.#copy(place, stat, isUnchanged)
    if (!state) return undefined
    for (const companion of companions) {
      const name = place.name + companion
      const at = this.#indexOf(name)
      const found = state.companions.get(companion)
      const isListed = this.#names[at] === name
      if (found || (isListed && isFileOrGone(place, name))) this.#decided.set(name, found)
      if (found && !isListed) this.#names = this.#names.toSpliced(at, 0, name)
    }
    return state.database
  }

  /** Whether all are as the snapshot before has them; they then stay that, whatever happens until the walk comes to them. */
  async #companionsStand({ folder, name }: Place): Promise<boolean> {
    const standing = new Map<ByteString, FileState | undefined>()
    for (const companion of companions) {
      const companionName = name + companion
      if (this.#names[this.#indexOf(companionName)] !== companionName) continue
      const stat = folder.entry(companionName)
      if (stat.ok && !await this.#isUnchanged(companionName, stat.value)) return false
      standing.set(companionName, stat.ok ? { stat: stat.value } : undefined)
    }
    for (const [companionName, state] of standing) this.#decided.set(companionName, state)
    return true
  }

  async #isUnchanged(name: ByteString, stat: EntryStat): Promise<boolean> {
    if (!this.#previous) return false
    const previous = new PreviousDirectory(this.#load, this.#previous)
    return await previous.seek(name) && previous.entry.isUnchanged(fileStamp(stat))
  }

  /** Where a name is, or belongs. */
  #indexOf(name: ByteString): number {
    let [from, to] = [0, this.#names.length]
    while (from < to) {
      const middle = (from + to) >> 1
      if ((this.#names[middle] ?? '') < name) from = middle + 1
      else to = middle
    }
    return from
  }
}

function isFileOrGone({ folder }: Place, name: ByteString): boolean {
  const entry = folder.entry(name)
  return !entry.ok || entry.value.type === 'file'
}

function ownerOf(name: ByteString): ByteString[] {
  // Most names end otherwise, and this is asked of every one.
  if (!name.endsWith('l')) return []
  return companions.filter((companion) => name.endsWith(companion)).map((companion) => name.slice(0, -companion.length))
}
