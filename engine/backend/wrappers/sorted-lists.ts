import SqliteDatabase from 'better-sqlite3'
import { HoldfastError } from '../../base/errors.ts'
import type { ObjectInfo, StorageBackend } from '../backend.ts'
import { BackendWrapper } from './wrapper.ts'

/** So many names are sorted in memory, where they take about 4 MB; more go to a temporary file. */
const inMemory = 20_000
const cacheKiB = 8 * 1024

/**
 * Lists of a storage that lists in any order come ascending, each name once. A list is complete before its first name is given: only then
 * is the first name known. A storage that lists in order is returned as it is. Errors: also `full` (of the disk for temporary files).
 */
export function withSortedLists(backend: StorageBackend, namesInMemory = inMemory): StorageBackend {
  return backend.traits.listing.order === 'ascending' ? backend : new SortedLists(backend, namesInMemory)
}

class SortedLists extends BackendWrapper {
  readonly #namesInMemory: number

  constructor(inner: StorageBackend, namesInMemory: number) {
    super(inner, { ...inner.traits, listing: { ...inner.traits.listing, order: 'ascending' } })
    this.#namesInMemory = namesInMemory
  }

  override async *list(prefix: string, signal: AbortSignal): AsyncIterable<ObjectInfo> {
    let first: ObjectInfo[] = []
    using sorter = new DiskSorter()
    for await (const info of this.inner.list(prefix, signal)) {
      first.push(info)
      if (first.length < this.#namesInMemory) continue
      sorter.add(first)
      first = []
    }
    if (sorter.isEmpty) yield* ascending(first)
    else {
      sorter.add(first)
      yield* sorter.ascending()
    }
  }
}

function* ascending(infos: ObjectInfo[]): Iterable<ObjectInfo> {
  infos.sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0))
  for (const [index, info] of infos.entries()) if (info.name !== infos[index - 1]?.name) yield info
}

/** A database without a name: SQLite keeps it in a file that is gone from its folder as soon as it is open, and in memory while it is small. */
class DiskSorter implements Disposable {
  #database: SqliteDatabase.Database | undefined

  get isEmpty(): boolean {
    return this.#database === undefined
  }

  /** Of several infos of one name the first stays. */
  add(infos: readonly ObjectInfo[]): void {
    guarded(() => {
      const database = (this.#database ??= createSorter())
      const insert = database.prepare('INSERT OR IGNORE INTO objects VALUES (?, ?, ?)')
      database.transaction(() => { for (const { name, size, modifiedMs } of infos) insert.run(name, size, modifiedMs) })()
    })
  }

  *ascending(): Iterable<ObjectInfo> {
    // The text is ASCII, and SQLite compares it byte by byte: the order of JavaScript's strings.
    const rows = this.#database?.prepare<[], ObjectInfo>('SELECT name, size, modified AS modifiedMs FROM objects ORDER BY name').iterate() ?? []
    for (const row of rows) yield row
  }

  [Symbol.dispose](): void {
    this.#database?.close()
  }
}

function createSorter(): SqliteDatabase.Database {
  const database = new SqliteDatabase('')
  database.pragma('journal_mode = OFF')
  database.pragma('synchronous = OFF')
  database.pragma(`cache_size = -${cacheKiB}`)
  database.exec('CREATE TABLE objects (name TEXT PRIMARY KEY, size INTEGER NOT NULL, modified REAL NOT NULL) WITHOUT ROWID')
  return database
}

function guarded(work: () => void): void {
  try {
    work()
  } catch (error) {
    if (!(error instanceof SqliteDatabase.SqliteError)) throw error
    const data = { place: 'temporary', reason: error.code }
    throw new HoldfastError('full', 'A list of the storage could not be sorted: the disk for temporary files is full or failing (TMPDIR names another).', { cause: error, data })
  }
}
