import { renameSync, writeFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { launchApp } from './harness/app.ts'
import { randomFile } from './harness/data.ts'
import { openFakeDesktop } from './harness/desktop.ts'
import { enginesOf } from './harness/engines.ts'
import { freshFolder } from './harness/folder.ts'
import { openStorage } from './harness/storage.ts'
import { iconOf } from './harness/tray.ts'
import { User } from './harness/user.ts'

const password = 'tulip gravel omen lamp'

test('a run can be paused, resumed, and stopped in both ways; the next one continues', async () => {
  using folder = freshFolder()
  randomFile(`${folder.made('tree')}/one.bin`, 2_000_000)
  await using storage = await openStorage()
  await using desktop = await openFakeDesktop()
  await using app = await launchApp({ environment: desktop.environment })
  const user = await User.of(app)
  await user.addJob({ name: 'cloud', sources: [folder.path('tree')], destination: storage.destination, password })
  const heldUp = async (): Promise<void> => {
    storage.release()
    storage.holdPacks()
    await user.click('Back up now')
    await expect.poll(() => storage.held).toBeGreaterThan(0)
  }
  await heldUp()
  await user.click('Pause')
  await user.page.getByRole('main').getByRole('heading', { name: 'Paused' }).waitFor()
  await user.click('Resume')
  await user.button('Pause').waitFor()

  await user.click('Stop')
  await user.click('Stop at once')
  await user.page.getByRole('heading', { name: 'Stopped' }).waitFor()
  await expect.poll(() => enginesOf(app)).toEqual([])

  await heldUp()
  await user.click('Stop')
  await user.click('Finish current transfers, then stop')
  await user.page.getByRole('main').getByRole('heading', { name: 'Stopping' }).waitFor()
  storage.release()
  await user.page.getByRole('heading', { name: 'Stopped' }).waitFor()
  const arrived = await storage.packs()
  expect(arrived).not.toEqual([])

  expect(await user.backUpNow()).toBe('Backed up')
  const sum = (sizes: readonly number[]): number => sizes.reduce((all, size) => all + size, 0)
  expect(sum(await storage.packs())).toBeLessThan(2_200_000)
})

test('what is left out is told by icon, notification and history; a failure says what to do', async () => {
  using folder = freshFolder()
  writeFileSync(`${folder.made('tree')}/plain.txt`, 'plain')
  writeFileSync(`${folder.made('stick')}/photo.jpg`, 'photo')
  await using desktop = await openFakeDesktop()
  await using app = await launchApp({ environment: desktop.environment })
  const tray = await desktop.nextTray()
  const user = await User.of(app)
  const destination = { type: 'folder' as const, path: folder.made('backup') }
  await user.addJob({ name: 'documents', sources: [folder.path('tree'), folder.path('stick')], destination, password })
  renameSync(folder.path('stick'), folder.path('unplugged'))
  expect(await user.backUpNow()).toBe('Backed up, 1 warning')
  await user.click(/^Show details of the run of/)
  await user.sees('This folder is not there')
  await user.page.getByRole('region', { name: 'Warnings' }).getByText('stick').first().waitFor()
  expect(await iconOf(tray)).toBe('warning')
  const warned = await desktop.nextNotification('documents: backed up with 1 warning')
  await user.goTo('Settings')
  desktop.click(warned)
  await user.page.getByRole('heading', { name: 'documents', level: 1 }).waitFor()
  await user.sees('This folder is not there')

  await user.addJob({ name: 'other', sources: [folder.path('tree')], destination, password: 'not the same words' })
  expect(await user.backUpNow()).toBe('Failed')
  await user.sees('The password does not open this repository')
  await user.sees('The password of a job can be entered anew under “Edit job”.')
  expect(await iconOf(tray)).toBe('error')
  const failed = await desktop.nextNotification('other: backup failed')
  expect(failed.body).toBe('The password does not open the repository.')
  await user.page.close()
  const opened = app.electron.waitForEvent('window')
  desktop.click(failed)
  await (await opened).getByRole('heading', { name: 'other', level: 1 }).waitFor()
})

test('a destination that is away: the run fails with advice, and works again when it is back', async () => {
  using folder = freshFolder()
  writeFileSync(`${folder.made('tree')}/plain.txt`, 'plain')
  await using desktop = await openFakeDesktop()
  await using app = await launchApp({ environment: desktop.environment })
  const user = await User.of(app)
  await user.addJob({ name: 'disk', sources: [folder.path('tree')], destination: { type: 'folder', path: folder.made('disk') }, password })
  expect(await user.backUpNow()).toBe('Backed up')
  renameSync(folder.path('disk'), folder.path('unplugged'))
  expect(await user.backUpNow()).toBe('Failed')
  await user.sees('The folder of the backup is not there')
  await user.sees('Plug in its disk, or connect its network drive.')
  expect((await desktop.nextNotification('disk: backup failed')).body).toContain('The disk of the backup is not there.')
  renameSync(folder.path('unplugged'), folder.path('disk'))
  expect(await user.backUpNow()).toBe('Nothing had changed')
})
