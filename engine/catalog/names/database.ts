import { join } from 'node:path'
import { rmSync } from 'node:fs'
import { openDatabase, type Database } from '../database.ts'
import { lockFile } from '../lock.ts'
import { catalogFolder } from '../paths.ts'

const file = 'names.db'
const version = 1

/**
 * Names in a repository's snapshots, for searching: disposable, and made again from the trees. In a file of its own, so that the catalogs stay lean.
 *
 * A line is a job's snapshots of one host, oldest first; `seq` numbers what was taken in. A version of an entry is there from the snapshot `first` on and until
 * before `until` (none: to the line's end), so what does not change costs nothing. `tree` is what a folder held when it was last gone through as a whole.
 * Only distinct names are in the full-text index, folded (fold.ts) and without positions.
 */
const schema = `
CREATE TABLE lines(id INTEGER PRIMARY KEY, job_key TEXT NOT NULL, host TEXT NOT NULL, job TEXT NOT NULL, dropped INTEGER NOT NULL DEFAULT 0, UNIQUE(job_key, host));
CREATE TABLE snapshots(
  seq INTEGER PRIMARY KEY AUTOINCREMENT,
  line INTEGER NOT NULL,
  revision INTEGER NOT NULL,
  id TEXT NOT NULL,
  finished_ms INTEGER NOT NULL,
  done INTEGER NOT NULL DEFAULT 0,
  UNIQUE(line, revision)
);
CREATE TABLE names(id INTEGER PRIMARY KEY, name BLOB NOT NULL UNIQUE);
CREATE VIRTUAL TABLE trigrams USING fts5(folded, tokenize = 'trigram case_sensitive 1', content = '', columnsize = 0, detail = none);
CREATE TABLE folders(id INTEGER PRIMARY KEY, line INTEGER NOT NULL, parent INTEGER NOT NULL, name INTEGER NOT NULL, tree BLOB);
CREATE UNIQUE INDEX folders_parent ON folders(parent, name, line);
CREATE INDEX folders_line ON folders(line);
CREATE TABLE versions(
  folder INTEGER NOT NULL,
  name INTEGER NOT NULL,
  first INTEGER NOT NULL,
  until INTEGER,
  type INTEGER NOT NULL,
  size INTEGER NOT NULL,
  mtime_ms INTEGER NOT NULL,
  content INTEGER NOT NULL,
  PRIMARY KEY(folder, name, first)
) WITHOUT ROWID;
CREATE INDEX versions_name ON versions(name, folder);
CREATE INDEX versions_until ON versions(until) WHERE until IS NOT NULL;
CREATE TABLE counts(key TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
INSERT INTO counts VALUES ('versions', 0);
`

/** Types of entries as `versions.type` has them. */
export const entryTypes = ['file', 'directory', 'symlink', 'fifo'] as const

/** Errors: those of openDatabase. */
export function openNames(home: string, repositoryId: string): Database {
  return openDatabase(join(catalogFolder(home, repositoryId), file), schema, version).database
}

/** Keeps other processes from writing to the index; searching needs no leave. Errors: as lockFile. */
export function lockNames(home: string, repositoryId: string): Disposable {
  return lockFile(join(catalogFolder(home, repositoryId), 'names.lock'), 'Names are being taken in already.')
}

/** Names are taken in anew, from the oldest snapshot on. Errors: `busy` while they are. */
export function forgetNames(home: string, repositoryId: string): void {
  using _lock = lockNames(home, repositoryId)
  for (const suffix of ['', '-wal', '-shm']) rmSync(join(catalogFolder(home, repositoryId), file + suffix), { force: true })
}
