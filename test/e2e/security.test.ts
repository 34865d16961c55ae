import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { launchApp } from './harness/app.ts'
import { randomFile } from './harness/data.ts'
import { openFakeDesktop } from './harness/desktop.ts'
import { enginesOf, processesOf } from './harness/engines.ts'
import { freshFolder } from './harness/folder.ts'
import { openStorage } from './harness/storage.ts'
import { User } from './harness/user.ts'

test('the window cannot run what is not ours, go anywhere, open anything, or reach Node', async () => {
  await using app = await launchApp()
  const { page } = await User.of(app)
  const address = page.url()
  const found = await page.evaluate(async () => {
    const refused = new Promise((resolve) => document.addEventListener('securitypolicyviolation', (event) => resolve(event.violatedDirective), { once: true }))
    const script = document.createElement('script')
    script.textContent = 'globalThis.hacked = true'
    document.body.append(script)
    return {
      refused: 'hacked' in globalThis ? 'nothing' : await refused,
      hacked: 'hacked' in globalThis,
      opened: globalThis.open('https://example.com') !== null,
      fetched: await fetch('https://example.com').then(() => true, () => false),
      file: await fetch('file:///etc/passwd').then(() => true, () => false),
      outside: await fetch('app://holdfast/..%2f..%2fpackage.json').then((reply) => reply.ok, () => false),
      node: ['require', 'process', 'module', 'global', 'Buffer'].filter((name) => name in globalThis),
      camera: await navigator.mediaDevices?.getUserMedia({ video: true }).then(() => true, () => false),
    }
  })
  expect(found).toMatchObject({ refused: 'script-src-elem', hacked: false, opened: false, fetched: false, file: false, outside: false, node: [] })
  expect(found.camera ?? false).toBe(false)
  await page.evaluate(() => { location.href = 'https://example.com/' })
  expect(page.url()).toBe(address)
  expect(app.electron.windows()).toHaveLength(1)
  const preferences = await app.electron.evaluate(({ webContents }) =>
    webContents.getAllWebContents().map((contents) => (contents as unknown as { getLastWebPreferences(): object }).getLastWebPreferences()))
  expect(preferences).toMatchObject([{ sandbox: true, contextIsolation: true, nodeIntegration: false }])
})

test('main answers its own window only', async () => {
  await using app = await launchApp()
  await User.of(app)
  const opened = app.electron.waitForEvent('window')
  await app.electron.evaluate(({ app: it, BrowserWindow }) => {
    const stranger = new BrowserWindow({ show: false, webPreferences: { preload: `${it.getAppPath()}/dist/main/preload.cjs`, sandbox: true } })
    return stranger.loadURL('data:text/html,<h1>stranger</h1>')
  })
  const stranger = await opened
  const ask = (): Promise<unknown> => stranger.evaluate(() => (globalThis as unknown as { holdfast: { invoke(channel: string): Promise<unknown> } }).holdfast.invoke('state.get'))
  const answer = await ask().catch((error: unknown) => ({ ok: false, error: String(error) }))
  expect(answer).toMatchObject({ ok: false })
  expect(JSON.stringify(answer)).not.toContain('settings')
})

test('secrets are in no file as they are, in no log, and in no process', async () => {
  using folder = freshFolder()
  randomFile(`${folder.made('tree')}/one.bin`, 2_000_000)
  await using storage = await openStorage()
  await using desktop = await openFakeDesktop()
  await using app = await launchApp({ environment: { ...desktop.environment, HOLDFAST_LOG: 'debug' } })
  const user = await User.of(app)
  const password = 'canary tulip 51f0 gravel'
  const { secretAccessKey } = storage.destination
  await user.addJob({ name: 'cloud', sources: [folder.path('tree')], destination: storage.destination, password })
  storage.holdPacks()
  await user.click('Back up now')
  await expect.poll(() => storage.held).toBeGreaterThan(0)
  expect(enginesOf(app)).toHaveLength(1)
  const processes = JSON.stringify(processesOf(app))
  storage.release()
  await user.button('Back up now').waitFor()
  await app.stop()
  const files = filesBelow(app.home)
  expect(files.map((path) => path.slice(app.state.length + 1))).toEqual(expect.arrayContaining(['settings.json', 'jobs.json', 'secrets.json', 'logs/holdfast.jsonl']))
  const texts = new Map([['the processes', processes], ...files.map((path): [string, string] => [path, readFileSync(path, 'latin1')])])
  for (const secret of [password, secretAccessKey]) {
    expect([...texts].filter(([, text]) => text.includes(secret) || decoded(text).includes(secret)).map(([where]) => where)).toEqual([])
  }
  expect(texts.get(join(app.state, 'logs/holdfast.jsonl'))).toContain('cloud')
})

/** Whatever in a text could be base64, as what it stands for. */
function decoded(text: string): string {
  return [...text.matchAll(/[A-Za-z0-9+/]{16,}={0,2}/g)].map(([word]) => Buffer.from(word, 'base64').toString('latin1')).join('\n')
}

function filesBelow(folder: string): readonly string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name))
}
