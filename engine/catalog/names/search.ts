import type BetterSqlite3 from 'better-sqlite3'
import { fromBytes, toBytes, toShown } from '../../base/byte-string.ts'
import type { FoundEntry, PathVersion } from '../../protocol/messages.ts'
import { guarded, type Database } from '../database.ts'
import { entryTypes } from './database.ts'
import { foldName, foldQuery, spellings, type FoldedQuery } from './fold.ts'

interface VersionRow {
  readonly folder: number
  readonly first: number
  readonly until: number | null
  readonly type: number
  readonly size: number
  readonly mtime_ms: number
  readonly content: number
}

interface Candidate {
  readonly id: number
  readonly name: Buffer
}

interface Line {
  readonly job: string
  readonly host: string
  /** Those that the index has whole, oldest first. */
  readonly snapshots: readonly { readonly seq: number; readonly id: string; readonly finished_ms: number }[]
}

interface Folder {
  readonly line: number
  readonly path: string
}

export interface NameQuery {
  readonly text: string
  /** `next` of the answer before. */
  readonly after?: string
  readonly limit: number
}

export interface NameAnswer {
  readonly entries: readonly FoundEntry[]
  readonly next?: string
}

/** Names that are looked at between two turns of the event loop. */
const pageOfNames = 256
const pageOfPlaces = 256
/** Paths of folders kept: hits are often neighbours. */
const mostFolders = 10_000

/** Searches the index of names; other processes may write to it meanwhile. */
export class NameSearch {
  readonly #database: Database
  readonly #byTrigrams: BetterSqlite3.Statement<[string, number, number], Candidate>
  readonly #bySpelling: BetterSqlite3.Statement<[Uint8Array, Uint8Array, number], Candidate>
  readonly #places: BetterSqlite3.Statement<[number, number, number], number>
  readonly #versions: BetterSqlite3.Statement<[number, number], VersionRow>
  readonly #folder: BetterSqlite3.Statement<[number], { line: number; parent: number; name: Buffer | null }>
  readonly #folders = new Map<number, Folder>()
  #lines = new Map<number, Line>()

  constructor(database: Database) {
    this.#database = database
    this.#byTrigrams = database.prepare('SELECT t.rowid AS id, n.name FROM trigrams t CROSS JOIN names n ON n.id = t.rowid WHERE t.trigrams MATCH ? AND t.rowid < ? ORDER BY t.rowid DESC LIMIT ?')
    this.#bySpelling = database.prepare('SELECT id, name FROM names WHERE name >= ? AND name < ? ORDER BY name LIMIT ?')
    this.#places = database.prepare<[number, number, number], number>('SELECT DISTINCT folder FROM versions WHERE name = ? AND folder < ? ORDER BY folder DESC LIMIT ?').pluck()
    this.#versions = database.prepare('SELECT folder, first, until, type, size, mtime_ms, content FROM versions WHERE folder = ? AND name = ? ORDER BY first')
    this.#folder = database.prepare('SELECT f.line, f.parent, n.name FROM folders f LEFT JOIN names n ON n.id = f.name WHERE f.id = ?')
  }

  /**
   * Entries whose names hold each word of the text, those newest to the index first; a text of one or two characters finds names that begin with it.
   * `turn` is waited for now and then, and ends the search by what it throws.
   */
  async search(query: NameQuery, turn: () => Promise<void>): Promise<NameAnswer> {
    this.#lines = this.#readLines()
    const folded = foldQuery(query.text)
    const start = /^(\d+)\.(\d+)$/.exec(query.after ?? '')
    const from = start ? { name: Number(start[1]), folder: Number(start[2]) } : undefined
    const entries: FoundEntry[] = []
    for await (const { id, name } of this.#candidates(query.text.trim(), folded, from?.name, turn)) {
      let folder = id === from?.name ? from.folder : Number.MAX_SAFE_INTEGER
      for (let page = this.#page(id, folder); page.length > 0; page = this.#page(id, folder)) {
        for (folder of page) {
          const found = this.#entry(name, guarded(() => this.#versions.all(folder, id)))
          if (found && entries.push(found) === query.limit) return { entries, next: `${id}.${folder}` }
        }
        if (page.length < pageOfPlaces) break
        await turn()
      }
    }
    return { entries }
  }

  /** What a path of a snapshot's job on its host was, the newest version first; empty: nothing is known of it. */
  versions(snapshot: { readonly jobKey: string; readonly host: string }, path: Uint8Array): readonly PathVersion[] {
    this.#lines = this.#readLines()
    const line = this.#database.prepare<[string, string], number>('SELECT id FROM lines WHERE job_key = ? AND host = ?').pluck().get(snapshot.jobKey, snapshot.host)
    const names = fromBytes(path).split('/').filter((name) => name !== '' && name !== '.')
    const last = names.pop()
    if (line === undefined || last === undefined) return []
    let folder = this.#child(0, 0, line)
    for (const name of names) folder = folder === undefined ? undefined : this.#child(folder, this.#nameId(name), line)
    if (folder === undefined) return []
    const rows = this.#versions.all(folder, this.#nameId(last))
    const { snapshots = [] } = this.#lines.get(line) ?? {}
    const seen = visible(rows, snapshots)
    return seen.flatMap((one, index) => pathVersion(one, seen[index + 1], snapshots)).reverse()
  }

  async *#candidates(text: string, { words, match }: FoldedQuery, from: number | undefined, turn: () => Promise<void>): AsyncGenerator<Candidate> {
    if (match === '') {
      yield* this.#beginning(text, from, turn)
      return
    }
    for (let below = from === undefined ? Number.MAX_SAFE_INTEGER : from + 1; ;) {
      const page = guarded(() => this.#byTrigrams.all(match, below, pageOfNames))
      for (const each of page) {
        const name = foldName(each.name)
        if (words.every((word) => name.includes(word))) yield each
      }
      const last = page.at(-1)
      if (!last || page.length < pageOfNames) return
      below = last.id
      await turn()
    }
  }

