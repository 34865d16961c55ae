import { randomUUID } from 'node:crypto'
import { closeSync, constants, fstatSync, openSync, read, readSync, rmSync, statfsSync, write } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { promisify } from 'node:util'
import { throwIfAborted } from '../base/abort.ts'
import type { ByteString } from '../base/byte-string.ts'
import { entryStat, type EntryStat } from '../base/entry-stat.ts'
import { hasErrno } from '../base/errno.ts'
import type { Folder } from '../source/folder.ts'
import { DatabaseLocks } from './database-locks.ts'
import { isWithinTick, openFile, waitOutTick } from './file-reader.ts'

/** What SQLite keeps beside a database, of which the database is nothing without. */
export const companions = ['-journal', '-wal'] as const
export type Companion = (typeof companions)[number]

/** How a file of a database is: as it was seen in the moment that the copy is of. */
export interface FileState {
  /** With the size of the copy; without a ctime where the file has changed since, so that the next run is sure to read it again. */
  readonly stat: EntryStat
  /** Absent: the content is that of the file that is known. */
  readonly copy?: ScratchFile
}

/** A file in the scratch folder, the taker's to remove. */
export class ScratchFile {
  readonly folder: string
  readonly name: string
  readonly stat: EntryStat

  constructor(folder: string, name: string, stat: EntryStat) {
    this.folder = folder
    this.name = name
    this.stat = stat
  }

  /** Repeating does nothing. */
  remove(): void {
    rmSync(join(this.folder, this.name), { force: true })
  }
}

export interface DatabaseState {
  readonly database: FileState
  /** Absent: it was not there. */
  readonly companions: ReadonlyMap<Companion, FileState>
}

/** `changing`: it was written to the whole time; `room`: the scratch folder has none for it; `other`: no database, or it cannot be read. */
export type DatabaseCopy = { readonly type: 'copied'; readonly state: DatabaseState } | { readonly type: 'changing' | 'room' | 'other' }

export interface DatabaseSource {
  readonly folder: Folder
  readonly name: ByteString
  /** With this metadata the database file is known, and needs no copy. */
  readonly known: EntryStat | undefined
  readonly scratch: string
  readonly signal: AbortSignal
}

const magic = 'SQLite format 3\0'
/** sqlite.org/fileformat.html */
const headerBytes = 20
const writeVersionAt = 18
const walVersion = 2
const walHeaderBytes = 32

/** A program that wants to write waits this long at most; most of them wait five seconds before they give up. */
const holdMs = 3000
/** In WAL mode nobody waits, but the WAL grows. */
const holdWalMs = 10 * 60_000
const tries = 8
/** No other try after this. */
const triesMs = 30_000
const chunkBytes = 1024 * 1024

/**
 * Copies a database and what belongs to it in one state, from which SQLite recovers it as from a power cut. Its programs are locked out like
 * by any reader; a copy counts only if what was read shows that it is one state, so the locks are what lets it succeed, not what it rests on.
 * Nothing is written beside the database. Errors: aborted, and those of the scratch folder.
 */
export async function copyDatabase(source: DatabaseSource): Promise<DatabaseCopy> {
  const began = performance.now()
  for (let attempt = 1; ; attempt++) {
    throwIfAborted(source.signal)
    const result = await attemptCopy(source)
    if (result.type !== 'changing' || attempt === tries || performance.now() - began > triesMs) return result
    await delay(10 * 2 ** attempt)
  }
}

async function attemptCopy(source: DatabaseSource): Promise<DatabaseCopy> {
  source.folder.hold()
  const open = new OpenDatabase(source)
  try {
    return await open.copy()
  } catch (error) {
    if (error instanceof SourceError) return { type: hasErrno(error.cause, 'ENOENT', 'ESTALE') ? 'changing' : 'other' }
    throw error
  } finally {
    open.close()
    source.folder.release()
  }
}

