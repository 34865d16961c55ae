import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { launchApp } from './harness/app.ts'
import { openFakeDesktop } from './harness/desktop.ts'
import { memoryOf, processTree } from './harness/engines.ts'
import { freshFolder } from './harness/folder.ts'
import { User } from './harness/user.ts'

const mebibyte = 1 << 20

test('start on login: the setting writes and removes the autostart file', async () => {
  await using desktop = await openFakeDesktop()
  await using app = await launchApp({ environment: desktop.environment })
  const user = await User.of(app)
  const file = join(app.home, '.config/autostart/holdfast.desktop')
  await user.goTo('Settings')
  const setting = user.page.getByRole('switch', { name: 'Start when you log in' })
  expect(await setting.isChecked()).toBe(false)
  await setting.click()
  await expect.poll(() => readFileSync(join(app.state, 'logs/holdfast.jsonl'), 'utf8')).toContain('asked: Start Holdfast when you log in?')
  await expect.poll(() => setting.isChecked()).toBe(false)
  expect(existsSync(file)).toBe(false)
  await user.willChoose({ confirm: true })
  await setting.click()
  await expect.poll(() => setting.isChecked()).toBe(true)
  expect(readFileSync(file, 'utf8')).toMatch(/^Exec=.*electron.* --hidden$/m)
  await setting.click()
  await expect.poll(() => existsSync(file)).toBe(false)
})

test('a hidden start shows a tray icon and no window, soon and small; a second start shows the window of the first', async () => {
  await using desktop = await openFakeDesktop()
  const startedMs = performance.now()
  await using app = await launchApp({ environment: desktop.environment, arguments: ['--hidden'] })
  const tray = await desktop.nextTray()
  const toTrayMs = performance.now() - startedMs
  expect(await tray.tooltip()).toBe('Holdfast')
  const processes = processTree(app.electron.process().pid).map(({ pid, commandLine }) => ({ pid, type: commandLine.find((word) => word.startsWith('--type='))?.slice(7) ?? 'main', bytes: memoryOf(pid) }))
  const sum = processes.reduce((all, one) => all + one.bytes, 0)
  console.log(`start to tray ${toTrayMs.toFixed(0)} ms; hidden: ${(sum / mebibyte).toFixed(0)} MiB (${processes.map((one) => `${one.type} ${(one.bytes / mebibyte).toFixed(0)}`).join(', ')})`)
  expect(app.electron.windows()).toEqual([])

  expect(await app.startAgain('--hidden')).toBe(0)
  expect(app.electron.windows()).toEqual([])
  const opened = app.electron.waitForEvent('window')
  expect(await app.startAgain()).toBe(0)
  await (await opened).getByRole('heading', { name: 'Keep your files safe' }).waitFor()
})

test('a run that was missed while the machine slept is made up for ten minutes after the wake-up', async () => {
  using folder = freshFolder()
  writeFileSync(`${folder.made('tree')}/plain.txt`, 'plain')
  await using desktop = await openFakeDesktop()
  await using app = await launchApp({ environment: desktop.environment })
  const user = await User.of(app)
  await user.addJob({
    name: 'hourly', sources: [folder.path('tree')], destination: { type: 'folder', path: folder.made('backup') }, password: 'tulip gravel omen lamp', schedule: 'Every hour',
  })
  await user.sees(/^Next: /)
  // Chromium drops the debugger of its pages on the way to sleep, so the tray tells how it goes.
  await user.page.close()
  const tray = await desktop.nextTray()
  await desktop.sleep()
  // The clock goes on while a machine sleeps; timers do not.
  await app.electron.evaluate(() => {
    const { now } = Date
    Date.now = () => now() + 3 * 3_600_000
  })
  await desktop.wake()
  await expect.poll(async () => (await tray.menu()).map((entry) => entry.label)).toContain('hourly: makes up for a missed backup soon')
  // Awake, both clocks go on.
  await app.electron.evaluate(() => {
    const [now, uptime] = [Date.now, process.uptime.bind(process)]
    Date.now = () => now() + 11 * 60_000
    process.uptime = () => uptime() + 11 * 60
  })
  await expect.poll(async () => (await tray.menu()).map((entry) => entry.label), { timeout: 45_000 }).toContain('hourly: backed up just now')
  expect(readFileSync(join(app.state, 'logs/holdfast.jsonl'), 'utf8')).toContain('started (catch-up)')
})
