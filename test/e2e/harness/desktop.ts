import dbus from '@particle/dbus-next'
import { Feed } from './feed.ts'
import { Connection, Login, NetworkManager, Notifications, Watcher, type ShownNotification } from './services.ts'
import { openTray, type Tray } from './tray.ts'

/** A desktop's services on the session bus, played by the test. Open it before the app starts. */
export interface FakeDesktop extends AsyncDisposable {
  /** Environment that makes an app find its power events here. */
  readonly environment: Readonly<Record<string, string>>
  /** The icon that the next app registers, or has registered since the last call. */
  nextTray(): Promise<Tray>
  /** The next notification whose summary or body has this text. */
  nextNotification(text?: string): Promise<ShownNotification>
  /** Clicks a notification. */
  click(notification: ShownNotification): void
  /** Puts the machine to sleep, once an app listens for it. */
  sleep(): Promise<void>
  wake(): Promise<void>
  /** From now on the machine is connected to this network; before the first one, nothing is known of networks. */
  connect(name: string, metered: boolean): Promise<void>
}

/** @throws Error where there is no session bus: run it with `npm run e2e`. */
export async function openFakeDesktop(): Promise<FakeDesktop> {
  const address = process.env['DBUS_SESSION_BUS_ADDRESS']
  if (!address) throw new Error('No session bus. Run end-to-end tests with `npm run e2e`.')
  const bus = dbus.sessionBus()
  const items = new Feed<string>()
  const shown = new Feed<ShownNotification>()
  const watcher = new Watcher(items)
  const notifications = new Notifications(shown)
  const login = new Login()
  const network = new NetworkManager()
  let connections = 0
  bus.addMethodHandler((message: { member: string; sender: string }) => {
    if (message.member === 'RegisterStatusNotifierItem') watcher.sender = message.sender
    return false
  })
  bus.export('/StatusNotifierWatcher', watcher)
  bus.export('/org/freedesktop/Notifications', notifications)
  bus.export('/org/freedesktop/login1', login)
  for (const name of ['org.kde.StatusNotifierWatcher', 'org.freedesktop.Notifications', 'org.freedesktop.login1']) {
    await bus.requestName(name)
  }
  return {
    environment: { DBUS_SYSTEM_BUS_ADDRESS: address },
    nextTray: async () => openTray(bus, await items.next()),
    nextNotification: (text = '') => shown.next((one) => one.summary.includes(text) || one.body.includes(text)),
    click: (notification) => void notifications.ActionInvoked(notification.id, 'default'),
    sleep: () => login.listening.then(() => void login.PrepareForSleep(true)),
    wake: () => login.listening.then(() => void login.PrepareForSleep(false)),
    connect: async (name, metered) => {
      const path = `/org/freedesktop/NetworkManager/ActiveConnection/${++connections}`
      bus.export(path, new Connection(name))
      network.metered = metered ? 1 : 2
      network.active = [path]
      if (connections > 1) return
      bus.export('/org/freedesktop/NetworkManager', network)
      await bus.requestName('org.freedesktop.NetworkManager')
    },
    [Symbol.asyncDispose]: () => {
      bus.disconnect()
      return Promise.resolve()
    },
  }
}
