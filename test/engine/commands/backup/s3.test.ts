import { ListObjectsV2Command } from '@aws-sdk/client-s3'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, expect, test } from 'vitest'
import { LimitControl } from '../../../../engine/commands/context.ts'
import type { CommandContext } from '../../../../engine/commands/context.ts'
import { runJob } from '../../../../engine/commands/run.ts'
import type { BackupJob } from '../../../../engine/protocol/job.ts'
import type { TransferEvent } from '../../../../engine/protocol/progress.ts'
import { SeededRandom } from '../../../bench/random.ts'
import { describeTree } from '../../../fixtures/tree.ts'
import { World } from '../../../fixtures/world.ts'
import { freshBucket, startS3 } from '../../../servers/s3.ts'

/** What a stop may take, with room for a busy machine. */
const stopMs = 2_000

const fileBytes = 5_000_000
const files = 5

/** A transfer that has brought so much breaks the run off. */
const enoughBytes = 500_000

/** What hides a pack's length: 64 KiB by chance, then up to the next 128 KiB. How many packs there are, and how long each is, is chance as well. */
const mostPaddingBytes = 192 * 1024

beforeAll(startS3)

test('on S3 a stop breaks uploads off and leaves nothing half; the next run sends what was sealed, and reads nothing again', async () => {
  const bucket = await freshBucket()
  using world = new World(bucket.url('home'))
  const random = new SeededRandom(8)
  for (let at = 0; at < files; at++) writeFileSync(join(world.source, `file-${at}`), random.bytes(fileBytes))
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
  const sealed = new Set<number>()
  const first = context(stop.signal)
  const transfer = (event: TransferEvent): void => {
    sealed.add(event.totalBytes)
    if (event.bytes < enoughBytes || stop.signal.aborted) return
    stoppedMs = performance.now()
    stop.abort()
  }
  const slow = { ...first, limits: new LimitControl({ uploadBytesPerSecond: 2_000_000 }), events: { ...first.events, transfer } }
  await expect(runJob(job, slow)).rejects.toMatchObject({ code: 'aborted' })
  expect(performance.now() - stoppedMs).toBeLessThan(stopMs)
  // One that was shorter than what the others had sent by then may be there, and is whole.
  const before = await packs()
  expect(before.filter((size) => !sealed.has(size))).toEqual([])
  expect(sum(before)).toBeLessThan(world.common.concurrency * enoughBytes)
  const second = await runJob(job, context(new AbortController().signal))
  expect(second).toMatchObject({ outcome: 'success', files: { found: files } })
  expect(second.files.unchanged).toBeGreaterThan(0)
  const after = await packs()
  expect(sum(after)).toBeLessThan(files * fileBytes + after.length * mostPaddingBytes)
  expect(second.uploadedBytes).toBeLessThan(sum(after) - sum(before) + 100_000)
  const target = join(world.folder, 'restored')
  await runJob({ ...world.common, type: 'restore', snapshot: 'latest', target, paths: [], overwrite: 'never' }, context(new AbortController().signal))
  expect(describeTree(join(target, 'source'))).toEqual(describeTree(world.source))
}, 60_000)

function sum(sizes: readonly number[]): number {
  return sizes.reduce((total, size) => total + size, 0)
}
