import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { extname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { _electron, type Page } from 'playwright-core'
import { build, mergeConfig } from 'vite'
import { findRuntime } from '../../../build/runtime/runtime.ts'
import { rendererConfig } from '../../../build/vite/renderer.config.ts'
import type { Scenario } from '../fake-api.ts'
import { pseudoTexts, type Pseudo } from './pseudo.ts'

/** The real window in the real runtime, over a main process that only answers (fake-api.ts). */
export interface TestWindow extends AsyncDisposable {
  readonly page: Page
  /** Loads the window anew in a scenario. */
  open(scenario: Scenario, language?: 'en' | 'de'): Promise<void>
  /** What the content security policy refused and what the page threw since `open`. */
  readonly complaints: readonly string[]
}

const root = fileURLToPath(new URL('../../..', import.meta.url))
const here = fileURLToPath(new URL('.', import.meta.url))
const policy =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
const types: Readonly<Record<string, string>> = { '.html': 'text/html', '.js': 'text/javascript', '.css': 'text/css' }

/** @param pseudo made of English, in place of the languages that there are */
export async function openTestWindow(pseudo?: Pseudo): Promise<TestWindow> {
  await using started = new AsyncDisposableStack()
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-window-'))
  started.defer(() => rm(folder, { recursive: true, force: true }))
  const plugins = pseudo ? [await pseudoTexts(pseudo, join(folder, 'texts'))] : []
  await build(mergeConfig(rendererConfig(root), { root: here, plugins, build: { outDir: folder, sourcemap: false } }))
  const address = await serve(folder, started)
  const display = process.env['DISPLAY'] ?? (await startDisplay(started))
  const electron = await _electron.launch({
    executablePath: (await findRuntime()).executable,
    args: ['--no-sandbox', '--disable-gpu', join(here, 'electron.cjs'), `--user-data-dir=${join(folder, 'user')}`],
    env: { ...process.env, DISPLAY: display },
  })
  started.defer(() => electron.close())
  const page = await electron.firstWindow()
  const complaints: string[] = []
  page.on('pageerror', (error) => complaints.push(String(error)))
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') complaints.push(message.text())
  })
  const owned = started.move()
  return {
    page,
    complaints,
    async open(scenario, language = 'en') {
      complaints.length = 0
      await page.goto(`${address}/index.html?scenario=${scenario}&language=${language}&direction=${pseudo === 'rtl' ? 'rtl' : ''}`)
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}

async function serve(folder: string, started: AsyncDisposableStack): Promise<string> {
  const server = createServer((request, response) => {
    const path = new URL(request.url ?? '/', 'http://local').pathname
    readFile(join(folder, path)).then(
      (bytes) => response.setHeader('Content-Security-Policy', policy).setHeader('Content-Type', types[extname(path)] ?? 'text/plain').end(bytes),
      () => response.writeHead(404).end()
    )
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  started.defer(() => void server.close())
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

/** A display of its own; Xvfb says on descriptor 3 which number it took. */
async function startDisplay(started: AsyncDisposableStack): Promise<string> {
  const server = spawn('Xvfb', ['-displayfd', '3', '-screen', '0', '1600x1000x24', '-nolisten', 'tcp'], { stdio: ['ignore', 'ignore', 'ignore', 'pipe'] })
  started.defer(async () => {
    server.kill()
    if (server.exitCode === null && server.signalCode === null) await once(server, 'exit')
  })
  const [number] = (await once(server.stdio[3] as NodeJS.ReadableStream, 'data')) as [Buffer]
  return `:${number.toString().trim()}`
}
