import { existsSync } from 'node:fs'
import { mkdir, rm } from 'node:fs/promises'
import { homedir } from 'node:os'
import { dirname, join } from 'node:path'
import writeFileAtomic from 'write-file-atomic'
import { desktopEntry } from './desktop-entry.ts'
import { ownFile } from './private-folder.ts'

/** Start on login. Setting it to what it is changes nothing. */
export interface LoginItem {
  readonly supported: boolean
  isOn(): boolean
  set(on: boolean): Promise<void>
}

interface AutostartOptions {
  /** `$XDG_CONFIG_HOME` or `~/.config`. */
  readonly configFolder: string
  /** The program and its arguments. */
  readonly command: readonly string[]
}

/** Linux: a file of the XDG autostart folder. */
export function autostartFile({ configFolder, command }: AutostartOptions): LoginItem {
  const path = join(configFolder, 'autostart', 'holdfast.desktop')
  return {
    supported: true,
    isOn: () => existsSync(path),
    async set(on) {
      if (!on) return rm(path, { force: true })
      await mkdir(dirname(path), { recursive: true, mode: 0o700 })
      await writeFileAtomic(path, desktopEntry({ name: 'Holdfast', comment: 'Backup', icon: 'holdfast', command }), ownFile())
    },
  }
}

/** The slice of Electron's app that is used here. */
interface LoginItemPort {
  readonly isPackaged: boolean
  getAppPath(): string
  getLoginItemSettings(): { readonly openAtLogin: boolean }
  setLoginItemSettings(settings: { openAtLogin: boolean; args: string[] }): void
}

/** macOS and Windows. */
function systemLoginItem(app: LoginItemPort, hidden: string): LoginItem {
  return {
    supported: true,
    isOn: () => app.getLoginItemSettings().openAtLogin,
    set: async (on) => { app.setLoginItemSettings({ openAtLogin: on, args: [hidden] }) },
  }
}

/** The way of this platform. @param hidden the argument that starts the app without its window. */
export function openLoginItem(app: LoginItemPort, environment: Readonly<Record<string, string | undefined>>, hidden: string): LoginItem {
  if (process.platform !== 'linux') return systemLoginItem(app, hidden)
  // An AppImage runs from a mount that is gone after the session; the file itself is what stays.
  const program = environment['APPIMAGE'] ?? process.execPath
  const command = app.isPackaged ? [program, hidden] : [program, app.getAppPath(), hidden]
  return autostartFile({ configFolder: environment['XDG_CONFIG_HOME'] || join(homedir(), '.config'), command })
}
