import * as v from 'valibot'
import type { ByteString } from '../base/byte-string.ts'
import { guarded } from './database.ts'
import type { Database } from './database.ts'
import { PackSet } from './pack-set.ts'
import type { PackUsage } from './pack-usage.ts'

const decimal = v.pipe(v.string(), v.regex(/^-?\d{1,20}$/), v.transform((text) => BigInt(text)))

/** A source as it was when it was stored. */
export interface SourceRecord {
  /** Entry in the snapshot's root, and the path as it was named: exact bytes. */
  readonly name: ByteString
  readonly path: ByteString
  readonly device?: bigint
  readonly inode?: bigint
}

const schema = v.object({
  /** `JOB@REV` */
  id: v.string(),
  /** The machine that it is of. */
  host: v.string(),
  revision: v.number(),
  /** Root tree id, 64 hex digits. */
  root: v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/)),
  finishedMs: v.number(),
  files: v.number(),
  bytes: v.number(),
  /** Names and paths as latin1, a character a byte. */
  sources: v.array(v.object({ name: v.string(), path: v.string(), device: v.exactOptional(decimal), inode: v.exactOptional(decimal) })),
})

export type LastSnapshot = v.InferOutput<typeof schema>

/** The job's newest snapshot as this machine made it, and the packs that its closure rests on (a superset). */
export class LastSnapshotStore {
  readonly #database: Database
  readonly #usage: PackUsage

  constructor(database: Database, usage: PackUsage) {
    this.#database = database
    this.#usage = usage
  }

  /** Undefined also where the last one is of another machine: this one was renamed, or the catalog was copied, and its files are other files. */
  of(host: string): LastSnapshot | undefined {
    const last = this.#get()
    return last?.host === host ? last : undefined
  }

  /** Rule R3 at the price of one set comparison: true when every pack of the closure is usable in this session. */
  closureUsable(): boolean {
    const row = this.#row()
    if (row === undefined) return false
    for (const pack of PackSet.fromBytes(row.packs)) if (!this.#usage.isUsable(pack)) return false
    return true
  }

  /**
   * Records a committed snapshot. Its closure is the packs that the run used, and with `inherit` those of the snapshot before, whose
   * unchanged parts it took over without looking them up.
   */
  set(snapshot: LastSnapshot, options: { readonly inherit: boolean }): void {
    guarded(() => {
      const packs = new PackSet()
      for (const pack of this.#usage.used()) packs.add(pack)
      const before = options.inherit ? this.#row() : undefined
      if (before !== undefined) for (const pack of PackSet.fromBytes(before.packs)) packs.add(pack)
      this.#database.prepare('INSERT OR REPLACE INTO last_snapshot VALUES (1, ?, ?)').run(JSON.stringify(snapshot, (_key, value: unknown) => (typeof value === 'bigint' ? String(value) : value)), packs.toBytes())
    })
  }

  clear(): void {
    guarded(() => { this.#database.exec('DELETE FROM last_snapshot') })
  }

  #get(): LastSnapshot | undefined {
    const row = this.#row()
    if (row === undefined) return undefined
    const parsed = v.safeParse(schema, JSON.parse(row.value))
    return parsed.success ? parsed.output : undefined
  }

  #row(): { value: string; packs: Buffer } | undefined {
    return this.#database.prepare<[], { value: string; packs: Buffer }>('SELECT value, packs FROM last_snapshot').get()
  }
}
