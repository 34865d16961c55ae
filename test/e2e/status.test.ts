import { rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { runCli, type CliResult } from '../engine/cli/run-cli.ts'
import { launchApp } from './harness/app.ts'
import { freshFolder } from './harness/folder.ts'
import { User } from './harness/user.ts'

const password = 'tulip gravel omen lamp'

test('holdfast status tells of the app while it runs, after a failure, and when it is gone', async () => {
  using folder = freshFolder()
  writeFileSync(`${folder.made('été & co')}/letter.txt`, 'dear')
  await using app = await launchApp()
  const user = await User.of(app)
  const status = (...more: readonly string[]): Promise<CliResult> => runCli(['status', ...more], { environment: { HOLDFAST_HOME: app.state } })
  const jobs = async () => (await status('--json')).events.filter(({ type }) => type === 'job')

  await user.addJob({ name: 'letters', sources: [folder.path('été & co')], destination: { type: 'folder', path: folder.made('backup') }, password, schedule: 'Every day' })
  expect(await user.backUpNow()).toBe('Backed up')
  await expect.poll(jobs, { timeout: 15_000, interval: 500 }).toEqual([expect.objectContaining({
    name: 'letters', state: 'idle', password: true, attention: [],
    lastSuccess: expect.objectContaining({ outcome: 'success', files: 1, snapshot: 'letters@1' }) as unknown,
    waits: { reason: 'schedule', untilMs: expect.any(Number) as number },
  })])
  expect(statSync(join(app.state, 'status.json')).mode & 0o777).toBe(0o600)
  const well = await status()
  expect(well).toMatchObject({ code: 0, stderr: '' })
  expect(well.stdout).toMatch(/^Holdfast \S+ is running\.\n\nletters, daily at \d\d:\d\d, to file:.*\/backup\n {2}last backup .*\(letters@1\): 1 file, .*\n {2}now {10}next backup .*\n\nAll is well\.\n$/)

  rmSync(folder.path('backup'), { recursive: true })
  await user.click('Back up now')
  await expect.poll(async () => (await status()).code, { timeout: 60_000, interval: 500 }).toBe(2)
  expect((await status('--prometheus')).stdout).toContain('holdfast_job_last_run_success{job="letters"} 0\n')

  await app.stop()
  const gone = await status()
  expect(gone.code).toBe(2)
  expect(gone.stdout).toMatch(/^The app is not running: nothing starts by itself\. This is how things were at /)
  expect(gone.stdout).toMatch(/\n! letters: the last backup failed\n$/)
}, 180_000)
