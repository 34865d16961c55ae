import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeAll, expect, it } from 'vitest'
import { runJob } from '../../../engine/commands/run.ts'
import { describeTree, makeOddTree } from '../../fixtures/tree.ts'
import { freshBucket, startS3 } from '../../servers/s3.ts'
import { testContext } from './run-support.ts'

beforeAll(startS3)

it('brings everything back from S3, and downloads nothing that is there already', async () => {
  const bucket = await freshBucket()
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-s3-restore-'))
  try {
    const source = join(folder, 'source')
    const target = join(folder, 'target')
    makeOddTree(source)
    const common = { repository: bucket.url('backup'), home: join(folder, 'home'), concurrency: 4 }
    const { secrets } = bucket
    const context = { ...testContext(), secrets: { password: 'a password', storage: secrets } }
    await runJob({
      ...common, type: 'backup', name: 'job', sources: [source], excludes: { patterns: [], presets: [], oneFileSystem: false },
      dryRun: false, onFailure: 'drain', verify: false, create: true,
    }, context)
    const restore = { ...common, type: 'restore', snapshot: 'latest:job', target, paths: [], overwrite: 'changed' } as const
    const first = await runJob(restore, context)
    expect(first).toMatchObject({ outcome: 'success', problems: 0 })
    expect(readdirSync(target)).toEqual(['source'])
    expect(describeTree(join(target, 'source'))).toEqual(describeTree(source))
    const again = await runJob(restore, context)
    expect(again.files).toMatchObject({ uploaded: 0 })
    expect(again.downloadedBytes).toBeLessThan(first.downloadedBytes)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}, 60_000)
