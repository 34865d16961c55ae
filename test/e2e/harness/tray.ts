import dbus, { type MessageBus, type Variant } from '@particle/dbus-next'

/** One entry of the tray menu, submenus flattened. */
export interface TrayMenuEntry {
  readonly label: string
  readonly enabled: boolean
  readonly checked: boolean
  /** 0 for the menu itself, 1 for its submenus. */
  readonly depth: number
}

/** The app's icon in the tray, seen and used from the panel's side. */
export interface Tray {
  tooltip(): Promise<string>
  /** The biggest picture of the icon: rows of ARGB pixels, 4 bytes each. */
  icon(): Promise<{ readonly width: number; readonly height: number; readonly pixels: Uint8Array }>
  menu(): Promise<readonly TrayMenuEntry[]>
  /** Clicks the icon itself. */
  activate(): Promise<void>
  /** Clicks the menu entry with this label. @throws Error that lists the labels, where there is none. */
  click(label: string): Promise<void>
}

type MenuNode = readonly [id: number, properties: Readonly<Record<string, Variant>>, children: readonly Variant<MenuNode>[]]
type Pixmap = readonly [width: number, height: number, pixels: Uint8Array]

const itemInterface = 'org.kde.StatusNotifierItem'
const menuInterface = 'com.canonical.dbusmenu'

/** @param item as registered: a bus name, optionally followed by an object path */
export function openTray(bus: MessageBus, item: string): Tray {
  const slash = item.indexOf('/')
  const destination = slash > 0 ? item.slice(0, slash) : item
  const path = slash > 0 ? item.slice(slash) : '/StatusNotifierItem'

  const call = async (at: string, iface: string, member: string, signature = '', body: unknown[] = []): Promise<unknown[]> => {
    const reply = await bus.call(new dbus.Message({ destination, path: at, interface: iface, member, signature, body }))
    return (reply?.body ?? []) as unknown[]
  }
  const property = async (name: string): Promise<unknown> => {
    const [value] = await call(path, 'org.freedesktop.DBus.Properties', 'Get', 'ss', [itemInterface, name])
    return (value as Variant).value
  }
  const menuPath = async (): Promise<string> => String(await property('Menu'))
  const layout = async (): Promise<readonly (TrayMenuEntry & { readonly id: number })[]> => {
    const [, top] = await call(await menuPath(), menuInterface, 'GetLayout', 'iias', [0, -1, []])
    return flatten(top as MenuNode, -1).slice(1)
  }

  return {
    tooltip: async () => String(((await property('ToolTip')) as readonly unknown[])[2]),
    icon: async () => {
      const pixmaps = (await property('IconPixmap')) as readonly Pixmap[]
      const [width, height, pixels] = pixmaps.toSorted((a, b) => b[0] - a[0])[0] ?? [0, 0, new Uint8Array()]
      return { width, height, pixels }
    },
    menu: layout,
    activate: async () => void (await call(path, itemInterface, 'Activate', 'ii', [0, 0])),
    click: async (label) => {
      // Ids change whenever the app sets its menu anew, so the label is looked up each time.
      const entries = await layout()
      const entry = entries.find((one) => one.label === label)
      if (!entry) throw new Error(`The tray menu has no “${label}”, but ${entries.map((one) => one.label).join(', ')}.`)
      if (!entry.enabled) throw new Error(`“${label}” is disabled in the tray menu.`)
      await call(await menuPath(), menuInterface, 'Event', 'isvu', [entry.id, 'clicked', new dbus.Variant('s', ''), 0])
    },
  }
}

function flatten([id, properties, children]: MenuNode, depth: number): (TrayMenuEntry & { readonly id: number })[] {
  const value = (name: string): unknown => properties[name]?.value
  // dbusmenu marks mnemonics by an underscore and doubles a real one.
  const text = value('label')
  const label = typeof text === 'string' ? text.replace(/_(.)/g, '$1') : ''
  const entry = { id, label, enabled: value('enabled') !== false, checked: value('toggle-state') === 1, depth }
  return [entry, ...children.flatMap((child) => flatten(child.value, depth + 1))]
}

/** Body colours of main/tray/icon.ts. */
const colours = { '168a6c': 'idle', '2470d6': 'working', '6c7582': 'paused', 'f0a91a': 'warning', d03030: 'error' } as const

/** What the icon says, told by its most frequent opaque colour. */
export async function iconOf(tray: Tray): Promise<(typeof colours)[keyof typeof colours] | undefined> {
  const { pixels } = await tray.icon()
  const counts = new Map<string, number>()
  for (let at = 0; at < pixels.length; at += 4) {
    if (pixels[at] !== 255) continue
    const colour = Buffer.from(pixels.subarray(at + 1, at + 4)).toString('hex')
    counts.set(colour, (counts.get(colour) ?? 0) + 1)
  }
  const [most] = [...counts].sort(([, a], [, b]) => b - a)
  return Object.entries(colours).find(([colour]) => colour === most?.[0])?.[1]
}
