import { spawn } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { json, text } from 'node:stream/consumers'
import { build, mergeConfig } from 'vite'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { engineConfig } from '../../../build/vite/engine.config.ts'
import { inlinedConfig } from '../../../build/vite/inlined.ts'
import type { Credentials } from '../../../engine/backend/credentials.ts'
import { GcsServer } from '../../servers/gcs.ts'
import { DriveServer } from '../../servers/gdrive.ts'

const root = join(import.meta.dirname, '../../..')
const ofGoogle = ['googleapis', 'googleapis-common', 'google-auth-library', 'google-logging-utils', 'gaxios', 'gcp-metadata', 'gtoken']
let folder: string
let engine: string

/** As a user has it: what was built, and the packages that are shipped, without Google's. */
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'holdfast-built-'))
  engine = join(folder, 'dist/engine')
  await build(mergeConfig(engineConfig(root), { build: { outDir: engine } }))
  await build(mergeConfig(inlinedConfig(root), { build: { outDir: join(engine, 'inlined') } }))
  mkdirSync(join(folder, 'node_modules'))
  for (const name of readdirSync(join(root, 'node_modules'))) {
    if (!ofGoogle.includes(name)) symlinkSync(join(root, 'node_modules', name), join(folder, 'node_modules', name))
  }
  symlinkSync(join(root, 'package.json'), join(folder, 'package.json'))
})

afterAll(() => { rmSync(folder, { recursive: true }) })

/** What comes back of an object that a process of the built engine stores. */
async function stored(address: string, credentials: Credentials, environment: Readonly<Record<string, string>>): Promise<string> {
  const script = `
    const { openBackend } = await import(${JSON.stringify(join(engine, 'backend/open.js'))})
    const { fixedCredentials } = await import(${JSON.stringify(join(engine, 'backend/credentials.js'))})
    const { signal } = new AbortController()
    const backend = await openBackend(${JSON.stringify(address)}, { credentials: fixedCredentials(${JSON.stringify(credentials)}), signal })
    await backend.put('packs/aa/x', { type: 'bytes', bytes: Buffer.from('built') }, {}, signal)
    process.stdout.write(await backend.get('packs/aa/x', 'all', signal))
    await backend[Symbol.asyncDispose]()`
  const child = spawn(process.execPath, ['--input-type=module', '--eval', script], { cwd: folder, env: { PATH: process.env['PATH'], ...environment }, stdio: ['ignore', 'pipe', 'inherit'] })
  return text(child.stdout)
}

test('what was built speaks to Google Drive without node_modules/googleapis', async () => {
  await using server = await DriveServer.start()
  expect(existsSync(join(folder, 'node_modules/googleapis'))).toBe(false)
  expect(await stored('gdrive:/built', { accessToken: 'token-1' }, { HOLDFAST_SERVICE_GDRIVE: server.origin })).toBe('built')
  expect(server.named('x')).toHaveLength(1)
})

test('and to Cloud Storage', async () => {
  await using server = await GcsServer.start()
  expect(await stored(`gs://${server.bucket}/built`, { serviceAccount: server.serviceAccount() }, { HOLDFAST_SERVICE_GCS: server.origin })).toBe('built')
  expect([...server.objects.keys()]).toEqual(['built/packs/aa/x'])
})

test('the command line starts, and its files ask for no package that is not shipped', async () => {
  const child = spawn(process.execPath, [join(engine, 'cli.js'), 'snapshots', '--repo', 'gdrive:/built', '--json'], {
    cwd: folder, env: { PATH: process.env['PATH'], HOLDFAST_HOME: join(folder, 'home'), HOLDFAST_PASSWORD: 'x' }, stdio: ['ignore', 'pipe', 'inherit'],
  })
  // Nobody is signed in.
  expect(await json(child.stdout)).toMatchObject({ type: 'error', code: 'credentials' })
})

test('what is inlined is small, asks for no package, and brings its licences', () => {
  const files = readdirSync(join(engine, 'inlined'))
  const scripts = files.filter((name) => name.endsWith('.js'))
  expect(scripts).toEqual(expect.arrayContaining(['google-drive.js', 'google-storage.js']))
  const bytes = scripts.reduce((sum, name) => sum + statSync(join(engine, 'inlined', name)).size, 0)
  expect(bytes).toBeLessThan(2_000_000)
  for (const name of scripts) {
    const imports = [...readFileSync(join(engine, 'inlined', name), 'utf8').matchAll(/^import .* from "([^"]+)"/gm)].map(([, from = '']) => from)
    expect(imports.filter((from) => !from.startsWith('node:') && !from.startsWith('./')), name).toEqual([])
  }
  expect(readFileSync(join(engine, 'inlined/LICENCES.txt'), 'utf8')).toMatch(/googleapis 188\.0\.0 \(Apache-2\.0\)[^]*TERMS AND CONDITIONS/)
})
