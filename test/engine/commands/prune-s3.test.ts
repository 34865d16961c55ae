import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { CreateMultipartUploadCommand, ListMultipartUploadsCommand } from '@aws-sdk/client-s3'
import { beforeAll, expect, test } from 'vitest'
import { systemClock } from '../../../engine/base/clock.ts'
import type { PruneDetails } from '../../../engine/commands/prune.ts'
import { runJob } from '../../../engine/commands/run.ts'
import { FaultProxy } from '../../faults/proxy.ts'
import { initCheaply } from '../../fixtures/cheap-repository.ts'
import { fastClock } from '../../faults/template.ts'
import { World } from '../../fixtures/world.ts'
import { freshBucket, startS3 } from '../../servers/s3.ts'

beforeAll(startS3)

test('a prune clears away multipart uploads that nobody continued for a week, and no younger ones', async () => {
  const bucket = await freshBucket()
  using world = new World(bucket.url('repository'))
  writeFileSync(join(world.source, 'one'), 'one')
  const context = { ...world.context(), secrets: { password: world.password, storage: bucket.secrets } }
  await runJob({ ...world.common, type: 'backup', name: 'photos', sources: [world.source], dryRun: false, onFailure: 'drain', create: true, verify: false, excludes: { patterns: [], presets: [], oneFileSystem: false } }, context)
  await bucket.client.send(new CreateMultipartUploadCommand({ Bucket: bucket.bucket, Key: 'repository/packs/aa/aa' }))
  const staleAfter = async (days: number): Promise<number> => {
    const clock = { ...systemClock, now: () => Date.now() + days * 86_400_000 }
    return ((await runJob({ ...world.common, type: 'prune', dryRun: false }, { ...context, clock })).details as PruneDetails).staleUploads
  }
  expect(await staleAfter(0)).toBe(0)
  expect(await staleAfter(8)).toBe(1)
  expect((await bucket.client.send(new ListMultipartUploadsCommand({ Bucket: bucket.bucket }))).Uploads ?? []).toEqual([])
})

test.each([[403, 'AccessDenied', 'success'], [501, 'NotImplemented', 'success'], [503, 'SlowDown', 'throttled']])('a storage that answers %i when a prune looks for unfinished uploads: %s, and the prune ends with %s', async (status, code, ending) => {
  const bucket = await freshBucket()
  await using proxy = await FaultProxy.start(bucket.endpoint)
  using world = new World(bucket.url('repository').replace(encodeURIComponent(bucket.endpoint), encodeURIComponent(proxy.endpoint)))
  await initCheaply(world.repository, world.password, bucket.secrets)
  let asked = 0
  proxy.choose = ({ url }) => (url.includes('uploads') && ++asked > 0 ? { type: 'answer', status, code } : undefined)
  const context = { ...world.context(), clock: fastClock, secrets: { password: world.password, storage: bucket.secrets } }
  const word = await runJob({ ...world.common, type: 'prune', dryRun: false }, context).then(({ outcome }) => (outcome === 'unchanged' ? 'success' : outcome), ({ code: failed }: { readonly code: string }) => failed)
  expect(word).toBe(ending)
  expect(asked).toBeGreaterThan(0)
})
