import SqliteDatabase from 'better-sqlite3'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { expect, test } from 'vitest'
import { testFolder } from '../small-repository.ts'

const opener = join(import.meta.dirname, 'opening-process.ts')
const files = 40
const processes = 5

test('several processes that open a new database at once all get it, and nobody makes it twice', async () => {
  await using scratch = await testFolder()
  const folder = join(scratch.path, 'databases')
  const children = Array.from({ length: processes }, () => {
    const child = spawn(process.execPath, [opener, folder, String(files)], { stdio: 'pipe' })
    return { child, ready: once(child.stdout, 'data'), words: text(child.stderr), ended: once(child, 'close') }
  })
  await Promise.all(children.map(({ ready }) => ready))
  for (const { child } of children) child.stdin.write('go\n')
  const ends = await Promise.all(children.map(async ({ words, ended }) => [(await ended)[0] as unknown, (await words).slice(0, 500)]))
  expect(ends).toEqual(Array.from({ length: processes }, () => [0, '']))
  for (let number = 0; number < files; number++) {
    using database = opened(join(folder, `${number}.db`))
    expect(database.rows()).toBe(processes)
  }
  expect(readdirSync(folder).filter((name) => name.endsWith('.damaged'))).toEqual([])
})

function opened(file: string): Disposable & { rows(): unknown } {
  const database = new SqliteDatabase(file, { readonly: true })
  return { rows: () => database.prepare('SELECT count(*) FROM a').pluck().get(), [Symbol.dispose]: () => { database.close() } }
}
