import { readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { systemClock } from '../../../../engine/base/clock.ts'
import { runJob } from '../../../../engine/commands/run.ts'
import type { RunSummary } from '../../../../engine/protocol/progress.ts'
import { SeededRandom } from '../../../bench/random.ts'
import { quickWorld } from '../backup-support.ts'

test('a run without changes verifies too, once a day, and a pack that is gone is not its business', async () => {
  using world = await quickWorld()
  const packFiles = (): string[] => readdirSync(join(world.repository, 'packs'), { recursive: true, encoding: 'utf8' })
    .map((name) => join(world.repository, 'packs', name)).filter((path) => statSync(path).isFile())
  writeFileSync(join(world.source, 'file'), new SeededRandom(10).bytes(300_000))
  await world.backup({ verifyPacks: 8 })
  for (const path of packFiles()) {
    const bytes = readFileSync(path)
    bytes[bytes.length >> 1] = (bytes[bytes.length >> 1] ?? 0) ^ 1
    rmSync(path)
    writeFileSync(path, bytes)
  }
  const later = (hours: number): Promise<RunSummary> => {
    const clock = { ...systemClock, now: () => Date.now() + hours * 3_600_000 }
    return runJob({
      ...world.common, type: 'backup', name: 'photos', sources: [world.source], dryRun: false, onFailure: 'drain', verifyPacks: 8,
      excludes: { patterns: [], presets: [], oneFileSystem: false },
    }, { ...world.context(), clock })
  }
  expect(await later(23)).toMatchObject({ outcome: 'unchanged', snapshot: 'photos@1' })
  expect(await later(25)).toMatchObject({ outcome: 'warnings', snapshot: 'photos@1', firstProblems: [{ code: 'damaged' }, { code: 'damaged' }] })
  for (const path of packFiles()) rmSync(path)
  expect(await later(25)).toMatchObject({ outcome: 'unchanged', snapshot: 'photos@1' })
})
