import dbus from '@particle/dbus-next'
import type { Feed } from './feed.ts'

const { Interface } = dbus.interface

/** A notification as the app sent it. */
export interface ShownNotification {
  readonly id: number
  readonly app: string
  readonly summary: string
  readonly body: string
  /** Pairs of key and label. */
  readonly actions: readonly string[]
}

/** The panel's side of the tray: apps register their StatusNotifierItem here. */
export class Watcher extends Interface {
  /** Unique bus name of the caller; the bus hands it only to a message handler. */
  sender = ''
  readonly #items: string[] = []
  readonly #registered: Feed<string>

  constructor(registered: Feed<string>) {
    super('org.kde.StatusNotifierWatcher')
    this.#registered = registered
  }

  RegisterStatusNotifierItem(service: string): void {
    const item = service.startsWith('/') ? this.sender + service : service
    this.#items.push(item)
    this.#registered.push(item)
    this.StatusNotifierItemRegistered(item)
  }
  RegisterStatusNotifierHost(_service: string): void {
    // The host is this test; nobody else's registration matters.
  }
  get RegisteredStatusNotifierItems(): string[] {
    return this.#items
  }
  get IsStatusNotifierHostRegistered(): boolean {
    return true
  }
  get ProtocolVersion(): number {
    return 0
  }
  StatusNotifierItemRegistered(item: string): string {
    return item
  }
}
Watcher.configureMembers({
  methods: {
    RegisterStatusNotifierItem: { inSignature: 's', outSignature: '' },
    RegisterStatusNotifierHost: { inSignature: 's', outSignature: '' },
  },
  properties: {
    RegisteredStatusNotifierItems: { signature: 'as', access: 'read' },
    IsStatusNotifierHostRegistered: { signature: 'b', access: 'read' },
    ProtocolVersion: { signature: 'i', access: 'read' },
  },
  signals: { StatusNotifierItemRegistered: { signature: 's' } },
})

/** The notification service of the desktop. */
export class Notifications extends Interface {
  readonly #shown: Feed<ShownNotification>
  #last = 0

  constructor(shown: Feed<ShownNotification>) {
    super('org.freedesktop.Notifications')
    this.#shown = shown
  }

  Notify(app: string, replaces: number, _icon: string, summary: string, body: string, actions: string[]): number {
    const id = replaces || ++this.#last
    // The app learns the id by the reply, so a test must not act on it before.
    setImmediate(() => this.#shown.push({ id, app, summary, body, actions }))
    return id
  }
  CloseNotification(id: number): void {
    this.NotificationClosed(id, 3)
  }
  GetCapabilities(): string[] {
    return ['body', 'actions', 'body-markup', 'persistence']
  }
  GetServerInformation(): string[] {
    return ['fake desktop', 'holdfast', '1', '1.2']
  }
  ActionInvoked(id: number, key: string): unknown[] {
    return [id, key]
  }
  NotificationClosed(id: number, reason: number): unknown[] {
    return [id, reason]
  }
}
Notifications.configureMembers({
  methods: {
    Notify: { inSignature: 'susssasa{sv}i', outSignature: 'u' },
    CloseNotification: { inSignature: 'u', outSignature: '' },
    GetCapabilities: { inSignature: '', outSignature: 'as' },
    GetServerInformation: { inSignature: '', outSignature: 'ssss' },
  },
  signals: { ActionInvoked: { signature: 'us' }, NotificationClosed: { signature: 'uu' } },
})

/** The part of logind that Electron's powerMonitor listens to. */
export class Login extends Interface {
  readonly #listening = Promise.withResolvers<void>()

  constructor() {
    super('org.freedesktop.login1.Manager')
  }
  /** Settles once an app listens: Electron subscribes to the signals, then asks for an inhibitor. */
  get listening(): Promise<void> {
    return this.#listening.promise
  }
  Inhibit(): never {
    this.#listening.resolve()
    throw new dbus.DBusError('org.freedesktop.DBus.Error.NotSupported', 'no inhibitors here')
  }
  PrepareForSleep(starting: boolean): boolean {
    return starting
  }
  PrepareForShutdown(starting: boolean): boolean {
    return starting
  }
}
Login.configureMembers({
  methods: { Inhibit: { inSignature: 'ssss', outSignature: 'h' } },
  signals: { PrepareForSleep: { signature: 'b' }, PrepareForShutdown: { signature: 'b' } },
})

/** The part of NetworkManager that tells whether data costs, and what is connected. */
export class NetworkManager extends Interface {
  metered = 0
  active: string[] = []

  constructor() {
    super('org.freedesktop.NetworkManager')
  }
  get Metered(): number {
    return this.metered
  }
  get ActiveConnections(): string[] {
    return this.active
  }
}
NetworkManager.configureMembers({ properties: { Metered: { signature: 'u', access: 'read' }, ActiveConnections: { signature: 'ao', access: 'read' } } })

export class Connection extends Interface {
  readonly #name: string

  constructor(name: string) {
    super('org.freedesktop.NetworkManager.Connection.Active')
    this.#name = name
  }
  get Id(): string {
    return this.#name
  }
}
Connection.configureMembers({ properties: { Id: { signature: 's', access: 'read' } } })
