import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { beforeAll, expect, test } from 'vitest'
import type { EngineEvent } from '../../../engine/protocol/messages.ts'
import { nodeHost } from '../../../main/supervisor/node-host.ts'
import { Supervisor } from '../../../main/supervisor/supervisor.ts'
import { systemTimers } from '../../../main/system/timers.ts'
import { randomFile } from '../../e2e/harness/data.ts'
import { freshBucket, startS3 } from '../../servers/s3.ts'
import { SlowLink } from '../../servers/slow-link.ts'
import { backupJob, noToken, ownKey } from '../fakes.ts'

const engine = fileURLToPath(new URL('../../../engine/engine.ts', import.meta.url))
const limit = 2_000_000

beforeAll(startS3)

test('two engines together keep to one limit, and use it: as the line in front of the server sees it, within 5 % over eight seconds', { timeout: 90_000 }, async () => {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-limit-'))
  const bucket = await freshBucket()
  await using link = await SlowLink.start(bucket.endpoint, { roundTripMs: 20 })
  const supervisor = new Supervisor({ startHost: nodeHost({ node: process.execPath, engine, environment: process.env }), timers: systemTimers, renice: () => undefined, token: noToken, sharedAccount: ownKey })
  supervisor.setLimits({ uploadBytesPerSecond: limit })
  const moving = new Set<string>()
  const exits: unknown[] = []
  try {
    for (const name of ['photos', 'papers']) {
      mkdirSync(join(folder, name))
      randomFile(join(folder, name, 'one.bin'), 40_000_000, name)
      const repository = `s3://${bucket.bucket}/${name}?endpoint=${encodeURIComponent(link.endpoint)}`
      const job = { ...backupJob, name, sources: [join(folder, name)], home: join(folder, `home-${name}`), repository, concurrency: 4, create: true, verify: false }
      const { accessKeyId, secretAccessKey } = bucket.secrets
      const event = (one: EngineEvent): void => { if (one.type === 'transfer' && one.transfer.bytes > 100_000) moving.add(name) }
      const listener = { event, output: () => undefined, restarting: () => undefined, restarted: () => undefined }
      const running = supervisor.start({ job, secrets: { password: 'tulip gravel omen lamp', storage: { accessKeyId, secretAccessKey } } }, listener)
      void running.exited.then((exit) => exits.push(exit))
    }
    await expect.poll(() => (exits[0] === undefined ? moving.size : JSON.stringify(exits[0])), { timeout: 30_000 }).toBe(2)
    // What the system's buffers took in at the beginning is over by then.
    const from = link.readings.length + 20
    await expect.poll(() => link.readings.length, { timeout: 30_000, interval: 50 }).toBeGreaterThan(from + 80)
    const [first, last] = [link.readings[from], link.readings[from + 80]]
    const seconds = ((last?.atMs ?? 0) - (first?.atMs ?? 0)) / 1000
    const rate = ((last?.up ?? 0) - (first?.up ?? 0)) / seconds
    expect(exits).toEqual([])
    expect(rate / limit).toBeGreaterThan(0.95)
    expect(rate / limit).toBeLessThan(1.05)
  } finally {
    await supervisor.stopAll(1_000)
    rmSync(folder, { recursive: true })
  }
})
