import { guarded, type Database } from '../database.ts'
import { foldName } from './fold.ts'
import { countVersions } from './writer.ts'

/** A snapshot as the index knows it. */
export interface NamedSnapshot {
  readonly jobKey: string
  readonly host: string
  readonly job: string
  /** What orders the snapshots of a job on a host. */
  readonly revision: number
  /** `JOB@REV` */
  readonly id: string
  readonly finishedMs: number
}

interface LineRow {
  readonly id: number
  readonly dropped: number
  readonly newest: number | null
  readonly pending: number | null
}

interface VersionKey {
  readonly folder: number
  readonly name: number
  readonly first: number
  readonly type: number
}

/** Rows that one transaction of a sweep removes. */
const sweepRows = 1000

/** Which snapshots the index has, and which it gives up. Whoever changes it holds lockNames. */
export class NameLedger {
  readonly #database: Database

  constructor(database: Database) {
    this.#database = database
  }

  /** Those to take in, a job's oldest first: newer than what its line has, or begun and not done. What came in between later stays out. */
  missing<T extends NamedSnapshot>(snapshots: readonly T[]): readonly T[] {
    return snapshots.filter((snapshot) => this.#isNext(snapshot)).sort((a, b) => a.revision - b.revision)
  }

  /** Of a snapshot that has just been made and the one before it: those to take in. None where the index lacks older ones, which are read from the repository first. */
  following<T extends NamedSnapshot>(made: T, before: T | undefined): readonly T[] {
    const line = guarded(() => this.#line(made.jobKey, made.host))
    if (!line) return made.revision === 1 ? [made] : []
    if (line.newest === before?.revision) return [made]
    return before && line.pending === before.revision ? this.missing([before, made]) : []
  }

  /** How many of these are not in the index. */
  countMissing(snapshots: readonly NamedSnapshot[]): number {
    const has = this.#database.prepare<[string, string, number], number>('SELECT 1 FROM snapshots s JOIN lines l ON l.id = s.line WHERE l.job_key = ? AND l.host = ? AND s.revision = ? AND s.done = 1').pluck()
    return guarded(() => snapshots.filter(({ jobKey, host, revision }) => has.get(jobKey, host, revision) === undefined).length)
  }

  /** Begins to take one in, or goes on with it. */
  begin({ jobKey, host, job, revision, id, finishedMs }: NamedSnapshot): { readonly seq: number; readonly line: number } {
    return guarded(() => this.#database.transaction(() => {
      this.#database.prepare('INSERT OR IGNORE INTO lines(job_key, host, job) VALUES (?, ?, ?)').run(jobKey, host, job)
      const line = this.#line(jobKey, host)?.id ?? 0
      this.#database.prepare('INSERT OR IGNORE INTO snapshots(line, revision, id, finished_ms) VALUES (?, ?, ?, ?)').run(line, revision, id, Math.floor(finishedMs))
      const seq = this.#database.prepare<[number, number], number>('SELECT seq FROM snapshots WHERE line = ? AND revision = ?').pluck().get(line, revision) ?? 0
      return { seq, line }
    }).immediate())
  }

