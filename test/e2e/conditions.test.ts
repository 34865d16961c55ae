import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { launchApp, type RunningApp } from './harness/app.ts'
import { randomFile } from './harness/data.ts'
import { openFakeDesktop } from './harness/desktop.ts'
import { freshFolder } from './harness/folder.ts'
import { openStorage } from './harness/storage.ts'
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

test('a job waits for a connection on which data costs nothing, stands still when it has to, and goes on by itself', async () => {
  using folder = freshFolder()
  randomFile(`${folder.made('tree')}/one.bin`, 2_000_000)
  const supply = folder.made('power/BAT0')
  for (const [file, text] of [['type', 'Battery'], ['status', 'Discharging'], ['capacity', '41']] as const) writeFileSync(`${supply}/${file}`, text)
  await using storage = await openStorage()
  await using desktop = await openFakeDesktop()
  await desktop.connect('Phone of Mia', true)
  await using app = await launchApp({ environment: { ...desktop.environment, HOLDFAST_TEST_POWER: folder.path('power') } })
  const tray = await desktop.nextTray()
  const user = await User.of(app)
  const { page } = user
  await user.addJob({ name: 'cloud', sources: [folder.path('tree')], destination: storage.destination, password, schedule: 'Every hour' })
  await user.click('More actions')
  await page.getByRole('menuitem', { name: 'Edit job' }).click()
  await page.getByRole('checkbox', { name: 'Where data costs nothing' }).check()
  await page.getByRole('checkbox', { name: 'With enough battery' }).check()
  await page.getByLabel('Least charge').fill('30')
  await page.getByRole('radio', { name: 'Never these' }).check()
  await user.click('Add Phone of Mia')
  await page.getByText('Runs by itself only').scrollIntoViewIfNeeded()
  await pictures(user, app, 'conditions-form')
  await user.willChoose({ confirm: false })
  await user.click('Save')
  await expect.poll(() => readFileSync(join(app.state, 'logs/holdfast.jsonl'), 'utf8')).toContain('Runs by itself only with a battery of 30 % or more, where data costs nothing, not in the networks Phone of Mia')
  await user.willChoose({ confirm: true })
  await user.click('Save')
  await user.sees('with a battery of 30 % or more, where data costs nothing, not in Phone of Mia')

  // Both clocks go on by what is passed; the next tick sees it.
  const pass = (minutes: number): Promise<void> => app.electron.evaluate((_electron, more) => {
    const [now, uptime] = [Date.now, process.uptime.bind(process)]
    Date.now = () => now() + more * 60_000
    process.uptime = () => uptime() + more * 60
  }, minutes)
  await pass(75)
  await expect.poll(() => labels(tray), { timeout: 45_000 }).toContain('cloud: waits for a connection that is not metered')
  await user.sees('Waits for a connection where data costs nothing')
  await pictures(user, app, 'conditions-waits')
  storage.holdPacks()
  await desktop.connect('Home', false)
  await expect.poll(() => labels(tray), { timeout: 45_000 }).toContain('cloud: backing up')
  await expect.poll(() => storage.held).toBeGreaterThan(0)
  await desktop.connect('Phone of Mia', true)
  await expect.poll(() => labels(tray), { timeout: 20_000 }).toContain('cloud: waits for a connection that is not metered')
  await user.sees('Paused: waits for a connection where data costs nothing')
  await pictures(user, app, 'conditions-held')
  await desktop.connect('Home', false)
  storage.release()
  await expect.poll(() => labels(tray), { timeout: 30_000 }).toContain('cloud: backed up just now')
})

test('limits of a time of day are set in the settings, and kept; what all but stops uploads is confirmed by main', async () => {
  await using app = await launchApp()
  const user = await User.of(app)
  const { page } = user
  await user.goTo('Settings')
  await user.click('Add a time…')
  for (const day of ['Sat', 'Sun']) await user.click(day)
  for (const field of ['From', 'To']) await page.getByLabel(field, { exact: true }).fill('00:00')
  await page.getByLabel('Limit uploads: At most').fill('0.01')
  await page.getByLabel('Limit uploads: At most').blur()
  await page.getByRole('button', { name: 'Add', exact: true }).scrollIntoViewIfNeeded()
  await pictures(user, app, 'limits-form')
  await user.willChoose({ confirm: false })
  await user.click('Add')
  await expect.poll(() => readFileSync(join(app.state, 'logs/holdfast.jsonl'), 'utf8')).toContain('asked: Slow all backups down?')
  expect(await page.getByText('Holds now').count()).toBe(0)
  await user.click('Add a time…')
  for (const day of ['Sat', 'Sun']) await user.click(day)
  for (const field of ['From', 'To']) await page.getByLabel(field, { exact: true }).fill('00:00')
  await page.getByLabel('Limit uploads: At most').fill('2')
  await page.getByLabel('Limit uploads: At most').blur()
  await user.click('Add')
  await user.sees('Uploads at most 2.00 MB/s, downloads unlimited')
  await user.sees('Holds now')
  await pictures(user, app, 'limits-now')
  expect(JSON.parse(readFileSync(join(app.state, 'settings.json'), 'utf8'))).toMatchObject({ data: { limitTimes: [{ days: [1, 2, 3, 4, 5, 6, 7], from: '00:00', to: '00:00', uploadBytesPerSecond: 2_000_000 }] } })
})
