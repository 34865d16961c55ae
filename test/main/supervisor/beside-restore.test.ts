import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { beforeAll, expect, test } from 'vitest'
import type { EngineJob } from '../../../engine/protocol/job.ts'
import type { EngineEvent } from '../../../engine/protocol/messages.ts'
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
  /** What each upload of the last backup has handed to the system. */
  const sent = new Map<number, number>()
  const handedOn = (): number => [...sent.values()].reduce((sum, bytes) => sum + bytes, 0)
  const hear = (event: EngineEvent): void => { if (event.type === 'transfer' && event.transfer.direction === 'up') sent.set(event.transfer.id, event.transfer.bytes) }
  const run = (job: EngineJob, event: (event: EngineEvent) => void = () => undefined) => supervisor.start({ job, secrets }, { event, output: () => undefined, restarting: () => undefined, restarted: () => undefined }).exited
  const repositoryOf = (name: string, endpoint: string): string => `s3://${bucket.bucket}/${name}?endpoint=${encodeURIComponent(endpoint)}`
  const backupOf = (name: string, megabytes: number, endpoint: string): EngineJob => {
    mkdirSync(join(folder, name))
    randomFile(join(folder, name, 'one.bin'), megabytes * 1_000_000, name)
    return { ...backupJob, name, sources: [join(folder, name)], home: join(folder, `home-${name}`), repository: repositoryOf(name, endpoint), concurrency: 4, create: true, verify: false }
  }
  const newest = () => link.readings.at(-1)
  try {
    expect(await run(backupOf('papers', 60, bucket.endpoint))).toMatchObject({ type: 'finished', summary: { outcome: 'success' } })
    const backup = run(backupOf('photos', 300, link.endpoint), hear)
    const ended = { backup: false }
    void backup.then(() => { ended.backup = true })
    await expect.poll(() => rate(link.readings.at(-20), newest(), 'up'), { timeout: 40_000, interval: 50 }).toBeGreaterThan(lineBytesPerSecond * 0.8)
    // The buffers of loopback take in tens of megabytes first.
    let before: { readonly bytes: number; readonly atMs: number } | undefined
    await expect.poll(() => {
      const since = before
      before = { bytes: handedOn(), atMs: performance.now() }
      return since ? ((before.bytes - since.bytes) * 1000) / (before.atMs - since.atMs) : Infinity
    }, { timeout: 40_000, interval: 3500 }).toBeLessThan(lineBytesPerSecond * 1.3)

    const restore = run({ ...restoreJob, snapshot: 'latest', target: join(folder, 'restored'), home: join(folder, 'home-papers'), repository: repositoryOf('papers', link.endpoint), concurrency: 4 })
    const downBefore = newest()?.down ?? 0
    await expect.poll(() => newest()?.down ?? 0, { timeout: 20_000, interval: 20 }).toBeGreaterThan(downBefore + 200_000)
    const first = newest()?.atMs ?? 0
    const after = (ms: number) => expect.poll(() => newest()?.atMs ?? 0, { timeout: 20_000, interval: 20 }).toBeGreaterThan(first + ms)
    await after(1000)
    const handed = { bytes: handedOn(), atMs: performance.now() }
    await after(3000)
    // A tenth of its pace, and what the telling of it may be off.
    expect(((handedOn() - handed.bytes) * 1000) / (performance.now() - handed.atMs)).toBeLessThan(lineBytesPerSecond * 0.2)
    // What the buffers of both ends had taken goes out meanwhile.
    const ofRestore = { ended: false }
    void restore.then(() => { ofRestore.ended = true })
    await expect.poll(() => (ofRestore.ended ? NaN : rate(link.readings.at(-15), newest(), 'up')), { timeout: 20_000, interval: 50 }).toBeLessThan(lineBytesPerSecond * 0.2)
    expect(rate(link.readings.at(-30), newest(), 'up')).toBeGreaterThan(10_000)
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