/** The system refused something of the source, not of the scratch folder. */
class SourceError extends Error {}

interface OpenedFile {
  readonly name: ByteString
  readonly descriptor: number
  readonly before: EntryStat
  /** A write after it was looked at shows in its times. */
  readonly isSettled: boolean
  after?: EntryStat | undefined
  copy?: ScratchFile
}

/** One try. */
class OpenDatabase {
  readonly #source: DatabaseSource
  readonly #descriptors: number[] = []
  #copies: ScratchFile[] = []

  constructor(source: DatabaseSource) {
    this.#source = source
  }

  close(): void {
    for (const descriptor of this.#descriptors) closeSync(descriptor)
    for (const copy of this.#copies) copy.remove()
  }

  async copy(): Promise<DatabaseCopy> {
    const { name } = this.#source
    const descriptor = this.#open(name)
    if (descriptor === undefined) return { type: 'changing' }
    const isWal = isWalMode(descriptor)
    if (isWal === undefined) return { type: 'other' }
    const locks = new DatabaseLocks(descriptor)
    await this.#lock(locks, isWal)
    const database = this.#look(name, descriptor)
    const beside = new Map(companions.flatMap((companion) => {
      const opened = this.#open(name + companion)
      const file = opened === undefined ? undefined : this.#look(name + companion, opened)
      return file ? [[companion, file] as const] : []
    }))
    if (!database || isWalMode(descriptor) !== isWal) return { type: 'changing' }
    const isKnown = this.#source.known !== undefined && isSame(this.#source.known, database.before)
    const files = isKnown ? [...beside.values()] : [database, ...beside.values()]
    if (!this.#hasRoom(files)) return { type: 'room' }
    const isOne = await this.#copyFiles(files, { database, isKnown, isWal, locks, journal: beside.get('-journal'), wal: beside.get('-wal') })
    if (!isOne) return { type: 'changing' }
    this.#copies = []
    return { type: 'copied', state: { database: stateOf(database), companions: new Map([...beside].map(([companion, file]) => [companion, stateOf(file)])) } }
  }

  /** The WAL comes last: it then has all that went from it into the database meanwhile. @returns whether the copies are of one state */
  async #copyFiles(files: readonly OpenedFile[], { database, isKnown, isWal, locks, journal, wal }: Parts): Promise<boolean> {
    const untilMs = performance.now() + (isWal ? holdWalMs : holdMs)
    const walBegin = beginOf(wal)
    for (const file of files) {
      await this.#copyFile(file, () => {
        if (performance.now() > untilMs) locks.release()
      })
    }
    for (const file of [database, ...files]) file.after = this.#entry(file.name)
    // It was not begun anew: a program only adds to it, and what it took over into the database from it is still there.
    const goesOn = isWal && wal !== undefined && walBegin.length === walHeaderBytes && walBegin.equals(beginOf(wal)) && wal.after?.inode === wal.before.inode
    if (!isSteady(database)) return goesOn && !isKnown && isSteady(journal)
    // Who writes to the journal of a database that is locked keeps there what the database still has.
    return (goesOn || isSteady(wal)) && ((locks.isHeld && !isWal) || isSteady(journal))
  }

  /** In WAL mode a program that lets nobody else in is not waited for: whether the WAL was begun anew shows in it. */
  async #lock(locks: DatabaseLocks, isWal: boolean): Promise<void> {
    const untilMs = performance.now() + holdMs
    while (!locks.hold() && !isWal && performance.now() < untilMs && !this.#source.signal.aborted) await delay(2)
    if (!isWal) return
    const memory = this.#open(`${this.#source.name}-shm`)
    if (memory !== undefined) locks.holdWal(memory)
  }

