import { existsSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { launchApp, type RunningApp } from './harness/app.ts'
import { send } from './harness/attacker.ts'
import { openFakeDesktop } from './harness/desktop.ts'
import { TestDisks } from './harness/disks.ts'
import { freshFolder } from './harness/folder.ts'
import type { Tray } from './harness/tray.ts'
import { User } from './harness/user.ts'

const password = 'tulip gravel omen lamp'
const labels = async (tray: Tray): Promise<string[]> => (await tray.menu()).map((entry) => entry.label)
/** A change of the mounts is seen within five seconds. */
const soon = { timeout: 20_000 }

/** Both clocks go on; the next tick sees it. */
function pass(app: RunningApp, hours: number): Promise<void> {
  return app.electron.evaluate((_electron, more) => {
    const [now, uptime] = [Date.now, process.uptime.bind(process)]
    Date.now = () => now() + more * 3_600_000
    process.uptime = () => uptime() + more * 3_600
  }, hours)
}

test('a job waits for its disk, takes no other for it, goes on by itself wherever it is plugged in, and says when it can be unplugged', async () => {
  using folder = freshFolder()
  writeFileSync(join(folder.made('photos'), 'one.txt'), 'one')
  using disks = new TestDisks(folder)
  await using desktop = await openFakeDesktop()
  await using app = await launchApp({ environment: { ...desktop.environment, ...disks.environment } })
  const tray = await desktop.nextTray()
  const user = await User.of(app)
  const blue = disks.disk('5A2B-11C0', 'Blue Disk é')
  const point = disks.plug(blue)
  await user.addJob({ name: 'photos', sources: [folder.path('photos')], destination: { type: 'folder', path: join(point, 'Holdfast') }, password, schedule: 'Every hour' })
  await user.backUpNow()
  expect((await desktop.nextNotification('Blue Disk é')).summary).toBe('You can unplug Blue Disk é')
  await user.sees('Plugged in; you can unplug it now')
  await app.screenshot('disk-safe')

  disks.unplug(point)
  await user.sees('Not plugged in')
  await pass(app, 75 / 60)
  await expect.poll(() => labels(tray), { timeout: 45_000 }).toContain('photos: waits for the disk Blue Disk é')
  await user.sees('Waits for the disk Blue Disk é')
  await app.screenshot('disk-away')
  await user.click('Back up now')
  await user.sees('It starts as soon as Blue Disk é is plugged in.')
  await app.screenshot('disk-queued')
  expect(readdirSync(point)).toEqual([])
  await user.goTo('Backups')
  await user.sees('Waiting for the disk Blue Disk é')
  await app.screenshot('disk-home')

  const other = disks.disk('0000-0001', 'Blue Disk é')
  disks.plug(other)
  await expect.poll(() => send(user.page, 'drives.list', undefined), soon).toMatchObject({ ok: true, value: [{ id: other.id, name: 'Blue Disk é', mount: point, removable: true }] })
  expect(await labels(tray)).toContain('photos: waits for the disk Blue Disk é')
  const again = disks.plug(blue, 'Blue Disk é1')
  await expect.poll(() => labels(tray), soon).toContain('photos: backed up just now')
  expect(readdirSync(other.content)).toEqual([])
  expect(again).toMatch(/1$/)
  await user.openJob('photos')
  await user.sees('Plugged in; you can unplug it now')
  await user.sees(join(again, 'Holdfast'))
  expect(readdirSync(join(blue.content, 'Holdfast', 'snapshots')).length).toBeGreaterThan(0)
  expect((await desktop.nextNotification('unplug')).summary).toBe('You can unplug Blue Disk é')
}, 180_000)

test('two disks take turns: each gets a repository of its own, and the job’s page says what is on which', async () => {
  using folder = freshFolder()
  writeFileSync(join(folder.made('photos'), 'one.txt'), 'one')
  using disks = new TestDisks(folder)
  await using app = await launchApp({ environment: disks.environment })
  const user = await User.of(app)
  const [blue, red] = [disks.disk('5A2B-11C0', 'Blue'), disks.disk('77-ED', 'Red é')]
  const point = disks.plug(blue)
  await user.addJob({ name: 'photos', sources: [folder.path('photos')], destination: { type: 'folder', path: join(point, 'Holdfast') }, password, schedule: 'Every hour' })
  await user.backUpNow()
  await user.click('Add a disk to take turns…')
  await user.sees('No other disk is plugged in. Plug one in, then look again.')
  const second = disks.plug(red)
  await user.click('Look again')
  await user.button('Use Red é').waitFor()
  await app.screenshot('disk-add')
  await user.willChoose({ confirm: true })
  await user.click('Use Red é')
  await user.sees('Disks that take turns')

  disks.unplug(point)
  // It has nothing yet: its first backup begins at once.
  await expect.poll(() => existsSync(join(red.content, 'Holdfast', 'config')), soon).toBe(true)
  await user.sees(join(second, 'Holdfast'))
  await user.sees('Not plugged in')
  await user.page.getByText('Last backup just now').nth(1).waitFor()
  await user.page.getByRole('button', { name: 'No longer use Blue' }).scrollIntoViewIfNeeded()
  await app.screenshot('disk-turns')
  expect(readdirSync(join(blue.content, 'Holdfast', 'snapshots')).length).toBeGreaterThan(0)
  expect(readdirSync(point)).toEqual([])
}, 120_000)
