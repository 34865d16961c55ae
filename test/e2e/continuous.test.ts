import { appendFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { launchApp, type RunningApp } from './harness/app.ts'
import { freshFolder } from './harness/folder.ts'
import { User } from './harness/user.ts'

const password = 'tulip gravel omen lamp'

/** Both themes, in artifacts/screenshots. */
async function pictures({ page }: User, app: RunningApp, name: string): Promise<void> {
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme })
    await app.screenshot(`${name}-${colorScheme}`)
  }
  await page.emulateMedia({ colorScheme: 'light' })
}

/** Both clocks go on by what is passed; the next tick sees it. */
function pass(app: RunningApp, minutes: number): Promise<void> {
  return app.electron.evaluate((_electron, more) => {
    const [now, uptime] = [Date.now, process.uptime.bind(process)]
    Date.now = () => now() + more * 60_000
    process.uptime = () => uptime() + more * 60
  }, minutes)
}

test('a change in a source leads to a backup by itself; what is left out does not, nor does the repository in the source', async () => {
  using folder = freshFolder()
  mkdirSync(`${folder.made('tree')}/docs`)
  mkdirSync(folder.path('tree/node_modules'))
  writeFileSync(folder.path('tree/docs/plain.txt'), 'plain')
  await using app = await launchApp()
  const user = await User.of(app)
  const { page } = user
  await user.addJob({ name: 'tree', sources: [folder.path('tree')], destination: { type: 'folder', path: folder.made('backup') }, password, schedule: 'When something changes' })
  await user.sees(/^Watching \d folders$/)
  const runs = page.getByRole('button', { name: /^Show details of the run of/ })
  // What was there before anybody watched counts as a change.
  await pass(app, 3)
  await expect.poll(() => runs.count(), { timeout: 45_000 }).toBe(1)
  await user.sees('Waits for a change')
  await pictures(user, app, 'continuous-job')
  await user.goTo('Backups')
  await user.sees(/Watching \d folders/)
  await pictures(user, app, 'continuous-jobs')
  await user.openJob('tree')
  await pass(app, 30)
  appendFileSync(folder.path('tree/docs/plain.txt'), ', and more')
  await user.sees(/^Next: /)
  await pass(app, 3)
  await expect.poll(() => runs.count(), { timeout: 45_000 }).toBe(2)
  await user.sees('Waits for a change')
  await user.click('More actions')
  await page.getByRole('menuitem', { name: 'Edit job' }).click()
  await page.getByRole('radio', { name: 'When something changes' }).scrollIntoViewIfNeeded()
  await pictures(user, app, 'continuous-form')
  expect(readFileSync(join(app.state, 'logs/holdfast.jsonl'), 'utf8')).not.toContain('not watched')
})
