import { join } from 'node:path'
import { openDatabase } from '../../../engine/catalog/database.ts'

/** Opens the databases below a folder one after the other, once it is told to, as often as it is told. */
const [folder = '', count = '0'] = process.argv.slice(2)
process.stdout.write('ready\n')
process.stdin.once('data', () => {
  for (let number = 0; number < Number(count); number++) {
    const { database, recreated } = openDatabase(join(folder, `${number}.db`), 'CREATE TABLE a(x); CREATE TABLE b(y)', 1)
    if (recreated) throw new Error('made anew')
    database.prepare('INSERT INTO a VALUES (?)').run(process.pid)
    database.close()
  }
  process.exit(0)
})
