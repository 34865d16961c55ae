import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { systemClock } from '../../../../engine/base/clock.ts'
import { backup } from '../../../../engine/commands/backup.ts'
import type { CommandContext } from '../../../../engine/commands/context.ts'
import type { BackupJob } from '../../../../engine/protocol/job.ts'
import { BackupProgress } from '../../../../engine/commands/backup/backup-progress.ts'
import { Tally } from '../../../../engine/pipeline/tally.ts'
import type { Progress, TransferEvent } from '../../../../engine/protocol/progress.ts'
import { hookedDisk } from '../../../fixtures/disk.ts'
import { SeededRandom } from '../../../bench/random.ts'
import type { World } from '../../../fixtures/world.ts'
import { quickWorld } from '../../../fixtures/quick-world.ts'

const files = 300
let world: World

beforeEach(async () => {
  world = await quickWorld()
  const random = new SeededRandom(3)
  for (let at = 0; at < files; at++) writeFileSync(join(world.source, `file-${String(at).padStart(3, '0')}`), random.bytes(1000))
})

afterEach(() => { world[Symbol.dispose]() })

const job = (): BackupJob => ({
  ...world.common, type: 'backup', name: 'photos', sources: [world.source], dryRun: false, onFailure: 'drain', verify: false,
  excludes: { patterns: [], presets: [], oneFileSystem: false },
})

/** For the run, each second is thirty. */
function quickClock(): CommandContext['clock'] {
  return { ...systemClock, monotonic: () => performance.now() * 30 }
}

/** A disk on which the walk takes a second and a half. */
const slowDisk = hookedDisk({
  entry(_path, ask) {
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5)
    return ask()
  },
})

test('a long first backup knows how much there is before it has walked it', async () => {
  await backup(job(), { ...world.context(), clock: quickClock() }, slowDisk)
  const early = world.progress.find((progress) => progress.phase === 'working' && progress.fraction !== undefined)
  expect(early).toMatchObject({ files: { found: files }, bytes: { found: files * 1000 } })
  expect(early?.fraction).toBeLessThan(1)
  expect(early?.files.waiting).toBeGreaterThan(0)
})

test('a run that takes up packs which were sealed and never sent is not done before they are', async () => {
  const random = new SeededRandom(4)
  for (let at = 0; at < 25; at++) writeFileSync(join(world.source, `big-${at}`), random.bytes(2_000_000))
  const faulty = (rule: string): BackupJob => ({ ...job(), repository: `faulty+${world.repository}?fault.rule=put,${rule},prefix=packs/`, concurrency: 4 })
  await expect(backup({ ...faulty('before,code=denied'), onFailure: 'cancel' }, world.context())).rejects.toThrow()
  world.progress.length = 0
  const sending = new Set<number>()
  const early: Progress[] = []
  const { events, ...context } = world.context()
  const summary = await backup(faulty('delay,ms=700'), {
    ...context,
    events: {
      ...events,
      transfer: ({ id, state, totalBytes }) => {
        // The small pack is that of the trees, which comes last.
        if (state === 'active' && totalBytes > 1_000_000) sending.add(id)
        else sending.delete(id)
      },
      progress: (picture) => { if (sending.size > 0) early.push(picture) },
    },
  })
  expect(summary.adoptedPacks).toBe(0)
  const unsent = early.filter((picture) => picture.bytes.found > 0)
  expect(unsent.length).toBeGreaterThan(0)
  for (const { fraction, phase, bytes } of unsent) {
    expect(fraction ?? 0).toBeLessThan(1)
    expect([phase, bytes.waiting]).toEqual(['working', expect.any(Number)])
    expect(bytes.waiting).toBeGreaterThan(0)
  }
  for (const { found, unchanged, deduplicated, uploaded, waiting } of [summary.bytes, ...unsent.map((picture) => picture.bytes)]) {
    expect(unchanged + deduplicated + uploaded + waiting).toBe(found)
  }
})

test('a pack whose last byte is sent and whose reply is not there yet keeps the run from looking done', () => {
  const tally = new Tally(() => undefined)
  using progress = new BackupProgress(world.context(), tally)
  Object.assign(tally.bytes, { found: 1000 })
  progress.phase('finishing')
  const event = (): TransferEvent => ({ id: 1, direction: 'up', name: 'pack 3f2a…', totalBytes: 1200, attempt: 1, state: 'active', bytes: 1200, bytesPerSecond: 1 })
  const lane = { id: 1, direction: 'up', bytes: 1200, event } as const
  progress.meter.begin(lane)
  progress.meter.tell()
  expect(world.progress.at(-1)).toMatchObject({ phase: 'working', bytes: { found: 1000, uploaded: 999, waiting: 1 } })
  progress.meter.end(lane, 'done')
  tally.bytes.uploaded = 1000
  progress.meter.tell()
  expect(world.progress.at(-1)).toMatchObject({ phase: 'finishing', bytes: { found: 1000, uploaded: 1000, waiting: 0 } })
})
