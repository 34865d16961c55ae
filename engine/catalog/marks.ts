import { join } from 'node:path'
import * as v from 'valibot'
import { knownRevision, maxKnown } from '../protocol/known.ts'
import type { KnownFloor, KnownRepository, KnownRevision } from '../protocol/known.ts'
import { guarded, openDatabase } from './database.ts'
import type { Database } from './database.ts'

const schemaVersion = 1

const schema = `
CREATE TABLE addresses(address TEXT NOT NULL, repository TEXT NOT NULL, seen_ms REAL NOT NULL, PRIMARY KEY(address, repository)) WITHOUT ROWID;
CREATE TABLE revisions(
  repository TEXT NOT NULL,
  job_key TEXT NOT NULL,
  host TEXT NOT NULL,
  job TEXT NOT NULL,
  revision INTEGER NOT NULL,
  suffix TEXT NOT NULL,
  state TEXT NOT NULL,
  nonce TEXT NOT NULL,
  finished_ms REAL NOT NULL,
  seen_ms REAL NOT NULL,
  PRIMARY KEY(repository, job_key, host)
) WITHOUT ROWID;
CREATE TABLE floors(repository TEXT NOT NULL, job_key TEXT NOT NULL, revision INTEGER NOT NULL, PRIMARY KEY(repository, job_key)) WITHOUT ROWID;
CREATE TABLE given_up(number INTEGER PRIMARY KEY, repository TEXT NOT NULL, job_key TEXT NOT NULL, revision INTEGER NOT NULL, nonce TEXT NOT NULL);
`

/** More addresses, and more revisions that were given up, are not remembered: the oldest go. */
const keptAddresses = 1000
const keptGivenUp = 1000

/**
 * What this machine has seen of repositories: which were at an address, and the newest revision of each job and host. No catalog, since
 * nothing but it can tell that a storage shows an older state; one file for all, to which any number of processes write. It is on the disk before
 * a call returns. At most 4096 jobs of a repository, 1000 addresses.
 */
export class MarkStore implements Disposable {
  readonly #database: Database

  constructor(database: Database) {
    this.#database = database
  }

  /** Ids of the repositories that were at the address. */
  repositoriesAt(address: string): readonly string[] {
    return guarded(() => this.#database.prepare<[string], string>('SELECT repository FROM addresses WHERE address = ? ORDER BY seen_ms DESC, repository').pluck().all(address))
  }

  /** Every address at which a repository was seen, with its repositories: the newest first. */
  addresses(): readonly { readonly address: string; readonly repositoryId: string }[] {
    return guarded(() => this.#database.prepare<[], { address: string; repositoryId: string }>('SELECT address, repository AS repositoryId FROM addresses ORDER BY seen_ms DESC, address').all())
  }

  rememberAddress(address: string, repositoryId: string, nowMs: number): void {
    guarded(() => this.#database.transaction(() => {
      this.#database.prepare('INSERT OR REPLACE INTO addresses VALUES (?, ?, ?)').run(address, repositoryId, nowMs)
      this.#database.prepare('DELETE FROM addresses WHERE (address, repository) NOT IN (SELECT address, repository FROM addresses ORDER BY seen_ms DESC LIMIT ?)').run(keptAddresses)
    }).immediate())
  }

