import SqliteDatabase from 'better-sqlite3'
import { readdirSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import * as v from 'valibot'

const row = v.object({ name: v.pipe(v.instance(Uint8Array), v.check((name) => name.length === 16)), verified: v.pipe(v.number(), v.finite(), v.minValue(1)) })

/**
 * When packs were verified as the other catalogs of this machine know it: those of its jobs, which read samples back, of checks and of care. They are only read, whoever
 * uses them meanwhile; one that cannot be is left out.
 * @param own the file of the catalog that asks
 */
export function* siblingDates(own: string): Generator<readonly [string, number]> {
  const folder = dirname(own)
  for (const file of readdirSync(folder)) if (file.endsWith('.db') && file !== basename(own)) yield* datesOf(join(folder, file))
}

function* datesOf(file: string): Generator<readonly [string, number]> {
  let database: SqliteDatabase.Database | undefined
  try {
    database = new SqliteDatabase(file, { readonly: true, fileMustExist: true, timeout: 1000 })
    for (const each of database.prepare('SELECT name, verified_ms AS verified FROM packs WHERE verified_ms > 0').iterate()) {
      const parsed = v.safeParse(row, each)
      if (parsed.success) yield [Buffer.from(parsed.output.name).toString('hex'), parsed.output.verified]
    }
  } catch (error) {
    if (!(error instanceof SqliteDatabase.SqliteError)) throw error
  } finally {
    database?.close()
  }
}