  /** Forgets snapshots that are not among those that there are. Returns whether any was: then names may be left over (sweep). */
  keepOnly(existing: readonly NamedSnapshot[]): boolean {
    const ids = new Set(existing.map(({ jobKey, host, revision }) => `${jobKey} ${revision} ${host}`))
    return guarded(() => this.#database.transaction(() => {
      const rows = this.#database.prepare<[], { seq: number; revision: number; job_key: string; host: string }>('SELECT seq, revision, job_key, host FROM snapshots JOIN lines ON lines.id = line').all()
      const gone = rows.filter(({ job_key, revision, host }) => !ids.has(`${job_key} ${revision} ${host}`))
      for (const { seq } of gone) this.#database.prepare('DELETE FROM snapshots WHERE seq = ?').run(seq)
      return gone.length > 0
    }).immediate())
  }

  /** Gives up the oldest snapshot that is not its job's newest; false: there is none. */
  dropOldest(): boolean {
    return guarded(() => this.#database.transaction(() => {
      const oldest = this.#database.prepare<[], { seq: number; line: number; revision: number }>(`SELECT seq, line, revision FROM snapshots s
        WHERE seq < (SELECT max(seq) FROM snapshots n WHERE n.line = s.line AND n.done = 1) ORDER BY finished_ms LIMIT 1`).get()
      if (!oldest) return false
      this.#database.prepare('DELETE FROM snapshots WHERE seq = ?').run(oldest.seq)
      this.#database.prepare('UPDATE lines SET dropped = max(dropped, ?) WHERE id = ?').run(oldest.revision, oldest.line)
      return true
    }).immediate())
  }

  /** Removes some of what no snapshot has any more; true: there may be more. */
  sweep(): boolean {
    return guarded(() => this.#database.transaction(() => {
      // Entries before the folder that they are in: its row tells which line they are of.
      const ended = this.#database.prepare<[number], VersionKey>(`SELECT v.folder, v.name, v.first, v.type FROM versions v CROSS JOIN folders f ON f.id = v.folder
        WHERE v.until IS NOT NULL AND v.until <= (SELECT min(seq) FROM snapshots s WHERE s.line = f.line) ORDER BY v.until, v.folder DESC LIMIT ?`).all(sweepRows)
      const left = ended.length > 0 ? ended : this.#ofEmptyLines()
      for (const each of left) this.#remove(each)
      this.#database.prepare("UPDATE counts SET value = value - ? WHERE key = 'versions'").run(left.length)
      if (left.length === 0) this.#removeEmptyLines()
      return left.length > 0
    }).immediate())
  }

  get versions(): number {
    return guarded(() => countVersions(this.#database))
  }

  #ofEmptyLines(): readonly VersionKey[] {
    return this.#database.prepare<[number], VersionKey>(`SELECT v.folder, v.name, v.first, v.type FROM folders f CROSS JOIN versions v ON v.folder = f.id
      WHERE f.line IN (SELECT id FROM lines WHERE id NOT IN (SELECT line FROM snapshots)) LIMIT ?`).all(sweepRows)
  }

  #removeEmptyLines(): void {
    this.#database.exec(`DELETE FROM folders WHERE line IN (SELECT id FROM lines WHERE id NOT IN (SELECT line FROM snapshots));
      DELETE FROM lines WHERE id NOT IN (SELECT line FROM snapshots)`)
  }

  #remove({ folder, name, first, type }: VersionKey): void {
    const database = this.#database
    database.prepare('DELETE FROM versions WHERE folder = ? AND name = ? AND first = ?').run(folder, name, first)
    if (type === 1 && database.prepare('SELECT 1 FROM versions WHERE folder = ? AND name = ? LIMIT 1').get(folder, name) === undefined) {
      database.prepare('DELETE FROM folders WHERE parent = ? AND name = ? AND NOT EXISTS (SELECT 1 FROM versions v WHERE v.folder = folders.id)').run(folder, name)
    }
    if (database.prepare('SELECT 1 FROM versions WHERE name = ? LIMIT 1').get(name) !== undefined) return
    const bytes = database.prepare<[number], Buffer>('SELECT name FROM names WHERE id = ?').pluck().get(name)
    if (!bytes) return
    database.prepare("INSERT INTO trigrams(trigrams, rowid, folded) VALUES ('delete', ?, ?)").run(name, foldName(bytes))
    database.prepare('DELETE FROM names WHERE id = ?').run(name)
  }

  #isNext({ jobKey, host, revision }: NamedSnapshot): boolean {
    const line = guarded(() => this.#line(jobKey, host))
    if (!line) return true
    return revision > line.dropped && revision > (line.newest ?? 0) && revision >= (line.pending ?? 0)
  }

  #line(jobKey: string, host: string): LineRow | undefined {
    return this.#database.prepare<[string, string], LineRow>(`SELECT id, dropped,
      (SELECT max(revision) FROM snapshots s WHERE s.line = l.id AND done = 1) AS newest,
      (SELECT max(revision) FROM snapshots s WHERE s.line = l.id AND done = 0) AS pending
      FROM lines l WHERE job_key = ? AND host = ?`).get(jobKey, host)
  }
}
