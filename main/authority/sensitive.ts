import { existsSync, realpathSync } from 'node:fs'
import { dirname, join, relative, sep } from 'node:path'
import type { JobConfig } from '../api/contract.ts'

/** Why a folder is not restored into without asking. */
export type Sensitivity = 'home' | 'settings' | 'system' | 'own' | 'originals'

export interface SensitiveFacts {
  readonly home: string
  /** Folders of Holdfast itself: its state, its program. */
  readonly own: readonly string[]
  readonly platform: NodeJS.Platform
  /** All jobs: where their sources came from is where the originals are. */
  readonly jobs: readonly { readonly config: Pick<JobConfig, 'sources'> }[]
}

/** What makes a folder somebody's home, whose start files run at login. */
const marksOfHome = ['.config', '.profile', '.bashrc', '.bash_profile', '.zshrc', '.ssh', 'NTUSER.DAT'] as const

const systemFolders: Readonly<Partial<Record<NodeJS.Platform, readonly string[]>>> = {
  linux: ['/bin', '/boot', '/dev', '/etc', '/lib', '/lib32', '/lib64', '/opt', '/proc', '/root', '/run/systemd', '/sbin', '/sys', '/usr', '/var/lib', '/var/spool'],
  darwin: ['/Applications', '/Library', '/System', '/bin', '/etc', '/private/etc', '/private/var/at', '/sbin', '/usr'],
  win32: ['C:\\Windows', 'C:\\Program Files', 'C:\\Program Files (x86)', 'C:\\ProgramData'],
}

/** Folders below a home that configure what runs there, though no dot hides them; and those that start programs wherever they are. */
const settingsBelowHome = ['library', 'appdata']
const startFolders = ['autostart', 'launchagents', 'launchdaemons', 'startup']

/**
 * What is special about a folder as the target of a restore: it starts programs at login, configures them, belongs to the
 * system or to Holdfast, or holds the originals. Undefined for a plain one. Looks at where links lead.
 */
export function sensitivityOf(target: string, { home, own, platform, jobs }: SensitiveFacts): Sensitivity | undefined {
  const path = real(target)
  const realHome = real(home)
  if (isWithin(realHome, path) || marksOfHome.some((name) => existsSync(join(path, name)))) return 'home'
  if (own.map(real).some((one) => isWithin(path, one) || isWithin(one, path))) return 'own'
  const isOwnHome = isWithin(path, realHome)
  if (isSettings(path) || (isOwnHome && settingsBelowHome.includes(partsOf(relative(realHome, path))[0] ?? ''))) return 'settings'
  if (!isOwnHome && (systemFolders[platform] ?? []).some((folder) => isWithin(path, folder))) return 'system'
  return jobs.some(({ config }) => config.sources.some((source) => dirname(real(source)) === path)) ? 'originals' : undefined
}

/** What a leading dot hides is configuration by custom, and so is what starts programs. */
function isSettings(path: string): boolean {
  return partsOf(path).some((part) => part.startsWith('.') || startFolders.includes(part))
}

/** In small letters, as some systems take no notice of case. */
function partsOf(path: string): readonly string[] {
  return path.split(sep).map((part) => part.toLowerCase())
}

function isWithin(path: string, folder: string): boolean {
  return path === folder || path.startsWith(folder.endsWith(sep) ? folder : folder + sep)
}

/** Where a path leads; what is not there yet leads where it says. */
function real(path: string): string {
  try {
    return realpathSync(path)
  } catch {
    return path
  }
}
