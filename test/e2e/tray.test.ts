import { once } from 'node:events'
import { expect, test } from 'vitest'
import { launchApp } from './harness/app.ts'
import { randomFile } from './harness/data.ts'
import { openFakeDesktop } from './harness/desktop.ts'
import { freshFolder } from './harness/folder.ts'
import { openStorage } from './harness/storage.ts'
import { iconOf, type Tray } from './harness/tray.ts'
import { User } from './harness/user.ts'

const job = { name: 'cloud', password: 'tulip gravel omen lamp' }
const labels = async (tray: Tray): Promise<string[]> => (await tray.menu()).map((entry) => entry.label)

test('the tray shows what happens, backs up, pauses and opens the window; a window that is closed leaves the app running', async () => {
  using folder = freshFolder()
  randomFile(`${folder.made('tree')}/one.bin`, 2_000_000)
  await using storage = await openStorage()
  await using desktop = await openFakeDesktop()
  await using app = await launchApp({ environment: desktop.environment })
  const tray = await desktop.nextTray()
  const user = await User.of(app)
  expect(await labels(tray)).toContain('No backups yet')
  expect(await iconOf(tray)).toBe('idle')
  await user.addJob({ ...job, sources: [folder.path('tree')], destination: storage.destination })
  await expect.poll(() => labels(tray)).toContain('cloud: never backed up')
  await user.page.close()

  storage.holdPacks()
  await tray.click('Back up now')
  await expect.poll(() => iconOf(tray)).toBe('working')
  await expect.poll(() => tray.tooltip()).toBe('Holdfast: backing up cloud')
  await expect.poll(() => storage.held).toBeGreaterThan(0)
  await tray.click('Until I resume')
  await expect.poll(() => labels(tray)).toContain('cloud: paused')
  expect(await labels(tray)).toContain('Paused')
  await expect.poll(() => iconOf(tray)).toBe('paused')
  await tray.click('Resume')
  await expect.poll(() => labels(tray)).toContain('cloud: backing up')
  storage.release()
  await expect.poll(() => labels(tray)).toContain('cloud: backed up just now')
  expect(await iconOf(tray)).toBe('idle')

  const opened = app.electron.waitForEvent('window')
  await tray.click('Show')
  await (await opened).getByRole('heading', { name: 'cloud', level: 1 }).waitFor()
  await (await opened).close()
  const again = app.electron.waitForEvent('window')
  await tray.activate()
  await (await again).getByRole('heading', { name: 'Backups', level: 1 }).waitFor()
})

test('quit ends a running backup and exits with 0; the next start goes on with it', async () => {
  using folder = freshFolder()
  randomFile(`${folder.made('tree')}/one.bin`, 2_000_000)
  await using storage = await openStorage()
  await using desktop = await openFakeDesktop()
  const options = { environment: desktop.environment, home: folder.made('home') }
  {
    await using app = await launchApp(options)
    const tray = await desktop.nextTray()
    const user = await User.of(app)
    await user.addJob({ ...job, sources: [folder.path('tree')], destination: storage.destination })
    storage.holdPacks()
    await user.click('Back up now')
    await expect.poll(() => storage.held).toBeGreaterThan(0)
    const exited = once(app.electron.process(), 'exit')
    await tray.click('Quit')
    expect(await exited).toEqual([0, null])
  }
  storage.release()
  await using _app = await launchApp({ ...options, arguments: ['--hidden'] })
  const tray = await desktop.nextTray()
  await expect.poll(() => labels(tray)).toContain('cloud: backed up just now')
})
