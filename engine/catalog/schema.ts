/** Raised with every change of the schema; a catalog of another version is made anew from the repository. */
export const schemaVersion = 2

/**
 * `contents` keeps the footer of a pack until its blobs are in `blobs` (settled) and it is in an index object (indexed). Pack numbers
 * are never reused, since a closure names packs by number.
 *
 * One catalog: what is known of a repository, and the memory of one job. Everything can be rebuilt from the repository except the
 * journals of an unfinished run, whose loss only costs work done twice.
 */
export const schema = `
CREATE TABLE packs(
  number INTEGER PRIMARY KEY AUTOINCREMENT,
  name BLOB NOT NULL UNIQUE,
  size INTEGER NOT NULL,
  known INTEGER NOT NULL DEFAULT 0,
  verified_ms INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX packs_unknown ON packs(number) WHERE known = 0;
CREATE INDEX packs_verified ON packs(verified_ms);
CREATE TABLE blobs(
  id BLOB NOT NULL,
  pack INTEGER NOT NULL,
  kind INTEGER NOT NULL,
  segment_offset INTEGER NOT NULL,
  stored_length INTEGER NOT NULL,
  raw_length INTEGER NOT NULL,
  compression INTEGER NOT NULL,
  blob_count INTEGER NOT NULL,
  offset_in_segment INTEGER NOT NULL,
  length INTEGER NOT NULL,
  PRIMARY KEY(id, pack)
) WITHOUT ROWID;
CREATE TABLE contents(pack INTEGER PRIMARY KEY, body BLOB NOT NULL, settled INTEGER NOT NULL, indexed INTEGER NOT NULL);
CREATE INDEX contents_unindexed ON contents(pack) WHERE indexed = 0;
CREATE TABLE indexes(name BLOB PRIMARY KEY) WITHOUT ROWID;
CREATE TABLE spool(
  number INTEGER PRIMARY KEY,
  path TEXT NOT NULL,
  size INTEGER NOT NULL,
  crc32 INTEGER NOT NULL,
  name TEXT NOT NULL,
  contents BLOB NOT NULL
);
CREATE TABLE trees(number INTEGER PRIMARY KEY, id BLOB NOT NULL UNIQUE, body BLOB NOT NULL, generation INTEGER NOT NULL);
CREATE TABLE last_snapshot(one INTEGER PRIMARY KEY CHECK(one = 1), value TEXT NOT NULL, packs BLOB NOT NULL);
CREATE TABLE journal_files(number INTEGER PRIMARY KEY, directory BLOB NOT NULL, nodes BLOB NOT NULL);
CREATE INDEX journal_files_directory ON journal_files(directory);
CREATE TABLE journal_trees(directory BLOB PRIMARY KEY, tree BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE uploads(name TEXT PRIMARY KEY, state TEXT NOT NULL);
CREATE TABLE meta(key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
`
