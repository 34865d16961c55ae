import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { systemClock } from '../../../engine/base/clock.ts'
import { createLog } from '../../../engine/base/log.ts'
import { PauseGate } from '../../../engine/base/pause.ts'
import { BackupProgress } from '../../../engine/commands/backup/backup-progress.ts'
import { Expectation } from '../../../engine/commands/backup/expectation.ts'
import { LimitControl, type CommandContext } from '../../../engine/commands/context.ts'
import { RestoreProgress } from '../../../engine/commands/restore/restore-progress.ts'
import { StepProgress } from '../../../engine/commands/step-progress.ts'
import { Meter } from '../../../engine/progress/meter.ts'
import { Tally } from '../../../engine/pipeline/tally.ts'
import type { TransferLane } from '../../../engine/backend/wrappers/limits.ts'
import type { Progress, RunSummary } from '../../../engine/protocol/progress.ts'
import { SeededRandom } from '../../bench/random.ts'
import type { World } from '../../fixtures/world.ts'
import { quickWorld } from '../../fixtures/quick-world.ts'

/** A command's surroundings on a clock that tests move. */
function surroundings(): { readonly context: CommandContext; readonly pictures: Progress[] } {
  const pictures: Progress[] = []
  const context: CommandContext = {
    secrets: { password: 'p', storage: {} },
    signal: new AbortController().signal,
    clock: { ...systemClock, now: () => Date.now(), monotonic: () => performance.now() },
    log: createLog(() => undefined, () => 0),
    events: { progress: (picture) => { pictures.push(picture) }, transfer: () => undefined, problem: () => undefined },
    limits: new LimitControl(),
    pauseGate: new PauseGate(),
  }
  return { context, pictures }
}

function lane(id: number, direction: 'up' | 'down', bytes: number): TransferLane & { bytes: number } {
  return { id, direction, bytes, event: (state) => ({ id, state, direction, name: 'pack 00…', bytes, totalBytes: bytes, bytesPerSecond: 0, attempt: 1 }) }
}

describe('on a clock that tests move', () => {
  beforeEach(() => { vi.useFakeTimers() })
  afterEach(() => { vi.useRealTimers() })

  test('a backup counts a pack as it is sent, and what has arrived once', () => {
    const { context, pictures } = surroundings()
    const tally = new Tally(() => undefined)
    using progress = new BackupProgress(context, tally)
    tally.bytes.found = 1000
    const first = lane(1, 'up', 400)
    progress.meter.begin(first)
    vi.advanceTimersByTime(250)
    expect(pictures.at(-1)?.bytes).toMatchObject({ found: 1000, uploaded: 400, waiting: 600 })
    progress.meter.end(first, 'done')
    tally.bytes.uploaded = 400
    vi.advanceTimersByTime(250)
    expect(pictures.at(-1)?.bytes).toMatchObject({ uploaded: 400, waiting: 600 })
    progress.meter.begin(lane(2, 'up', 100))
    vi.advanceTimersByTime(250)
    expect(pictures.at(-1)?.bytes).toMatchObject({ uploaded: 500, waiting: 500 })
    // Packs are smaller or larger than what they hold: never more than is waiting, and never all of it before their replies are there.
    progress.meter.begin(lane(3, 'up', 5_000))
    vi.advanceTimersByTime(250)
    expect(pictures.at(-1)?.bytes).toMatchObject({ uploaded: 999, waiting: 1 })
  })

  test('a backup that knows how much there is tells the time that remains', () => {
    const { context, pictures } = surroundings()
    const tally = new Tally(() => undefined)
    using progress = new BackupProgress(context, tally)
    progress.expectation = new Expectation({ lastBytes: 100_000, interrupted: { doneBytes: 40_000, totalBytes: 100_000 }, survey: () => { throw new Error('counted already') } })
    progress.phase('working')
    for (let second = 1; second <= 10; second++) {
      tally.bytes.found = tally.bytes.unchanged = second * 1000
      vi.advanceTimersByTime(1000)
    }
    expect(pictures.at(-1)).toMatchObject({ fraction: 0.1, continuedFraction: 0.4, etaMs: { from: 81_000, to: 99_000 } })
  })

  test('a restore tells the speed of the network, not of the disk, and the time that remains in milliseconds', () => {
    const { context, pictures } = surroundings()
    using progress = new RestoreProgress(context)
    progress.totalBytes = 1_000_000
    progress.phase('working')
    const download = lane(1, 'down', 0)
    progress.meter.begin(download)
    for (let second = 1; second <= 20; second++) {
      progress.bytes.found = 1_000_000
      progress.bytes.written += 10_000
      download.bytes += 2_000
      vi.advanceTimersByTime(1000)
    }
    expect(pictures.at(-1)).toMatchObject({ transferredBytes: 40_000, fraction: 0.2 })
    expect(pictures.at(-1)?.bytesPerSecond).toBeCloseTo(2_000, 0)
    const eta = pictures.at(-1)?.etaMs
    expect(eta?.from).toBeGreaterThan(70_000)
    expect(eta?.from).toBeLessThanOrEqual(80_000)
    expect(eta?.to).toBeGreaterThanOrEqual(80_000)
    expect(eta?.to).toBeLessThan(90_000)
  })

  test('steps are told as a share and a time, a phase after the other', async () => {
    const { context, pictures } = surroundings()
    using meter = new Meter('check', context)
    const progress = new StepProgress(context, meter)
    progress.phase('working')
    progress.expect(100)
    for (let step = 0; step < 20; step++) {
      await progress.step(context.signal)
      vi.advanceTimersByTime(250)
    }
    expect(pictures.at(-1)).toMatchObject({ operation: 'check', phase: 'working', fraction: 0.2, files: { found: 100, uploaded: 20, waiting: 80 } })
    expect(pictures.at(-1)?.etaMs?.from).toBeGreaterThan(15_000)
    expect(pictures.at(-1)?.etaMs?.to).toBeLessThan(25_000)
    progress.phase('finishing')
    expect(pictures.at(-1)).not.toHaveProperty('fraction')
  })
})

describe('real runs', () => {
  let world: World

  beforeEach(async () => {
    world = await quickWorld()
    const random = new SeededRandom(8)
    for (let at = 0; at < 40; at++) writeFileSync(join(world.source, `file-${String(at)}`), random.bytes(50_000))
  })

  afterEach(() => { world[Symbol.dispose]() })

  /** What people saw last is what the run came to. */
  function expectLastPicture(summary: RunSummary): void {
    const last = world.progress.at(-1)
    expect(last).toMatchObject({ operation: summary.operation, files: summary.files, bytes: summary.bytes, problems: summary.problems, transferredBytes: summary.uploadedBytes + summary.downloadedBytes })
  }

  test('the last picture of a backup and of a restore is their summary', async () => {
    expectLastPicture(await world.backup())
    expect(world.progress.at(-1)).toMatchObject({ fraction: 1, bytes: { found: 2_000_000, waiting: 0 } })
    writeFileSync(join(world.source, 'file-0'), 'shorter')
    expectLastPicture(await world.backup())
    const summary = await world.restore(join(world.folder, 'back'))
    expectLastPicture(summary)
    expect(world.progress.at(-1)).toMatchObject({ fraction: 1, files: { found: 40, uploaded: 40, waiting: 0 }, bytes: { found: 1_950_007, uploaded: 1_950_007, waiting: 0 } })
  })
})
