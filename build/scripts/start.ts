import { spawn } from 'node:child_process'
import { globSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { root } from './root.ts'
import { setUpForApp } from './setup.ts'

const headless = `There is no screen here (neither DISPLAY nor WAYLAND_DISPLAY is set), so no window can open.
The command line does the same work without one:

  npm run -s cli -- --help
  npm run -s cli -- init --repo /mnt/disk/backup
  npm run -s cli -- backup ~/Documents --job documents --repo /mnt/disk/backup
`

/** Sets up what is missing, builds what is stale, and runs the app until it quits. Resolves with its exit code. */
async function start(words: readonly string[]): Promise<number> {
  if (process.platform === 'linux' && !process.env['DISPLAY'] && !process.env['WAYLAND_DISPLAY']) {
    console.error(headless)
    return 1
  }
  const runtime = await setUpForApp()
  if (isStale()) await import('./build.ts')
  // Chromium refuses to sandbox itself for root.
  const sandbox = process.getuid?.() === 0 ? ['--no-sandbox'] : []
  const env = { ...process.env, HOLDFAST_NODE: process.execPath }
  const child = spawn(runtime.executable, [...sandbox, root, ...words], { stdio: 'inherit', env })
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => child.kill(signal))
  return new Promise((resolve) => {
    child.on('error', (error) => {
      console.error(`Electron did not start: ${error.message}`)
      resolve(1)
    })
    child.on('exit', (code, signal) => resolve(code ?? (signal === 'SIGINT' || signal === 'SIGTERM' ? 0 : 1)))
  })
}

/** Whether a source file is younger than the built app, or nothing is built. */
function isStale(): boolean {
  const built = ['dist/main/main.cjs', 'dist/main/preload.cjs', 'dist/renderer/index.html', 'dist/engine/engine.js']
  const oldest = Math.min(...built.map((file) => changedAt(file) ?? 0))
  const sources = globSync(['{main,renderer,engine}/**/*.*', 'build/{vite,icons}/**/*.*', 'package.json'], { cwd: root })
  return sources.some((file) => (changedAt(file) ?? 0) > oldest)
}

/** Modification time in ms, or undefined where there is no such file. */
function changedAt(file: string): number | undefined {
  return statSync(join(root, file), { throwIfNoEntry: false })?.mtimeMs
}

process.exitCode = await start(process.argv.slice(2)).catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error)
  return 1
})