  /** Undefined: no such file. */
  #open(name: ByteString): number | undefined {
    const entry = this.#entry(name)
    const address = this.#source.folder.address(name)
    if (entry?.type !== 'file' || !address.ok) return undefined
    const descriptor = ofSource(() => openFile(address.value, entry.uid))
    this.#descriptors.push(descriptor)
    return descriptor
  }

  /** Undefined: another file has taken its place. */
  #look(name: ByteString, descriptor: number): OpenedFile | undefined {
    const first = this.#entry(name)
    if (first) waitOutTick(first.ctimeNs)
    const before = this.#entry(name)
    const { inode, device } = entryStat(fstatSync(descriptor, { bigint: true }))
    return before?.inode === inode && before.device === device ? { name, descriptor, before, isSettled: !isWithinTick(before.ctimeNs) } : undefined
  }

  #entry(name: ByteString): EntryStat | undefined {
    const entry = this.#source.folder.entry(name)
    return entry.ok ? entry.value : undefined
  }

  #hasRoom(files: readonly OpenedFile[]): boolean {
    const { bavail, bsize } = statfsSync(this.#source.scratch)
    return files.reduce((sum, { before }) => sum + Number(before.size), 0) <= (bavail * bsize) / 2
  }

  async #copyFile(file: OpenedFile, onStep: () => void): Promise<void> {
    const { scratch, signal } = this.#source
    const name = randomUUID()
    const target = openSync(join(scratch, name), constants.O_RDWR | constants.O_CREAT | constants.O_EXCL, 0o600)
    this.#descriptors.push(target)
    this.#copies.push(new ScratchFile(scratch, name, file.before))
    const buffer = Buffer.allocUnsafe(chunkBytes)
    for (let bytes = 0; ;) {
      const { bytesRead } = await readAt(file.descriptor, buffer, 0, chunkBytes, bytes).catch(sourceError)
      if (bytesRead === 0) break
      for (let written = 0; written < bytesRead;) written += (await writeAt(target, buffer, written, bytesRead - written, bytes + written)).bytesWritten
      bytes += bytesRead
      throwIfAborted(signal)
      onStep()
    }
    file.copy = new ScratchFile(scratch, name, entryStat(fstatSync(target, { bigint: true })))
  }
}

interface Parts {
  readonly database: OpenedFile
  readonly isKnown: boolean
  readonly isWal: boolean
  readonly locks: DatabaseLocks
  readonly journal: OpenedFile | undefined
  readonly wal: OpenedFile | undefined
}

const readAt = promisify(read)
const writeAt = promisify(write)

function sourceError(error: unknown): never {
  throw new SourceError('The database cannot be read.', { cause: error })
}

function ofSource<T>(work: () => T): T {
  try {
    return work()
  } catch (error) {
    return sourceError(error)
  }
}

/** Undefined: no database. */
function isWalMode(descriptor: number): boolean | undefined {
  const header = beginning(descriptor, headerBytes)
  return header.length === headerBytes && header.toString('latin1', 0, magic.length) === magic ? header[writeVersionAt] === walVersion : undefined
}

function beginOf(file: OpenedFile | undefined): Buffer {
  return file ? beginning(file.descriptor, walHeaderBytes) : Buffer.alloc(0)
}

function beginning(descriptor: number, length: number): Buffer {
  const buffer = Buffer.alloc(length)
  return buffer.subarray(0, ofSource(() => readSync(descriptor, buffer, 0, length, 0)))
}

/** A file that was not there at first does not count: what it holds had not begun. */
function isSteady(file: OpenedFile | undefined): boolean {
  return file === undefined || (file.isSettled && file.after !== undefined && isSame(file.before, file.after))
}

function isSame(a: EntryStat, b: EntryStat): boolean {
  return a.inode === b.inode && a.size === b.size && a.mtimeNs === b.mtimeNs && a.ctimeNs === b.ctimeNs
}

function stateOf(file: OpenedFile): FileState {
  const { before, copy } = file
  if (!copy) return { stat: before }
  return { stat: isSteady(file) && copy.stat.size === before.size ? before : { ...before, size: copy.stat.size, ctimeNs: 0n }, copy }
}
