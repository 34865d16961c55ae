import { join } from 'node:path'
import type { UploadJournal } from '../backend/backend.ts'
import { makePrivateFolder } from '../base/private-folder.ts'
import type { BlobLocation, BlobLocator } from '../repository/pack-info.ts'
import type { BlobId } from '../snapshot/node.ts'
import { BlobIndex } from './blob-index.ts'
import { CareLedger } from './care-ledger.ts'
import { guarded, isCatalogDamage, openDatabase, suspectDatabases } from './database.ts'
import type { Database } from './database.ts'
import { BlobIdSet } from './id-set.ts'
import { LastSnapshotStore } from './last-snapshot.ts'
import { OpenSessions } from './open-sessions.ts'
import { PackTable } from './pack-table.ts'
import { PackUsage } from './pack-usage.ts'
import { catalogFolder, catalogsFolder } from './paths.ts'
import { RunJournal } from './run-journal.ts'
import { schema, schemaVersion } from './schema.ts'
import { siblingDates } from './sibling-dates.ts'
import { Spool } from './spool.ts'
import { Transactions } from './transactions.ts'
import { SyncedTrees } from './synced-trees.ts'
import { TreeCache } from './tree-cache.ts'
import { createUploadJournal } from './upload-journal.ts'
import { VerificationLedger } from './verification.ts'

/** Name of the catalog that restore, check, prune and browse share. */
export const readerCatalog = 'reader'

/**
 * What this machine knows of a repository, and one job's memory: disposable, in SQLite. One file for each repository and job, so that
 * two engines never write to the same one. Bounded memory: SQLite's page cache (16 MB), 40,000 recent blobs (8 MB), a bit for each
 * pack, and the claims of packs that are being filled.
 */
export class Catalog implements BlobLocator, Disposable {
  readonly #database: Database
  readonly #transactions: Transactions
  readonly blobs: BlobIndex
  readonly packs: PackTable
  readonly spool: Spool
  readonly trees: TreeCache
  readonly journal: RunJournal
  readonly lastSnapshot: LastSnapshotStore
  readonly uploads: UploadJournal
  readonly verification: VerificationLedger
  readonly care: CareLedger
  readonly sessions: OpenSessions

  constructor(database: Database) {
    this.#database = database
    this.#transactions = new Transactions(database)
    const usage = new PackUsage()
    this.blobs = new BlobIndex(database, usage)
    this.packs = new PackTable(database, this.#transactions, usage, this.blobs)
    this.spool = new Spool(database, this.#transactions, this.packs, this.blobs)
    this.trees = new TreeCache(database)
    this.journal = new RunJournal(database)
    this.lastSnapshot = new LastSnapshotStore(database, usage)
    this.uploads = createUploadJournal(database)
    this.verification = new VerificationLedger(database)
    this.care = new CareLedger(database)
    this.sessions = new OpenSessions(database)
  }

  locate(id: BlobId): BlobLocation | undefined {
    return this.blobs.locate(id)
  }

  /** All or nothing; an error inside ends the outermost transaction as a whole. `work` must not wait. */
  transaction<T>(work: () => T): T {
    return this.#transactions.run(work)
  }

  /** When packs were verified as the other catalogs of the same repository know it: 32 hex digits, ms since 1970. */
  siblingDates(): Generator<readonly [string, number]> {
    return siblingDates(this.#database.name)
  }

  /** Of a sync's catalog. Ask for it once. */
  syncedTrees(): SyncedTrees {
    return new SyncedTrees(this.#database)
  }

  /** A set of blob ids that lives until it is disposed. */
  idSet(table: string): BlobIdSet {
    return new BlobIdSet(this.#database, table)
  }

  [Symbol.dispose](): void {
    this.#database.close()
  }
}

/**
 * Opens the catalog `name` (a job key, or readerCatalog) of a repository under HOLDFAST_HOME, making it when there is none.
 * `recreated` tells that a damaged or outdated one was moved aside. Errors: `full`, `denied`, `catalog`.
 */
export function openCatalog(home: string, repositoryId: string, name: string): { readonly catalog: Catalog; readonly recreated: boolean } {
  const folder = catalogFolder(home, repositoryId)
  for (const path of [catalogsFolder(home), folder]) makePrivateFolder(path)
  const open = (): { readonly catalog: Catalog; readonly recreated: boolean } => {
    const { database, recreated } = openDatabase(join(folder, `${name}.db`), schema, schemaVersion)
    try {
      return { catalog: new Catalog(database), recreated }
    } catch (error) {
      database.close()
      throw error
    }
  }
  return guarded(() => {
    try {
      return open()
    } catch (error) {
      if (!isCatalogDamage(error)) throw error
      suspectDatabases(folder)
      return open()
    }
  })
}
