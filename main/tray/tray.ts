import { Menu, nativeImage, Tray } from 'electron'
import type { MenuItemConstructorOptions, NativeImage } from 'electron'
import { iconPng } from './icon.ts'
import type { TrayAction, TrayIcon, TrayItem, TrayState } from './state.ts'

const sizePx = 22

/** Shows a TrayState. `render` may be called as often as one likes: only what differs reaches the desktop. */
export class TrayShell {
  readonly #tray: Tray
  readonly #onAction: (action: TrayAction) => void
  readonly #images = new Map<TrayIcon, NativeImage>()
  #icon: TrayIcon
  #tooltip = ''
  #menu = ''

  constructor(first: TrayState, onAction: (action: TrayAction) => void) {
    this.#onAction = onAction
    this.#icon = first.icon
    this.#tray = new Tray(this.#image(first.icon))
    this.#tray.on('click', () => { onAction({ type: 'open' }) })
    this.render(first)
  }

  render({ icon, tooltip, menu }: TrayState): void {
    if (icon !== this.#icon) this.#tray.setImage(this.#image(icon))
    if (tooltip !== this.#tooltip) this.#tray.setToolTip(tooltip)
    const described = JSON.stringify(menu)
    if (described !== this.#menu) this.#tray.setContextMenu(Menu.buildFromTemplate(menu.map((item) => this.#item(item))))
    this.#icon = icon
    this.#tooltip = tooltip
    this.#menu = described
  }

  destroy(): void {
    this.#tray.destroy()
  }

  #item({ label, enabled, action, items }: TrayItem): MenuItemConstructorOptions {
    if (label === '') return { type: 'separator' }
    const shown = { label: label.replaceAll('&', '&&'), enabled }
    if (items) return { ...shown, submenu: items.map((item) => this.#item(item)) }
    return { ...shown, ...(action && { click: () => { this.#onAction(action) } }) }
  }

  #image(icon: TrayIcon): NativeImage {
    const known = this.#images.get(icon)
    if (known) return known
    const image = nativeImage.createEmpty()
    for (const scaleFactor of [1, 2]) image.addRepresentation({ scaleFactor, buffer: iconPng(icon, sizePx * scaleFactor) })
    this.#images.set(icon, image)
    return image
  }
}