  async *#beginning(text: string, from: number | undefined, turn: () => Promise<void>): AsyncGenerator<Candidate> {
    if (text === '') return
    const first = from === undefined ? undefined : this.#database.prepare<[number], Candidate>('SELECT id, name FROM names WHERE id = ?').get(from)
    if (first) yield first
    for (const start of spellings(text)) {
      // No UTF-8 has a byte 0xff.
      const end = Buffer.concat([start, Buffer.from([0xff])])
      let at = first && Buffer.compare(first.name, start) >= 0 ? behind(first.name) : start
      while (Buffer.compare(at, end) < 0) {
        const page = guarded(() => this.#bySpelling.all(at, end, pageOfNames))
        yield* page
        const last = page.at(-1)
        if (!last || page.length < pageOfNames) break
        at = behind(last.name)
        await turn()
      }
    }
  }

  #page(name: number, below: number): readonly number[] {
    return guarded(() => this.#places.all(name, below, pageOfPlaces))
  }

  #entry(name: Buffer, versions: readonly VersionRow[]): FoundEntry | undefined {
    const folder = this.#folderOf(versions[0]?.folder ?? 0)
    const line = folder && this.#lines.get(folder.line)
    if (!folder || !line) return undefined
    const seen = visible(versions, line.snapshots)
    const last = seen.at(-1)
    const newest = last && line.snapshots[last.end - 1]
    if (!last || !newest) return undefined
    const { version } = last
    const type = entryTypes[version.type] ?? 'fifo'
    return {
      snapshot: newest.id, job: line.job, host: line.host, path: toBytes(folder.path + fromBytes(name)), shown: toShown(fromBytes(name)), folder: toShown(folder.path.slice(0, -1)),
      type, ...(type === 'file' ? { size: version.size } : {}), mtimeMs: version.mtime_ms, versions: seen.length, lastMs: newest.finished_ms, there: newest === line.snapshots.at(-1),
    }
  }

  /** Its path with a slash behind it; undefined where it was swept away meanwhile. */
  #folderOf(id: number): Folder | undefined {
    const known = this.#folders.get(id)
    if (known) return known
    const row = this.#folder.get(id)
    if (!row) return undefined
    const parent = row.parent === 0 ? { line: row.line, path: '' } : this.#folderOf(row.parent)
    if (!parent) return undefined
    const folder = row.name === null ? parent : { line: row.line, path: `${parent.path}${fromBytes(row.name)}/` }
    if (this.#folders.size >= mostFolders) this.#folders.clear()
    this.#folders.set(id, folder)
    return folder
  }

  #child(parent: number, name: number, line: number): number | undefined {
    return this.#database.prepare<[number, number, number], number>('SELECT id FROM folders WHERE parent = ? AND name = ? AND line = ?').pluck().get(parent, name, line)
  }

  #nameId(name: string): number {
    return this.#database.prepare<[Uint8Array], number>('SELECT id FROM names WHERE name = ?').pluck().get(toBytes(name)) ?? -1
  }

  #readLines(): Map<number, Line> {
    return guarded(() => {
      const snapshots = this.#database.prepare<[number], Line['snapshots'][number]>('SELECT seq, id, finished_ms FROM snapshots WHERE line = ? AND done = 1 ORDER BY seq')
      const lines = this.#database.prepare<[], { id: number; job: string; host: string }>('SELECT id, job, host FROM lines').all()
      return new Map(lines.map(({ id, job, host }) => [id, { job, host, snapshots: snapshots.all(id) }]))
    })
  }
}

/** The next name in order of bytes. */
function behind(name: Uint8Array): Uint8Array {
  return Buffer.concat([name, Buffer.from([0])])
}

/** A version in the snapshots from number `start` on, and before `end`. */
interface Visible {
  readonly version: VersionRow
  readonly start: number
  readonly end: number
}

/** What the snapshots that there are show of a path: those of equal content are one where no snapshot parts them. */
function visible(versions: readonly VersionRow[], snapshots: Line['snapshots']): readonly Visible[] {
  const seen: Visible[] = []
  for (const version of versions) {
    const start = firstFrom(snapshots, version.first)
    const end = version.until === null ? snapshots.length : firstFrom(snapshots, version.until)
    if (start >= end) continue
    const before = seen.at(-1)
    if (before?.end === start && isSame(before.version, version)) seen[seen.length - 1] = { ...before, end }
    else seen.push({ version, start, end })
  }
  return seen
}

function firstFrom(snapshots: Line['snapshots'], seq: number): number {
  const index = snapshots.findIndex((snapshot) => snapshot.seq >= seq)
  return index < 0 ? snapshots.length : index
}

function isSame(a: VersionRow, b: VersionRow): boolean {
  return a.type === b.type && a.size === b.size && a.content === b.content
}

function pathVersion({ version, start, end }: Visible, next: Visible | undefined, snapshots: Line['snapshots']): readonly PathVersion[] {
  const [oldest, newest, lacking] = [snapshots[start], snapshots[end - 1], snapshots[end]]
  if (!oldest || !newest) return []
  const type = entryTypes[version.type] ?? 'fifo'
  return [{
    snapshot: newest.id, firstMs: oldest.finished_ms, lastMs: newest.finished_ms, snapshots: end - start, type, ...(type === 'file' ? { size: version.size } : {}), mtimeMs: version.mtime_ms,
    ...(lacking && next?.start !== end ? { goneMs: lacking.finished_ms } : {}),
  }]
}
