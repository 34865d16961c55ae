import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, chownSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { StorageBackend } from '../../../../engine/backend/backend.ts'
import { fixedCredentials } from '../../../../engine/backend/credentials.ts'
import { openBackend } from '../../../../engine/backend/open.ts'
import { rcloneError, servingError } from '../../../../engine/backend/rclone/errors.ts'
import { RcloneWords } from '../../../../engine/backend/rclone/words.ts'
import { HoldfastError } from '../../../../engine/base/errors.ts'
import { davPassword, davUser, startWebDav } from '../../../servers/webdav.ts'
import { bytesOf, codeOf, names } from '../../../suites/backend-contract.ts'

const never = new AbortController().signal
let folder: string

beforeEach(() => { folder = mkdtempSync(join(tmpdir(), 'holdfast rcloné-')) })
afterEach(() => { rmSync(folder, { recursive: true }) })

const open = (remote: string): Promise<StorageBackend> => openBackend(`rclone:${remote}`, { credentials: fixedCredentials({}), signal: never })

async function failure(work: Promise<unknown>): Promise<HoldfastError> {
  try {
    await work
  } catch (error) {
    if (error instanceof HoldfastError) return error
    throw error
  }
  throw new Error('nothing failed')
}

test('a remote that goes out of reach is offline: nothing of it is missing, and no list is empty', async () => {
  const server = await startWebDav('rclone')
  const obscured = execFileSync('rclone', ['obscure', davPassword], { encoding: 'utf8' }).trim()
  writeFileSync(join(folder, 'conf'), `[far]\ntype = webdav\nurl = ${server.origin}\nvendor = other\nuser = ${davUser}\npass = ${obscured}\n`)
  await using backend = await open(`far:some?config=${encodeURIComponent(join(folder, 'conf'))}`)
  await backend.put('packs/00/x', bytesOf('x'), {}, never)
  await server[Symbol.asyncDispose]()
  for (const work of [
    () => backend.get('packs/00/x', 'all', never), () => backend.stat('packs/00/x', never), () => names(backend, 'packs/'),
    () => backend.put('packs/00/y', bytesOf('y'), {}, never), () => backend.remove('packs/00/x', never),
  ]) {
    const error = await failure(work())
    expect([error.code, error.message]).toEqual(['offline', expect.stringContaining('connection refused')])
  }
}, 120_000)

test('a remote that is full is full', async () => {
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', folder])
  try {
    await using backend = await open(`:local:${folder}/repo`)
    const error = await failure(backend.put('packs/00/x', { type: 'bytes', bytes: new Uint8Array(3_000_000) }, {}, never))
    expect([error.code, error.message]).toEqual(['full', expect.stringContaining('no space left')])
    expect(await names(backend, '')).toEqual([])
  } finally {
    execFileSync('umount', ['-l', folder])
  }
})

test('a folder that may not be read is denied, and not an empty one', async () => {
  const path = join(folder, 'repo')
  mkdirSync(join(path, 'snapshots'), { recursive: true })
  writeFileSync(join(path, 'snapshots', 'a'), 'x')
  for (const one of [folder, path, join(path, 'snapshots')]) chownSync(one, 65_534, 65_534)
  chmodSync(join(path, 'snapshots'), 0)
  // As root everything may be read.
  const bin = join(folder, 'bin')
  mkdirSync(bin)
  writeFileSync(join(bin, 'rclone'), '#!/bin/sh\ntmp=$(mktemp); for word; do case $last in --htpasswd) cat "$word" >"$tmp"; chmod 644 "$tmp"; word=$tmp;; esac; last=$word; set -- "$@" "$word"; shift; done\nexec setpriv --reuid 65534 --regid 65534 --clear-groups /usr/bin/rclone "$@"\n', { mode: 0o755 })
  const before = process.env['PATH']
  process.env['PATH'] = `${bin}:${before ?? ''}`
  try {
    await using backend = await open(`:local:${path}`)
    expect(await codeOf(names(backend, 'snapshots/'))).toBe('denied')
    expect(await codeOf(names(backend, ''))).toBe('denied')
  } finally {
    process.env['PATH'] = before
  }
})

test('what is Holdfast\'s own in the environment does not reach rclone', async () => {
  process.env['HOLDFAST_PASSWORD'] = 'geheim'
  process.env['RCLONE_LOG_FILE'] = join(folder, 'elsewhere')
  try {
    await using backend = await open(`:local:${folder}/a`)
    await backend.put('x', bytesOf('x'), {}, never)
    const serving = readdirSync('/proc').filter((pid) => /^\d+$/.test(pid)).filter((pid) => wordsOf(pid).includes(`:local:${folder}/a`))
    expect(serving.length).toBeGreaterThan(0)
    for (const pid of serving) expect(readFileSync(`/proc/${pid}/environ`, 'utf8')).not.toContain('geheim')
  } finally {
    delete process.env['HOLDFAST_PASSWORD']
    delete process.env['RCLONE_LOG_FILE']
  }
})

