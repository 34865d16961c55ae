import { createPackage, extractAll } from '@electron/asar'
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { execPath } from 'node:process'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { launchApp, startRefused } from './harness/app.ts'
import { freshFolder } from './harness/folder.ts'
import { User } from './harness/user.ts'

const folder = freshFolder()
const script = fileURLToPath(new URL('../../build/scripts/package.ts', import.meta.url))
const executable = folder.path('made/linux-unpacked/holdfast')

function makePackage(...words: readonly string[]): { readonly status: number | null; readonly said: string } {
  const { status, stdout, stderr } = spawnSync(execPath, [script, ...words], { encoding: 'utf8' })
  return { status, said: stdout + stderr }
}

beforeAll(() => {
  const { status, said } = makePackage('--debuggable', '--output', folder.path('made'))
  expect(status, said).toBe(0)
})
afterAll(() => { folder[Symbol.dispose]() })

test('no package is made for users with a runtime that gets no security fixes', () => {
  const { status, said } = makePackage('--output', folder.path('none'))
  expect(status).toBe(1)
  expect(said).toMatch(/Electron 25\.1\.1 .*gets no security fixes any more, so no package is made/)
  expect(said).toContain('npm run package -- --for-tests')
  expect(existsSync(folder.path('none'))).toBe(false)
})

test('one for tests says so in its version and its window, and has no developer tools, by menu, key or call', async () => {
  await using app = await launchApp({ executable })
  const user = await User.of(app)
  expect(await app.electron.evaluate(({ app: it }) => [it.isPackaged, it.getName(), it.getVersion().replace(/^.*?-/, '')])).toEqual([true, 'Holdfast for tests', 'for-tests'])
  await user.sees('This Holdfast is for tests only')
  await app.screenshot('for-tests')
  await user.page.evaluate(() => { Object.assign(globalThis, { same: true }) })
  const state = (): Promise<unknown> => app.electron.evaluate(({ Menu, webContents }) => {
    const [contents] = webContents.getAllWebContents()
    contents?.openDevTools()
    for (const [keyCode, ...modifiers] of [['F12'], ['I', 'control', 'shift'], ['F5'], ['R', 'control'], ['R', 'control', 'shift']] as const) {
      contents?.sendInputEvent({ type: 'keyDown', keyCode, modifiers: [...modifiers] })
      contents?.sendInputEvent({ type: 'keyUp', keyCode, modifiers: [...modifiers] })
    }
    return { menu: Menu.getApplicationMenu(), tools: contents?.isDevToolsOpened(), contents: webContents.getAllWebContents().length }
  })
  expect(await state()).toEqual({ menu: null, tools: false, contents: 1 })
  expect(await state()).toEqual({ menu: null, tools: false, contents: 1 })
  expect(await user.page.evaluate(() => 'same' in globalThis)).toBe(true)
})

test('one that is not for tests does not start where another program could look into it', async () => {
  const unpacked = folder.path('unpacked')
  const archive = folder.path('made/linux-unpacked/resources/app.asar')
  extractAll(archive, unpacked)
  const manifest = join(unpacked, 'package.json')
  writeFileSync(manifest, readFileSync(manifest, 'utf8').replace('-for-tests', ''))
  rmSync(join(unpacked, 'node_modules'), { recursive: true, force: true })
  await createPackage(unpacked, archive)
  for (const word of ['--remote-debugging-port=0', '--remote-debugging-pipe', '--inspect=0']) {
    expect(await startRefused(folder.made('home'), folder.made('home/state'), { executable, arguments: [word] })).toContain('which would let other programs look into it')
  }
})
