import { BrowserWindow, screen } from 'electron'
import type { WebContents } from 'electron'
import { pushName } from '../api/contract.ts'
import type { Pushes, PushChannel } from '../api/contract.ts'
import type { WindowBounds } from '../settings/settings.ts'
import { appOrigin } from '../system/app-protocol.ts'
import { language } from '../text/language.ts'
import { minimumSize, openingBounds } from './bounds.ts'

export interface WindowPorts {
  readonly preload: string
  /** False: nothing opens the developer tools, whatever is pressed. */
  readonly devTools: boolean
  /** Colour behind the page until it has painted. */
  readonly background: () => string
  readonly remembered: () => WindowBounds | undefined
  readonly remember: (bounds: WindowBounds) => void
  /** The page that was there is gone, or about to be: reloaded, broken off, closed. */
  readonly onLeft: () => void
  /** The page is there and hears pushes. */
  readonly onLoaded: () => void
  /** The page's process died and was loaded anew. */
  readonly onCrash: (reason: string) => void
}

/** The one window: made when it is first wanted, destroyed when it is closed; the app lives on in the tray. */
export class AppWindow {
  readonly #ports: WindowPorts
  #window: BrowserWindow | undefined
  #loaded = false

  constructor(ports: WindowPorts) {
    this.#ports = ports
  }

  /** Opens the window, or brings it to the front. */
  show(): void {
    const window = this.#window ?? this.#open()
    if (window.isMinimized()) window.restore()
    if (this.#loaded) {
      window.show()
      window.focus()
    }
  }

  get isLoaded(): boolean {
    return this.#loaded
  }

  /** For dialogs, which belong to the window while there is one. */
  get browserWindow(): BrowserWindow | undefined {
    return this.#window
  }

  /** Whether a message comes from the main frame of our own page. */
  isOurs(frame: { readonly url: string; readonly parent: unknown } | null, sender: WebContents): boolean {
    return frame !== null && frame.parent === null && sender === this.#window?.webContents && frame.url.startsWith(`${appOrigin}/`)
  }

  /** Without effect while there is no page. */
  push<P extends PushChannel>(channel: P, value: Pushes[P]): void {
    if (this.#loaded && this.#window && !this.#window.isDestroyed()) this.#window.webContents.send(pushName(channel), value)
  }

  /** In the language that holds by now. Nothing happens where there is no window. */
  loadAnew(): void {
    if (!this.#window) return
    this.#loaded = false
    load(this.#window)
  }

  #open(): BrowserWindow {
    const bounds = openingBounds(this.#ports.remembered(), screen.getAllDisplays().map((one) => one.workArea))
    const window = new BrowserWindow({
      ...bounds,
      minWidth: minimumSize.width,
      minHeight: minimumSize.height,
      show: false,
      title: 'Holdfast',
      backgroundColor: this.#ports.background(),
      autoHideMenuBar: true,
      webPreferences: {
        preload: this.#ports.preload, devTools: this.#ports.devTools, sandbox: true, contextIsolation: true, nodeIntegration: false, webviewTag: false, spellcheck: false,
      },
    })
    this.#window = window
    window.setMenuBarVisibility(false)
    lockDown(window.webContents)
    this.#follow(window)
    load(window)
    return window
  }

  #follow(window: BrowserWindow): void {
    window.once('ready-to-show', () => { window.show() })
    window.webContents.on('did-start-loading', () => { this.#ports.onLeft() })
    window.webContents.on('did-finish-load', () => {
      this.#loaded = true
      this.#ports.onLoaded()
    })
    window.webContents.on('render-process-gone', (_event, { reason }) => {
      this.#loaded = false
      this.#ports.onLeft()
      this.#ports.onCrash(reason)
      if (reason !== 'clean-exit' && !window.isDestroyed()) window.webContents.reload()
    })
    window.on('close', () => { this.#ports.remember(window.getNormalBounds()) })
    window.on('closed', () => {
      this.#ports.onLeft()
      this.#window = undefined
      this.#loaded = false
    })
  }
}

/** The page makes its texts while it is loaded, so it is told their language by its address. */
function load(window: BrowserWindow): void {
  void window.loadURL(`${appOrigin}/?language=${language()}`).catch(() => undefined)
}

/** A page that shows our own files has no reason to go anywhere, to open anything, or to be given anything. */
export function lockDown(contents: WebContents): void {
  contents.on('will-navigate', (event) => { event.preventDefault() })
  contents.on('will-attach-webview', (event) => { event.preventDefault() })
  contents.setWindowOpenHandler(() => ({ action: 'deny' }))
  contents.session.setPermissionRequestHandler((_contents, _permission, answer) => { answer(false) })
  contents.session.setPermissionCheckHandler(() => false)
  // A page can make up a file and offer it as a download, with a name of its own.
  if (contents.session.listenerCount('will-download') === 0) contents.session.on('will-download', (event) => { event.preventDefault() })
  // The policy of the page does not rule what looks up names or opens peer connections. All of it goes to a proxy that is not there.
  void contents.session.setProxy({ mode: 'fixed_servers', proxyRules: 'http://127.0.0.1:9', proxyBypassRules: '<-loopback>' })
  contents.setWebRTCIPHandlingPolicy('disable_non_proxied_udp')
}
