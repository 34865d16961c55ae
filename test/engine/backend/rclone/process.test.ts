import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { StorageBackend } from '../../../../engine/backend/backend.ts'
import { fixedCredentials } from '../../../../engine/backend/credentials.ts'
import { openBackend } from '../../../../engine/backend/open.ts'
import { bytesOf, codeOf, names } from '../../../suites/backend-contract.ts'

const never = new AbortController().signal
let folder: string

beforeEach(() => { folder = mkdtempSync(join(tmpdir(), 'holdfast rcloné-')) })
afterEach(() => { rmSync(folder, { recursive: true }) })

const open = (remote: string): Promise<StorageBackend> => openBackend(`rclone:${remote}`, { credentials: fixedCredentials({}), signal: never })

/** Processes that serve from this test's folder. */
function serving(): readonly string[] {
  return readdirSync('/proc').filter((pid) => {
    if (!/^\d+$/.test(pid)) return false
    try {
      const words = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0')
      return words[0] === 'rclone' && words.some((word) => word.includes(folder))
    } catch {
      return false
    }
  })
}

async function untilNobodyServes(): Promise<void> {
  await expect.poll(serving, { timeout: 10_000 }).toEqual([])
}

test('rclone is started when it is needed, and ends with the backend', async () => {
  const backend = await open(`:local:${folder}/a`)
  expect(serving()).toEqual([])
  await backend.put('x', bytesOf('x'), {}, never)
  expect(serving().length).toBe(1)
  await backend[Symbol.asyncDispose]()
  await untilNobodyServes()
})

test('its login is neither in its arguments nor in its environment, and the file that holds it goes', async () => {
  await using backend = await open(`:local:${folder}/a`)
  await backend.put('x', bytesOf('x'), {}, never)
  const [pid = ''] = serving()
  const words = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0')
  const logins = words[words.indexOf('--htpasswd') + 1] ?? ''
  expect(readFileSync(logins, 'utf8')).toMatch(/^[0-9a-f]{16}:\{SHA\}/)
  const [user = ''] = readFileSync(logins, 'utf8').split(':')
  expect(readFileSync(`/proc/${pid}/environ`, 'utf8') + words.join(' ')).not.toContain(user)
  await backend[Symbol.asyncDispose]()
  await expect.poll(() => existsSync(logins)).toBe(false)
})

test('nobody else can read through it', async () => {
  await using backend = await open(`:local:${folder}/a`)
  await backend.put('x', bytesOf('x'), {}, never)
  const [pid = ''] = serving()
  const port = /127\.0\.0\.1:(\d+).*pid=/.exec(execFileSync('ss', ['-ltnpH'], { encoding: 'utf8' }).split('\n').find((line) => line.includes(`pid=${pid},`)) ?? '')?.[1] ?? ''
  expect(port).not.toBe('')
  expect((await fetch(`http://127.0.0.1:${port}/x`)).status).toBe(401)
})

test('after a kill -9 of its process rclone ends, too', async () => {
  const program = `
    const { openBackend } = await import(${JSON.stringify(new URL('../../../../engine/backend/open.ts', import.meta.url).href)})
    const { fixedCredentials } = await import(${JSON.stringify(new URL('../../../../engine/backend/credentials.ts', import.meta.url).href)})
    const signal = new AbortController().signal
    const backend = await openBackend(${JSON.stringify(`rclone::local:${folder}/a`)}, { credentials: fixedCredentials({}), signal })
    await backend.put('x', { type: 'bytes', bytes: Buffer.from('x') }, {}, signal)
    console.log('stored')
    setInterval(() => undefined, 1000)`
  const child = spawn(process.execPath, ['--input-type=module', '-e', program], { stdio: ['ignore', 'pipe', 'inherit'] })
  await once(child.stdout, 'data')
  expect(serving().length).toBe(1)
  child.kill('SIGKILL')
  await untilNobodyServes()
})

test('an rclone that dies is started again', async () => {
  await using backend = await open(`:local:${folder}/a`)
  await backend.put('x', bytesOf('x'), {}, never)
  const [pid = ''] = serving()
  process.kill(Number(pid), 'SIGKILL')
  await untilNobodyServes()
  await expect.poll(() => codeOf(backend.stat('x', never))).toBe('done')
  expect(await names(backend, '')).toEqual(['x'])
})

test.each([
  ['a remote that rclone does not know', 'nowhere:folder', 'arguments', /knows no remote/],
  ['a remote whose name rclone does not take', 'geheim é:folder', 'arguments', /knows no remote/],
  ['a kind of storage that rclone does not know', ':nothing:folder', 'arguments', /knows no remote/],
])('%s is told in words', async (_, remote, code, words) => {
  await using backend = await open(remote)
  await expect(backend.stat('x', never)).rejects.toMatchObject({ code, message: expect.stringMatching(words) as string })
})

test('without rclone, that is what is said', async () => {
  const path = process.env['PATH']
  process.env['PATH'] = '/nowhere'
  try {
    await using backend = await open(`:local:${folder}`)
    await expect(backend.stat('x', never)).rejects.toMatchObject({ code: 'arguments', message: expect.stringMatching(/no program rclone/) as string })
  } finally {
    process.env['PATH'] = path
  }
})

test('a remote of a configuration of its own, which encrypts names and content', async () => {
  const config = join(folder, 'rclone conf')
  const password = execFileSync('rclone', ['obscure', 'secret'], { encoding: 'utf8' }).trim()
  writeFileSync(config, `[geheim 1]\ntype = crypt\nremote = ${folder}/crypt é\npassword = ${password}\n`)
  await using backend = await open(`geheim 1:some/folder?config=${encodeURIComponent(config)}`)
  await backend.put('packs/00/x', { type: 'bytes', bytes: new Uint8Array(300_000) }, {}, never)
  expect((await backend.get('packs/00/x', { offset: 100_000, length: 5 }, never)).length).toBe(5)
  expect(await names(backend, 'packs/')).toEqual(['packs/00/x'])
  expect(readdirSync(join(folder, 'crypt é')).join()).not.toContain('some')
})

test('a configuration that is encrypted is told', async () => {
  const config = join(folder, 'conf')
  writeFileSync(config, '# Encrypted rclone configuration File\n\nRCLONE_ENCRYPT_V0:\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\n')
  await using backend = await open(`a:b?config=${encodeURIComponent(config)}`)
  await expect(backend.stat('x', never)).rejects.toMatchObject({ code: 'credentials', message: expect.stringMatching(/encrypted/) as string })
})
