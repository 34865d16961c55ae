import type BetterSqlite3 from 'better-sqlite3'
import * as v from 'valibot'
import { readChangesSchema } from '../protocol/changes.ts'
import type { BlobId } from '../snapshot/node.ts'
import { guarded } from './database.ts'
import type { Database } from './database.ts'

/** What an interrupted run had finished of one directory. */
export interface JournaledDirectory {
  /** Set when the directory was finished whole. */
  readonly tree?: BlobId
  /** Encoded nodes of finished files, in the batches they were written in. */
  readonly nodes: readonly Uint8Array[]
}

const reached = v.object({
  /** Bytes of the source that were stored, or known to be. */
  doneBytes: v.number(),
  /** Bytes of the whole source, where they were known. */
  totalBytes: v.exactOptional(v.number()),
  /** What reading its files showed. */
  changes: v.exactOptional(readChangesSchema),
})

/** How far a run had come when it last told. */
export type Reached = v.InferOutput<typeof reached>

/**
 * What the running backup has finished, so that after a crash the next one does not read those files again (E3). Only a hint: every
 * blob named here is looked up again before it is believed.
 */
export class RunJournal {
  readonly #database: Database
  readonly #insertFiles: BetterSqlite3.Statement<[Uint8Array, Uint8Array]>
  readonly #insertTree: BetterSqlite3.Statement<[Uint8Array, Uint8Array]>
  readonly #treeOf: BetterSqlite3.Statement<[Uint8Array], Buffer>
  readonly #nodesOf: BetterSqlite3.Statement<[Uint8Array], Buffer>
  readonly #dropFiles: BetterSqlite3.Statement<[Uint8Array]>

  constructor(database: Database) {
    this.#database = database
    this.#insertFiles = database.prepare('INSERT INTO journal_files(directory, nodes) VALUES (?, ?)')
    this.#insertTree = database.prepare('INSERT OR REPLACE INTO journal_trees VALUES (?, ?)')
    this.#treeOf = database.prepare<[Uint8Array], Buffer>('SELECT tree FROM journal_trees WHERE directory = ?').pluck()
    this.#nodesOf = database.prepare<[Uint8Array], Buffer>('SELECT nodes FROM journal_files WHERE directory = ? ORDER BY number').pluck()
    this.#dropFiles = database.prepare('DELETE FROM journal_files WHERE directory = ?')
  }

  /** True when an interrupted run left something to continue from. */
  get isEmpty(): boolean {
    return this.#database.prepare('SELECT 1 FROM journal_files LIMIT 1').get() === undefined
      && this.#database.prepare('SELECT 1 FROM journal_trees LIMIT 1').get() === undefined
  }

  /** `directory` is the absolute path's exact bytes. */
  files(directory: Uint8Array, nodes: Uint8Array): void {
    guarded(() => { this.#insertFiles.run(directory, nodes) })
  }

  /** The directory is finished; its single files are no longer needed. */
  tree(directory: Uint8Array, tree: BlobId): void {
    guarded(() => {
      this.#insertTree.run(directory, tree)
      this.#dropFiles.run(directory)
    })
  }

  read(directory: Uint8Array): JournaledDirectory {
    return guarded(() => {
      const tree = this.#treeOf.get(directory)
      const nodes = this.#nodesOf.all(directory)
      return tree === undefined ? { nodes } : { tree, nodes }
    })
  }

  /** How far the interrupted run had come; undefined where it never told. */
  get reached(): Reached | undefined {
    const value = guarded(() => this.#database.prepare<[], string>("SELECT value FROM meta WHERE key = 'reached'").pluck().get())
    const parsed = v.safeParse(reached, value === undefined ? undefined : JSON.parse(value))
    return parsed.success ? parsed.output : undefined
  }

  setReached(state: Reached): void {
    guarded(() => { this.#database.prepare("INSERT OR REPLACE INTO meta VALUES ('reached', ?)").run(JSON.stringify(state)) })
  }

  clear(): void {
    guarded(() => { this.#database.exec("DELETE FROM journal_files; DELETE FROM journal_trees; DELETE FROM meta WHERE key = 'reached'") })
  }
}
