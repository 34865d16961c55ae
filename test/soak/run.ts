import { execFileSync } from 'node:child_process'
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { removeIfThere } from '../fixtures/odd-tree.ts'
import { soakMachines } from './machines.ts'
import { soakProtocol } from './protocol.ts'
import { liveThrough } from './year.ts'

const usage = 'npm run soak -- [--minutes 60] [--seed N] | --days 365 [--seed N]\nHalf the time the protocol runs under the deterministic scheduler; half the time machines back up, forget and prune in one\nrepository at once and are killed at random. Prints counts.\nWith --days: three machines back up every hour and look after their repository every night, by a clock that is moved.'

async function main(): Promise<void> {
  const { values } = parseArgs({ options: { minutes: { type: 'string', default: '60' }, days: { type: 'string' }, seed: { type: 'string' }, help: { type: 'boolean', default: false } } })
  if (values.help) {
    console.log(usage)
    return
  }
  const firstSeed = values.seed === undefined ? Date.now() % 1_000_000 : Number(values.seed)
  if (values.days !== undefined) {
    await soakDays(Number(values.days), firstSeed)
    return
  }
  execFileSync('npm', ['run', '--silent', 'build'], { stdio: 'inherit' })
  const durationMs = Number(values.minutes) * 60_000
  await soakProtocol(durationMs / 2, firstSeed, console.log)
  const end = Date.now() + durationMs / 2
  for (let seed = firstSeed; Date.now() < end; seed++) {
    const folder = mkdtempSync(join(tmpdir(), 'holdfast-soak-'))
    const counts = await soakMachines({ seed, cycles: 10, folder, repository: join(folder, 'repository'), env: {} })
    console.log(`seed ${seed}: ${JSON.stringify(counts)}`)
    removeIfThere(folder)
  }
}

/** Where the year has a day of 23 and one of 25 hours. */
async function soakDays(days: number, seed: number): Promise<void> {
  process.env['TZ'] = 'Europe/Berlin'
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-year-'))
  const tell = (report: object): void => { console.log(`seed ${seed}: ${JSON.stringify(report)}`) }
  tell(await liveThrough({ seed, days, folder, onMonth: tell }))
  removeIfThere(folder)
}

await main()
