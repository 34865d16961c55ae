import { spawnSync } from 'node:child_process'
import { findRuntime } from '../runtime/runtime.ts'

/**
 * `desktop.ts PROGRAM [WORDS]` runs a program with a session bus and a screen of its own, both gone afterwards, and with
 * the Electron runtime named in ELECTRON_OVERRIDE_DIST_PATH. Its exit code is the program's.
 */
async function runOnDesktop(words: readonly string[]): Promise<number> {
  const runtime = await findRuntime()
  // A real desktop's settings must not reach a test: the tray of some desktops takes icons by file, not by pixels.
  const { XDG_CURRENT_DESKTOP: _desktop, WAYLAND_DISPLAY: _wayland, DBUS_SESSION_BUS_ADDRESS: _bus, ...env } = process.env
  const screen = ['xvfb-run', '-a', '-s', '-screen 0 1440x960x24']
  const { status } = spawnSync('dbus-run-session', ['--', ...screen, ...words], {
    stdio: 'inherit',
    env: { ...env, ELECTRON_OVERRIDE_DIST_PATH: runtime.dist, XDG_SESSION_TYPE: 'x11' },
  })
  return status ?? 1
}

process.exitCode = await runOnDesktop(process.argv.slice(2))
