import { ListObjectsV2Command } from '@aws-sdk/client-s3'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { LimitControl } from '../../../../engine/commands/context.ts'
import type { CommandContext } from '../../../../engine/commands/context.ts'
import { runJob } from '../../../../engine/commands/run.ts'
import type { BackupJob } from '../../../../engine/protocol/job.ts'
import type { TransferEvent } from '../../../../engine/protocol/progress.ts'
import { SeededRandom } from '../../../bench/random.ts'
import { describeTree } from '../../../fixtures/tree.ts'
import { World } from '../../../fixtures/world.ts'
import { freshBucket } from '../../../servers/s3.ts'

/** What a stop may take, with room for a busy machine. */
const stopMs = 2_000

test('on S3 a stop breaks uploads off and leaves nothing half; the next run sends what was sealed, and reads nothing again', async () => {
  const bucket = await freshBucket()
  using world = new World(bucket.url('home'))
  const random = new SeededRandom(8)
  for (let at = 0; at < 5; at++) writeFileSync(join(world.source, `file-${at}`), random.bytes(5_000_000))
  const job: BackupJob = {
    ...world.common, type: 'backup', name: 'photos', sources: [world.source], dryRun: false, onFailure: 'drain', verify: false, create: true,
    excludes: { patterns: [], presets: [], oneFileSystem: false },
  }
  const context = (signal: AbortSignal): CommandContext => ({ ...world.context(signal), secrets: { password: world.password, storage: { ...bucket.secrets } } })
  const packs = async (): Promise<number[]> => {
    const { Contents = [] } = await bucket.client.send(new ListObjectsV2Command({ Bucket: bucket.bucket, Prefix: 'home/packs/' }))
    return Contents.map((object) => object.Size ?? 0)
  }
  const stop = new AbortController()
  let stoppedMs = 0
  const first = context(stop.signal)
  const transfer = (event: TransferEvent): void => {
    if (event.bytes < 500_000 || stop.signal.aborted) return
    stoppedMs = performance.now()
    stop.abort()
  }
  const slow = { ...first, limits: new LimitControl({ uploadBytesPerSecond: 2_000_000 }), events: { ...first.events, transfer } }
  await expect(runJob(job, slow)).rejects.toMatchObject({ code: 'aborted' })
  expect(performance.now() - stoppedMs).toBeLessThan(stopMs)
  expect(await packs()).toEqual([])
  const second = await runJob(job, context(new AbortController().signal))
  expect(second).toMatchObject({ outcome: 'success', files: { found: 5 } })
  expect(second.files.unchanged).toBeGreaterThan(0)
  const stored = (await packs()).reduce((sum, size) => sum + size, 0)
  expect(stored).toBeLessThan(25_200_000)
  expect(second.uploadedBytes).toBeLessThan(stored + 100_000)
  const target = join(world.folder, 'restored')
  await runJob({ ...world.common, type: 'restore', snapshot: 'latest', target, paths: [], overwrite: 'never' }, context(new AbortController().signal))
  expect(describeTree(join(target, 'source'))).toEqual(describeTree(world.source))
})
