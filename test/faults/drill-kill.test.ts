import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { DrillDetails } from '../../engine/protocol/drill.ts'
import type { DrillJob } from '../../engine/protocol/job.ts'
import { SeededRandom } from '../bench/random.ts'
import { quickWorld } from '../fixtures/quick-world.ts'
import { describeTree, makeOddTree } from '../fixtures/tree.ts'
import type { World } from '../fixtures/world.ts'

let world: World

beforeEach(async () => {
  world = await quickWorld()
  makeOddTree(join(world.source, 'odd'))
  mkdirSync(join(world.source, 'some'))
  const random = new SeededRandom(3)
  for (let file = 0; file < 12; file++) writeFileSync(join(world.source, 'some', `${file}`), random.bytes(300_000))
  await world.backup()
})

afterEach(() => { world[Symbol.dispose]() })

function drillJob(more: Partial<DrillJob> = {}): DrillJob {
  return { ...world.common, type: 'drill', seed: 'one', ...more }
}

/** The real drill in a process of its own, which the storage kills at a request of it. */
async function dies(rule: string): Promise<void> {
  const child = spawn(process.execPath, [join(import.meta.dirname, '../suites/run-process.ts')], { stdio: ['pipe', 'ignore', 'inherit'] })
  const job = drillJob({ repository: `faulty+${world.repository}?fault.rule=${encodeURIComponent(rule)}` })
  child.stdin.end(JSON.stringify({ job, password: world.password, credentials: {} }))
  expect(await once(child, 'exit'), rule).toEqual([null, 'SIGKILL'])
}

/** Folders of drills, beside the lock. */
function left(): readonly string[] {
  return readdirSync(join(world.home, 'drills')).filter((name) => !name.startsWith('lock'))
}

/** All beside the scratch folders; of the machine's home only which files there are, since what it remembers changes. */
function outside(): unknown {
  const home = readdirSync(world.home, { recursive: true, encoding: 'utf8' }).filter((name) => !name.startsWith('drills'))
  return { source: describeTree(world.source), folder: readdirSync(world.folder).sort(), home: home.filter((name) => !/-(?:wal|shm)$/.test(name)).sort() }
}

test.each([
  ['before it has read anything', 'get,crash-before,prefix=packs/'],
  ['while it restores', 'get,crash-after,prefix=packs/,skip=1'],
  ['before its proof is kept', 'put,crash-before,prefix=drills/'],
  ['when its proof is kept', 'put,crash-after,prefix=drills/'],
])('a drill that is killed %s leaves its folder and nothing else, and the next one removes it', async (_when, rule) => {
  await world.run(drillJob())
  const before = outside()
  await dies(rule)
  expect(left()).toHaveLength(1)
  expect(outside()).toEqual(before)

  const summary = await world.run(drillJob())
  expect(summary).toMatchObject({ outcome: 'success', problems: 0 })
  expect((summary.details as DrillDetails).proof).toMatchObject({ result: 'passed', failed: 0 })
  expect(left()).toEqual([])
  expect(outside()).toEqual(before)
  expect(await world.check({ readDataPercent: 100 })).toMatchObject({ outcome: 'success' })
}, 120_000)
