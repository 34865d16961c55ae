import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { launchApp, type RunningApp } from './harness/app.ts'
import { openFakeDesktop } from './harness/desktop.ts'
import { freshFolder } from './harness/folder.ts'
import type { Tray } from './harness/tray.ts'
import { User } from './harness/user.ts'

const password = 'tulip gravel omen lamp'
const labels = async (tray: Tray): Promise<string[]> => (await tray.menu()).map((entry) => entry.label)

/** Both themes, in artifacts/screenshots. */
async function pictures({ page }: User, app: RunningApp, name: string): Promise<void> {
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme })
    await app.screenshot(`${name}-${colorScheme}`)
  }
  await page.emulateMedia({ colorScheme: 'light' })
}

test('a pause of some hours from the window lasts over a restart, is shown with its end, and ends by itself', async () => {
  using folder = freshFolder()
  writeFileSync(`${folder.made('tree')}/plain.txt`, 'plain')
  await using desktop = await openFakeDesktop()
  const options = { environment: desktop.environment, home: folder.made('home') }
  {
    await using app = await launchApp(options)
    await desktop.nextTray()
    const user = await User.of(app)
    await user.addJob({ name: 'tree', sources: [folder.path('tree')], destination: { type: 'folder', path: folder.made('backup') }, password, schedule: 'Every hour' })
    await user.click('Pause all')
    await user.page.getByRole('menuitem', { name: 'Until tomorrow morning' }).waitFor()
    await pictures(user, app, 'pause-menu')
    await user.page.getByRole('menuitem', { name: 'For 2 hours' }).click()
    await user.sees(/^Paused until (?:tomorrow )?\d\d:\d\d$/)
  }
  await using app = await launchApp(options)
  const tray = await desktop.nextTray()
  const user = await User.of(app)
  await user.sees(/^Paused until (?:tomorrow )?\d\d:\d\d$/)
  await user.goTo('Backups')
  await pictures(user, app, 'pause-until')
  expect(await tray.tooltip()).toMatch(/^Holdfast: paused until /)
  await user.page.close()
  await desktop.sleep()
  await app.electron.evaluate(() => {
    const { now } = Date
    Date.now = () => now() + 3 * 3_600_000
  })
  await desktop.wake()
  await expect.poll(() => tray.tooltip()).not.toContain('paused')
  expect(await labels(tray)).toContain('Until I resume')
})

test('a job that runs on chosen days: what protects less is confirmed by main, and the next run is told', async () => {
  using folder = freshFolder()
  writeFileSync(`${folder.made('tree')}/plain.txt`, 'plain')
  await using app = await launchApp()
  const user = await User.of(app)
  const { page } = user
  await user.addJob({ name: 'tree', sources: [folder.path('tree')], destination: { type: 'folder', path: folder.made('backup') }, password, schedule: 'Every day' })
  await user.click('More actions')
  await page.getByRole('menuitem', { name: 'Edit job' }).click()
  await page.getByRole('radio', { name: 'Chosen times' }).check()
  await user.sees(/^Next: .* · .* · /)
  await page.getByRole('radio', { name: 'Chosen times' }).scrollIntoViewIfNeeded()
  await pictures(user, app, 'schedule-times')
  await page.getByLabel('Times', { exact: true }).fill('12:00')
  await user.willChoose({ confirm: false })
  await user.click('Save')
  await expect.poll(() => readFileSync(join(app.state, 'logs/holdfast.jsonl'), 'utf8')).toContain('Runs Mon, Tue, Wed, Thu, Fri at 12:00')
  await page.getByRole('radio', { name: 'Cron' }).check()
  await page.getByLabel('Cron expression').fill('0 9,17 * * *')
  await pictures(user, app, 'schedule-cron')
  await user.click('Save')
  await user.sees('Cron: 0 9,17 * * *')
  await user.sees(/^Next: (?:Today|Tomorrow) (?:09|17):00$/)
})
