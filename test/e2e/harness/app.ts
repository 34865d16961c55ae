import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { createWriteStream } from 'node:fs'
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { execPath } from 'node:process'
import { fileURLToPath } from 'node:url'
import { _electron, type ElectronApplication, type Page } from 'playwright-core'
import { expect, vi } from 'vitest'
import { groupOf } from './engines.ts'

/** The app as a user has it, with settings, state and home of its own. */
export interface RunningApp extends AsyncDisposable {
  readonly electron: ElectronApplication
  /** Home of this app's user: settings and state are below it, and it is gone afterwards. */
  readonly home: string
  /** HOLDFAST_HOME: catalogs and logs. */
  readonly state: string
  /** The first window, once it is there. */
  window(): Promise<Page>
  /** Writes artifacts/screenshots/NAME.png. */
  screenshot(name: string): Promise<void>
  /** Starts the app once more, as the same user with the same settings. Resolves with the exit code of that second process. */
  startAgain(...words: readonly string[]): Promise<number | null>
  /** Ends the app as the window manager would, or by force when it does not follow within seconds. */
  stop(): Promise<void>
}

export interface LaunchOptions {
  /** Folder of the app; by default the project, as built in dist/. */
  readonly folder?: string
  /** A packaged app, in place of the runtime and a folder. */
  readonly executable?: string
  readonly arguments?: readonly string[]
  readonly environment?: Readonly<Record<string, string>>
  /** A home to go on with, from an app that ran before; it is then kept. */
  readonly home?: string
}

const root = fileURLToPath(new URL('../../..', import.meta.url))
const artifacts = join(root, 'artifacts')
const closeTimeoutMs = 3_000
/** Node prints it when the app has quit and only Playwright's debugger keeps the process. */
const quitMark = 'Waiting for the debugger to disconnect'

/** Starts the app in the real runtime, which `npm run e2e` names in ELECTRON_OVERRIDE_DIST_PATH. */
export async function launchApp(options: LaunchOptions = {}): Promise<RunningApp> {
  const home = options.home ?? (await mkdtemp(join(tmpdir(), 'holdfast-e2e-')))
  const state = join(home, 'state')
  const executablePath = options.executable ?? join(process.env['ELECTRON_OVERRIDE_DIST_PATH'] ?? '', 'electron')
  // Chromium refuses to sandbox itself for root.
  const words = [...(process.getuid?.() === 0 ? ['--no-sandbox'] : []), '--disable-gpu', ...(options.executable ? [] : [options.folder ?? root])]
  const env = environmentOf(home, state, options.environment ?? {})
  const electron = await _electron.launch({ executablePath, args: [...words, ...(options.arguments ?? [])], cwd: root, env })
  // Playwright forgets the process once the app has closed.
  const child = electron.process()
  const seconds: ChildProcess[] = []
  await mkdir(join(artifacts, 'screenshots'), { recursive: true })
  const log = createWriteStream(join(artifacts, 'app.log'), { flags: 'a' })
  child.stdout?.pipe(log, { end: false })
  child.stderr?.pipe(log, { end: false })
  const stop = async (): Promise<void> => {
    await stopApp(electron, child)
    await endHelpers(child)
  }
  return {
    electron,
    home,
    state,
    window: () => electron.firstWindow(),
    screenshot: async (name) => {
      const page = await electron.firstWindow()
      await page.screenshot({ path: join(artifacts, 'screenshots', `${name}.png`), animations: 'disabled' })
    },
    startAgain: async (...more) => {
      const second = spawn(executablePath, [...words, ...more], { cwd: root, env, stdio: 'ignore' })
      seconds.push(second)
      const [code] = (await once(second, 'exit')) as [number | null]
      return code
    },
    stop,
    [Symbol.asyncDispose]: async () => {
      await keepLastPicture(electron)
      for (const second of seconds) second.kill('SIGKILL')
      await stop()
      log.end()
      if (!options.home) await rm(home, { recursive: true, force: true })
    },
  }
}

/**
 * Starts an app that is to end by itself, or is killed as soon as it has said why it cannot start.
 * @returns what it wrote
 */
export async function startRefused(home: string, state: string, options: Pick<LaunchOptions, 'executable' | 'arguments'> = {}): Promise<string> {
  const executable = options.executable ?? join(process.env['ELECTRON_OVERRIDE_DIST_PATH'] ?? '', 'electron')
  const words = [...(process.getuid?.() === 0 ? ['--no-sandbox'] : []), '--disable-gpu', ...(options.executable ? [] : [root]), ...(options.arguments ?? [])]
  const child = spawn(executable, words, { cwd: root, env: environmentOf(home, state, {}), stdio: ['ignore', 'ignore', 'pipe'], detached: true })
  let said = ''
  for await (const part of child.stderr) {
    said += String(part)
    if (/cannot start: .*\n/.test(said)) break
  }
  // What it says is shown in a dialog too, which waits for somebody.
  await endHelpers(child)
  return said
}

/** What the window showed when its test ended: the first thing to look at where one failed. */
async function keepLastPicture(electron: ElectronApplication): Promise<void> {
  const name = (expect.getState().currentTestName ?? 'unnamed').replaceAll(/[^a-z0-9]+/gi, '-').slice(0, 80)
  const [page] = electron.windows()
  await page?.screenshot({ path: join(artifacts, 'last', `${name}.png`), timeout: closeTimeoutMs }).catch(() => undefined)
}

function environmentOf(home: string, state: string, more: Readonly<Record<string, string>>): Record<string, string> {
  const inherited = Object.entries(process.env).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]]))
  return {
    ...(Object.fromEntries(inherited) as Record<string, string>),
    HOME: home,
    // Whatever the machine of the tests speaks.
    LANGUAGE: 'en',
    XDG_CONFIG_HOME: join(home, '.config'),
    XDG_CACHE_HOME: join(home, '.cache'),
    XDG_DATA_HOME: join(home, '.local/share'),
    XDG_STATE_HOME: join(home, '.local/state'),
    HOLDFAST_HOME: state,
    HOLDFAST_NODE: execPath,
    // Nobody is there to answer: folders are none, questions get a no.
    HOLDFAST_TEST_DIALOG: '{}',
    ...more,
  }
}

/** Chromium's helpers outlive the app for a moment, and write in its home: a home is only removed, or used again, without them. */
async function endHelpers(child: ChildProcess): Promise<void> {
  const { pid } = child
  if (pid === undefined) return
  const left = (): readonly number[] => {
    const pids = groupOf(pid)
    // Their work is the app's alone, so there is nothing that they would have to finish.
    for (const helper of pids) endNow(helper)
    return pids
  }
  await vi.waitFor(() => { expect(left()).toEqual([]) }, { timeout: closeTimeoutMs, interval: 20 })
}

/** One that has just ended by itself is fine too. */
function endNow(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}

/** Electron outlives its parent and a lost bus, so it is ended by its process id when it does not close. */
async function stopApp(electron: ElectronApplication, child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const exited = new Promise((resolve) => child.once('exit', resolve))
  child.stderr?.on('data', (text: Buffer) => {
    if (text.includes(quitMark)) child.kill('SIGKILL')
  })
  const force = setTimeout(() => child.kill('SIGKILL'), closeTimeoutMs)
  // Its promise may stay open for ever once the process is killed.
  void electron.close().catch(() => undefined)
  await exited
  clearTimeout(force)
}
