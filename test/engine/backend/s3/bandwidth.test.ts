import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { crc32 } from 'node:zlib'
import { beforeAll, expect, test } from 'vitest'
import { TokenBucket } from '../../../../engine/backend/flow/bandwidth.ts'
import { withLimits } from '../../../../engine/backend/wrappers/limits.ts'
import { fixedCredentials } from '../../../../engine/backend/credentials.ts'
import { openBackend } from '../../../../engine/backend/open.ts'
import { Transfers } from '../../../../engine/backend/flow/transfers.ts'
import { systemClock } from '../../../../engine/base/clock.ts'
import { FaultProxy } from '../../../faults/proxy.ts'
import { freshBucket, startS3 } from '../../../servers/s3.ts'

const never = new AbortController().signal

beforeAll(startS3)

test('real time: uploads and downloads of S3 pass through the limit inside of a request', async () => {
  const bucket = await freshBucket()
  await using proxy = await FaultProxy.start(bucket.endpoint)
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-rate-'))
  const rate = 4_000_000
  await using bare = await openBackend(`s3://${bucket.bucket}?endpoint=${encodeURIComponent(proxy.endpoint)}`, { credentials: fixedCredentials({ ...bucket.secrets }), signal: never })
  const backend = withLimits(bare, { transfers: new Transfers({ concurrency: 4, clock: systemClock }), bandwidth: { up: new TokenBucket(systemClock, rate), down: new TokenBucket(systemClock, rate) } })
  const bytes = Buffer.alloc(2_000_000, 'b')
  const path = join(folder, 'pack')
  await writeFile(path, bytes)
  const file = { type: 'file', path, size: bytes.length, crc32: crc32(bytes) } as const

  const started = performance.now()
  const uploads = Promise.all([backend.put('a', file, {}, never), backend.put('b', { type: 'bytes', bytes }, {}, never)])
  // Half-way about half has arrived: the limit works within a request, not only between requests. Sockets hold some of it.
  await new Promise((resolve) => setTimeout(resolve, 500))
  expect(proxy.uploadedBytes).toBeGreaterThan(500_000)
  expect(proxy.uploadedBytes).toBeLessThan(2_800_000)
  await uploads
  expect((performance.now() - started) / 1000).toBeGreaterThan(0.95)

  const downloading = performance.now()
  await Promise.all([backend.get('a', 'all', never), backend.get('b', 'all', never)])
  // The pause before left two tenths of a second over.
  expect((performance.now() - downloading) / 1000).toBeGreaterThan(0.75)
  bucket.client.destroy()
  await rm(folder, { recursive: true })
})
