import { expect, test } from 'vitest'
import { launchApp } from './harness/app.ts'
import { openFakeDesktop } from './harness/desktop.ts'

test('the app starts with a tray icon and its window, and quits from the tray', async () => {
  await using desktop = await openFakeDesktop()
  await using app = await launchApp({ environment: desktop.environment })
  const tray = await desktop.nextTray()
  expect(await tray.tooltip()).toContain('Holdfast')
  expect((await tray.icon()).pixels.some((byte) => byte > 0)).toBe(true)

  const page = await app.window()
  await page.waitForSelector('main, [role="main"], h1')
  expect(await page.title()).toContain('Holdfast')
  expect(await page.evaluate(() => 'process' in globalThis || 'require' in globalThis)).toBe(false)
  await app.screenshot('first-start')

  const exited = new Promise((resolve) => app.electron.process().once('exit', resolve))
  await tray.click('Quit')
  expect(await exited).toBe(0)
})
