import { expect, test } from 'vitest'
import { readMachineSettings } from '../../../engine/protocol/machine-settings.ts'
import type { JobConfig } from '../../../main/api/contract.ts'
import { withMachineSettings } from '../../../main/jobs/machine-settings.ts'
import type { JobRecord } from '../../../main/jobs/store.ts'

const there = { type: 'folder', path: '/mnt/disk' } as const

function recordOf(name: string, destination: JobConfig['destination'], host?: string): Pick<JobRecord, 'config' | 'host'> {
  const config: JobConfig = { name, sources: ['/home/anna'], destination, concurrency: 4, excludes: { patterns: ['*.tmp'], presets: [], oneFileSystem: false }, schedule: { type: 'daily', at: '12:00' }, uploadBytesPerSecond: 5, retention: { daily: 7 }, conditions: { idle: true } }
  return { config, ...(host !== undefined && { host }) }
}

test('a backup takes along the jobs that go where it goes, and no address', () => {
  const all = [recordOf('photos', there, 'tower'), recordOf('music', there), recordOf('other', { type: 'folder', path: '/mnt/secret' })]
  const [photos] = all
  if (!photos) throw new Error('no job')
  const job = { type: 'backup', repository: 'file:///mnt/disk', home: '/h', concurrency: 1, name: 'photos', sources: ['/home/anna'], excludes: photos.config.excludes, dryRun: false, onFailure: 'drain' } as const
  const { machineSettings = '', ...rest } = withMachineSettings(job, photos, all, '/home/anna')
  expect(rest).toEqual(job)
  expect(machineSettings).not.toMatch(/mnt/)
  const common = { sources: ['/home/anna'], excludes: photos.config.excludes, schedule: { type: 'daily', at: '12:00' }, concurrency: 4, uploadBytesPerSecond: 5, retention: { daily: 7 }, conditions: { idle: true } }
  expect(readMachineSettings(machineSettings)).toEqual({ home: '/home/anna', jobs: [{ name: 'music', ...common }, { name: 'photos', host: 'tower', ...common }] })
})