  /** By job and host. */
  revisions(repositoryId: string, jobKey?: string): readonly KnownRevision[] {
    const rows = guarded(() => this.#database.prepare<[string, string | null], unknown>(`
      SELECT job_key AS jobKey, host, job, revision, suffix, state, nonce, finished_ms AS finishedMs, seen_ms AS seenMs
      FROM revisions WHERE repository = ? AND job_key = coalesce(?, job_key) ORDER BY job_key, host`).all(repositoryId, jobKey ?? null))
    return rows.map((row) => v.safeParse(knownRevision, row)).filter((parsed) => parsed.success).map((parsed) => parsed.output)
  }

  /** Highest revision of the job that was ever seen or announced; 0 for none. */
  floor(repositoryId: string, jobKey: string): number {
    return guarded(() => this.#database.prepare<[string, string], number>('SELECT revision FROM floors WHERE repository = ? AND job_key = ?').pluck().get(repositoryId, jobKey)) ?? 0
  }

  raiseFloor(repositoryId: string, { jobKey, revision }: KnownFloor): void {
    guarded(() => {
      this.#database.prepare(`INSERT INTO floors VALUES (?, ?, ?) ON CONFLICT(repository, job_key) DO UPDATE SET revision = max(revision, excluded.revision)`).run(repositoryId, jobKey, revision)
    })
  }

  /** Remembers the revision if none of its job and host is newer. What was deleted stays so. */
  see(repositoryId: string, seen: KnownRevision): void {
    guarded(() => this.#database.transaction(() => {
      this.raiseFloor(repositoryId, seen)
      this.#database.prepare(`
        INSERT INTO revisions VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
        ON CONFLICT(repository, job_key, host) DO UPDATE SET
          job = excluded.job, revision = excluded.revision, suffix = excluded.suffix, state = excluded.state, nonce = excluded.nonce,
          finished_ms = excluded.finished_ms, seen_ms = max(seen_ms, excluded.seen_ms)
        WHERE excluded.revision > revision OR (excluded.revision = revision AND excluded.suffix = suffix AND excluded.nonce = nonce AND state = 'snapshot')
      `).run(repositoryId, seen.jobKey, seen.host, seen.job, seen.revision, seen.suffix, seen.state, seen.nonce, seen.finishedMs, seen.seenMs)
      this.#dropOldest(repositoryId)
    }).immediate())
  }

  /** From now on the repository is believed without these. Their numbers stay taken. */
  giveUp(repositoryId: string, revisions: readonly KnownRevision[]): void {
    guarded(() => this.#database.transaction(() => {
      for (const { jobKey, host, revision, nonce } of revisions) {
        this.#database.prepare('DELETE FROM revisions WHERE repository = ? AND job_key = ? AND host = ? AND revision = ?').run(repositoryId, jobKey, host, revision)
        this.#database.prepare('INSERT INTO given_up(repository, job_key, revision, nonce) VALUES (?, ?, ?, ?)').run(repositoryId, jobKey, revision, nonce)
      }
      this.#database.prepare('DELETE FROM given_up WHERE number <= (SELECT max(number) FROM given_up) - ?').run(keptGivenUp)
    }).immediate())
  }

  /** Takes in what another memory of this machine knows, but for what was given up here. */
  merge({ repositoryId, revisions, floors }: KnownRepository): void {
    for (const floor of floors) this.raiseFloor(repositoryId, floor)
    for (const revision of revisions) {
      if (this.#wasGivenUp(repositoryId, revision)) this.raiseFloor(repositoryId, revision)
      else this.see(repositoryId, revision)
    }
  }

  /** All of it, for another memory. */
  export(repositoryId: string): KnownRepository {
    const floors = guarded(() => this.#database.prepare<[string, number], KnownFloor>('SELECT job_key AS jobKey, revision FROM floors WHERE repository = ? ORDER BY job_key LIMIT ?').all(repositoryId, maxKnown))
    return { repositoryId, revisions: this.revisions(repositoryId), floors }
  }

  [Symbol.dispose](): void {
    this.#database.close()
  }

  #wasGivenUp(repositoryId: string, { jobKey, revision, nonce }: KnownRevision): boolean {
    return guarded(() => this.#database.prepare('SELECT 1 FROM given_up WHERE repository = ? AND job_key = ? AND revision = ? AND nonce = ?').get(repositoryId, jobKey, revision, nonce)) !== undefined
  }

  #dropOldest(repositoryId: string): void {
    const count = this.#database.prepare<[string], number>('SELECT count(*) FROM revisions WHERE repository = ?').pluck().get(repositoryId) ?? 0
    if (count <= maxKnown) return
    this.#database.prepare(`
      DELETE FROM revisions WHERE repository = @repositoryId
      AND (job_key, host) IN (SELECT job_key, host FROM revisions WHERE repository = @repositoryId ORDER BY seen_ms LIMIT @surplus)
    `).run({ repositoryId, surplus: count - maxKnown })
  }
}

/** Opens what is kept under HOLDFAST_HOME, making it when there is none; `recreated` tells that a damaged one was moved aside. Errors: `full`, `denied`, `catalog`. */
export function openMarks(home: string): { readonly marks: MarkStore; readonly recreated: boolean } {
  return guarded(() => {
    const { database, recreated } = openDatabase(join(home, 'marks.db'), schema, schemaVersion)
    database.pragma('synchronous = FULL')
    return { marks: new MarkStore(database), recreated }
  })
}
