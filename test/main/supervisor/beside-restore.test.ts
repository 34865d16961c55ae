import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { beforeAll, expect, test } from 'vitest'
import type { EngineJob } from '../../../engine/protocol/job.ts'
import { nodeHost } from '../../../main/supervisor/node-host.ts'
import { Supervisor } from '../../../main/supervisor/supervisor.ts'
import { systemTimers } from '../../../main/system/timers.ts'
import { randomFile } from '../../e2e/harness/data.ts'
import { freshBucket, startS3 } from '../../servers/s3.ts'
import { SlowLink, type LinkReading } from '../../servers/slow-link.ts'
import { backupJob, noToken, ownKey, restoreJob } from '../fakes.ts'

const engine = fileURLToPath(new URL('../../../engine/engine.ts', import.meta.url))
/** Of the line in each direction. */
const lineBytesPerSecond = 6_000_000

beforeAll(startS3)

/** Bytes a second between two readings. */
function rate(from: LinkReading | undefined, to: LinkReading | undefined, direction: 'up' | 'down'): number {
  if (!from || !to) return NaN
  return ((to[direction] - from[direction]) * 1000) / (to.atMs - from.atMs)
}

test('a restore beside a backup: within a second of its first bytes the backup leaves it the line, and takes it again at its end', { timeout: 120_000 }, async () => {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-beside-'))
  const bucket = await freshBucket()
  await using link = await SlowLink.start(bucket.endpoint, { roundTripMs: 20, bytesPerSecond: lineBytesPerSecond })
  const supervisor = new Supervisor({ startHost: nodeHost({ node: process.execPath, engine, environment: process.env }), timers: systemTimers, renice: () => undefined, token: noToken, sharedAccount: ownKey })
  const { accessKeyId, secretAccessKey } = bucket.secrets
  const secrets = { password: 'tulip gravel omen lamp', storage: { accessKeyId, secretAccessKey } }
  const run = (job: EngineJob) => supervisor.start({ job, secrets }, { event: () => undefined, output: () => undefined, restarting: () => undefined, restarted: () => undefined }).exited
  const repositoryOf = (name: string, endpoint: string): string => `s3://${bucket.bucket}/${name}?endpoint=${encodeURIComponent(endpoint)}`
  const backupOf = (name: string, megabytes: number, endpoint: string): EngineJob => {
    mkdirSync(join(folder, name))
    randomFile(join(folder, name, 'one.bin'), megabytes * 1_000_000, name)
    return { ...backupJob, name, sources: [join(folder, name)], home: join(folder, `home-${name}`), repository: repositoryOf(name, endpoint), concurrency: 4, create: true, verify: false }
  }
  const newest = () => link.readings.at(-1)
  try {
    expect(await run(backupOf('papers', 25, bucket.endpoint))).toMatchObject({ type: 'finished', summary: { outcome: 'success' } })
    const backup = run(backupOf('photos', 120, link.endpoint))
    const ended = { backup: false }
    void backup.then(() => { ended.backup = true })
    await expect.poll(() => rate(link.readings.at(-20), newest(), 'up'), { timeout: 40_000, interval: 50 }).toBeGreaterThan(lineBytesPerSecond * 0.8)

    const restore = run({ ...restoreJob, snapshot: 'latest', target: join(folder, 'restored'), home: join(folder, 'home-papers'), repository: repositoryOf('papers', link.endpoint), concurrency: 4 })
    const before = newest()?.down ?? 0
    await expect.poll(() => newest()?.down ?? 0, { timeout: 20_000, interval: 20 }).toBeGreaterThan(before + 200_000)
    const first = link.readings.length
    await expect.poll(() => link.readings.length, { timeout: 20_000, interval: 20 }).toBeGreaterThan(first + 25)
    // A tenth of its pace, and what a tenth of a second of readings may be off.
    expect(rate(link.readings[first + 10], link.readings[first + 25], 'up')).toBeLessThan(lineBytesPerSecond * 0.2)
    expect(rate(link.readings[first + 10], link.readings[first + 25], 'up')).toBeGreaterThan(10_000)
    expect(await restore).toMatchObject({ type: 'finished', summary: { outcome: 'success' } })

    expect(ended.backup).toBe(false)
    const over = link.readings.length
    await expect.poll(() => Math.max(...link.readings.slice(over + 10).map((reading, at) => rate(link.readings[over + at], reading, 'up'))), { timeout: 20_000, interval: 100 })
      .toBeGreaterThan(lineBytesPerSecond * 0.7)
  } finally {
    await supervisor.stopAll(1_000)
    rmSync(folder, { recursive: true })
  }
})