test('an interrupt at the terminal does not reach it: what is on its way can be finished', async () => {
  const module = (path: string): string => JSON.stringify(new URL(`../../../../engine/backend/${path}`, import.meta.url).href)
  const program = `
    const { openBackend } = await import(${module('open.ts')})
    const { fixedCredentials } = await import(${module('credentials.ts')})
    const signal = new AbortController().signal
    const backend = await openBackend(${JSON.stringify(`rclone::local:${folder}/a`)}, { credentials: fixedCredentials({}), signal })
    const bytes = Buffer.alloc(3_000_000)
    process.on('SIGINT', () => { release() })
    let release
    const held = new Promise((resolve) => { release = resolve })
    let moved = 0
    await backend.put('x', { type: 'bytes', bytes }, { pace: (slice) => {
      if ((moved += slice) < 1_000_000) return undefined
      if (moved - slice < 1_000_000) console.log('under way')
      return held
    } }, signal)
    await backend[Symbol.asyncDispose]()`
  const child = spawn(process.execPath, ['--input-type=module', '-e', program], { stdio: ['ignore', 'pipe', 'inherit'], detached: true })
  await once(child.stdout, 'data')
  process.kill(-Number(child.pid), 'SIGINT')
  expect(await once(child, 'exit')).toEqual([0, null])
  expect(readFileSync(join(folder, 'a', 'x')).length).toBe(3_000_000)
})

test('a backend that is closed while rclone still starts does not wait for it', async () => {
  const bin = join(folder, 'bin')
  mkdirSync(bin)
  writeFileSync(join(bin, 'rclone'), `#!/bin/sh\necho $$ >"${folder}/pid"\nexec sleep 1000\n`, { mode: 0o755 })
  const before = process.env['PATH']
  process.env['PATH'] = `${bin}:${before ?? ''}`
  try {
    const backend = await open(`:local:${folder}/a`)
    const controller = new AbortController()
    const waiting = codeOf(backend.stat('x', controller.signal))
    await expect.poll(() => readdirSync(folder)).toContain('pid')
    controller.abort()
    expect(await waiting).toBe('aborted')
    const startedMs = performance.now()
    await backend[Symbol.asyncDispose]()
    expect(performance.now() - startedMs).toBeLessThan(1000)
    const pid = readFileSync(join(folder, 'pid'), 'utf8').trim()
    await expect.poll(() => wordsOf(pid)).toBe('')
  } finally {
    process.env['PATH'] = before
  }
})

describe('what rclone prints', () => {
  test.each([
    ['googleapi: Error 403: The user\'s Drive storage quota has been exceeded., storageQuotaExceeded', 'full'],
    ['googleapi: Error 403: User Rate Limit Exceeded., userRateLimitExceeded', 'throttled'],
    ['googleapi: Error 403: Quota exceeded for quota metric \'Queries\'', 'throttled'],
    ['couldn\'t fetch token: invalid_grant: maybe token expired?', 'credentials'],
    ['mkdir /x: read-only file system', 'denied'],
    ['dial tcp: lookup example.org: no such host', 'offline'],
    ['read tcp 1.2.3.4: connection reset by peer', 'offline'],
    ['Fs "x" can\'t rename files (no server-side Move or Copy)', 'unsupported'],
    ['something that nobody has seen before', 'unavailable'],
  ])('%s: %s', (line, code) => {
    const answer = new HoldfastError('unavailable', 'The server could not do it.')
    expect([servingError(line, answer).code, servingError(line, answer).message]).toEqual([code, expect.stringContaining(line.slice(0, 20))])
  })

  test('secrets in it are masked', () => {
    const said = 'Get "https://anna:geheim@host/x?sig=geheim&access_token=geheim&X-Amz-Signature=geheim": {"refresh_token": "geheim"} Bearer geheim'
    expect(servingError(said, undefined).message).not.toContain('geheim')
    expect(rcloneError(said).message).not.toContain('geheim')
  })

  test('is taken for what it is about, and for its time', async () => {
    const words = new RcloneWords()
    const refusal = new HoldfastError('denied', 'refused', { data: { status: 403 } })
    words.add('2026/01/01 00:00:00 ERROR : packs/00/x: no space left on device\n')
    const witness = words.witness()
    expect(await witness('/packs/00/x', refusal)).toBeUndefined()
    words.add('2026/01/01 00:00:00 ERROR : other/y: no space left on device\n2026/01/01 00:00:00 ERR')
    expect(await witness('/packs/00/x', refusal)).toBeUndefined()
    words.add('OR : packs/: Dir.Stat error: connection refused\n')
    expect(await witness('/packs/00/x', refusal)).toMatchObject({ code: 'offline' })
    expect(await witness('/packs/00/x', undefined)).toBeUndefined()
    expect(await witness('/packs/00/x', new HoldfastError('aborted', 'x'))).toBeUndefined()
  })
})

function wordsOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8')
  } catch {
    return ''
  }
}
