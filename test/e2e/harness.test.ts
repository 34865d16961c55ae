import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { launchApp } from './harness/app.ts'
import { openFakeDesktop } from './harness/desktop.ts'

const folder = fileURLToPath(new URL('fixtures/tray-app', import.meta.url))

test('the fake desktop shows an app’s tray icon, clicks its menu, and shows and clicks its notification', async () => {
  await using desktop = await openFakeDesktop()
  await using app = await launchApp({ folder, environment: desktop.environment })
  const tray = await desktop.nextTray()
  expect(await tray.tooltip()).toBe('fixture')
  expect([...(await tray.icon()).pixels.subarray(0, 4)]).toEqual([0xff, 0x33, 0x66, 0xcc])
  expect(await tray.menu()).toMatchObject([
    { label: 'Notify', enabled: true, checked: false },
    { label: 'Marked', checked: true },
    { label: 'Off', enabled: false },
    { label: 'Quit' },
  ])
  await expect(tray.click('Off')).rejects.toThrow('disabled')

  await tray.click('Notify')
  const notification = await desktop.nextNotification('Done')
  expect(notification.body).toBe('with everything')
  desktop.click(notification)
  expect(await (await app.window()).title()).toBe('clicked')
  expect(await app.electron.evaluate(({ app: it }) => it.getVersion())).toBe('1.2.3')

  const exited = new Promise((resolve) => app.electron.process().once('exit', resolve))
  await tray.click('Quit')
  expect(await exited).toBe(0)
})

test('the fake desktop puts an app to sleep and wakes it', async () => {
  await using desktop = await openFakeDesktop()
  await using _app = await launchApp({ folder, environment: desktop.environment })
  const tray = await desktop.nextTray()
  await desktop.sleep()
  await expect.poll(() => tray.tooltip()).toBe('asleep')
  await desktop.wake()
  await expect.poll(() => tray.tooltip()).toBe('awake')
})
