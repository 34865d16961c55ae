import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { crc32 } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import type { Body, StorageBackend, UploadJournal } from '../../../../engine/backend/backend.ts'
import { fixedCredentials } from '../../../../engine/backend/credentials.ts'
import { standardLimits } from '../../../../engine/backend/http/limits.ts'
import { openBackend } from '../../../../engine/backend/open.ts'
import { sftpAddressOf } from '../../../../engine/backend/sftp/address.ts'
import { HostKeys } from '../../../../engine/backend/sftp/host-keys.ts'
import { loginOf } from '../../../../engine/backend/sftp/login.ts'
import { SftpBackend } from '../../../../engine/backend/sftp/sftp.ts'
import { systemClock } from '../../../../engine/base/clock.ts'
import { HoldfastError } from '../../../../engine/base/errors.ts'
import { HostileSftp, type Hostility } from '../../../servers/hostile-sftp.ts'
import { bytesOf, codeOf, names } from '../../../suites/backend-contract.ts'

class Scratch implements Disposable {
  readonly #folder = mkdtempSync(join(tmpdir(), 'holdfast-scratch-'))

  file(bytes: Buffer): Extract<Body, { type: 'file' }> {
    const path = join(this.#folder, 'body')
    writeFileSync(path, bytes)
    return { type: 'file', path, size: bytes.length, crc32: crc32(bytes) }
  }

  [Symbol.dispose](): void {
    rmSync(this.#folder, { recursive: true })
  }
}

const never = new AbortController().signal

const open = (server: HostileSftp, uploadJournal?: UploadJournal): Promise<StorageBackend> =>
  openBackend(server.address, { credentials: fixedCredentials({ password: 'geheim' }), signal: never, ...(uploadJournal ? { uploadJournal } : {}) })

/** Words and advice of what it fails with. */
async function words(result: Promise<unknown>): Promise<string> {
  const error = await result.then(() => undefined, (reason: unknown) => reason)
  if (!(error instanceof HoldfastError)) throw new Error('nothing was refused')
  return `${error.code}: ${error.message} ${String(error.data['advice'] ?? '')}`
}

describe('what a server may do', () => {
  test.each<readonly [string, Hostility, string]>([
    ['a size that the file does not have', { size: 5000 }, 'damaged'],
    ['a size that no object has', { size: 2 ** 40 }, 'damaged'],
    ['a size that no file has', { size: Number.MAX_SAFE_INTEGER * 4 }, 'unavailable'],
  ])('%s', async (_, hostility, code) => {
    await using server = await HostileSftp.start(hostility)
    server.files.set('/r/x', Buffer.from('hello'))
    await using backend = await open(server)
    expect(await codeOf(backend.get('x', 'all', never))).toBe(code)
  })

  test('without the extensions of OpenSSH nothing is created exclusively, and what is there is replaced all the same', async () => {
    await using server = await HostileSftp.start()
    await using backend = await open(server)
    expect(await codeOf(backend.put('x', bytesOf('x'), { ifAbsent: true }, never))).toBe('unsupported')
    expect(backend.traits.exclusiveCreate).toBe(false)
    for (const text of ['old', 'new']) await backend.put('a/x', bytesOf(text), {}, never)
    expect(Buffer.from(await backend.get('a/x', 'all', never)).toString()).toBe('new')
    expect(await names(backend, '')).toEqual(['a/x'])
    expect([...server.files.keys()]).toEqual(['/r/a/x'])
  })

  test('it gives a few bytes at a time, and all of them come', async () => {
    await using server = await HostileSftp.start({ readBytes: 777 })
    const bytes = randomBytes(100_000)
    server.files.set('/r/x', bytes)
    await using backend = await open(server)
    expect(Buffer.compare(await backend.get('x', 'all', never), bytes)).toBe(0)
    expect(Buffer.compare(await backend.get('x', { offset: 999, length: 50_000 }, never), bytes.subarray(999, 50_999))).toBe(0)
  })

  test('a list without an end ends', async () => {
    await using server = await HostileSftp.start({ endless: true })
    await using backend = await open(server)
    expect(await codeOf(names(backend, ''))).toBe('unsupported')
  }, 60_000)

  test.each(['WRITE', 'READ', 'LSTAT'] as const)('it never answers to %s: that ends as offline, and the next try has a connection of its own', async (hangs) => {
    await using server = await HostileSftp.start()
    server.files.set('/r/x', Buffer.from('hello'))
    const { hostility } = server
    const address = sftpAddressOf({ host: '127.0.0.1', port: /:(\d+)\//.exec(server.address)?.[1] ?? '', user: 'anna', path: '/r' })
    await using backend = new SftpBackend(address, {
      login: await loginOf(address, { password: 'geheim' }, {}), hostKeys: new HostKeys(undefined), clock: systemClock, limits: { ...standardLimits, standstillMs: 300, againMs: 200 },
    })
    server.hostility = { ...hostility, hangs }
    const work = (): Promise<unknown> => (hangs === 'WRITE' ? backend.put('y', bytesOf('y'), {}, never) : backend.get('x', 'all', never))
    expect(await codeOf(work())).toBe('offline')
    server.hostility = hostility
    expect(await codeOf(work())).toBe('done')
  })

  test('it opens one session, and that is enough', async () => {
    await using server = await HostileSftp.start({ sessions: 1 })
    await using backend = await open(server)
    const bodies = Array.from({ length: 8 }, () => randomBytes(200_000))
    await Promise.all(bodies.map((bytes, index) => backend.put(`${index}`, { type: 'bytes', bytes }, {}, never)))
    const back = await Promise.all(bodies.map((_, index) => backend.get(`${index}`, 'all', never)))
    expect(back.every((bytes, index) => Buffer.compare(bytes, bodies[index] ?? Buffer.alloc(0)) === 0)).toBe(true)
  })

  test('it takes one write of a file at a time: all goes one by one from then on', async () => {
    await using server = await HostileSftp.start({ oneWriteAtATime: true })
    using scratch = new Scratch()
    await using backend = await open(server, { get: () => undefined, set: () => undefined, delete: () => undefined })
    const body = scratch.file(randomBytes(300_000))
    const all = await readFile(body.path)
    for (const name of ['a', 'b']) {
      server.asked.clear()
      await backend.put(name, body, { once: true }, never)
      expect(Buffer.compare(await backend.get(name, 'all', never), all)).toBe(0)
    }
    // Ten pieces, and each once.
    expect(server.asked.get('WRITE')).toBe(10)
    await backend.put('c', { type: 'bytes', bytes: all }, {}, never)
    expect([...server.files.keys()].sort()).toEqual(['/r/a', '/r/b', '/r/c'])
  })

  test.each([['Disk quota exceeded', 'full'], ['write: No space left on device', 'full'], ['Read-only file system', 'denied'], ['Failure', 'unavailable']])('it refuses to write: %s', async (writeFailure, code) => {
    await using server = await HostileSftp.start({ writeFailure })
    await using backend = await open(server)
    expect(await codeOf(backend.put('x', bytesOf('x'), {}, never))).toBe(code)
    // Its removal was asked for before this.
    expect(await names(backend, '')).toEqual([])
    expect([...server.files.keys()]).toEqual([])
  })
})

describe('who logs in', () => {
  test('a password that is asked for in a dialog is given there, and never twice where it was wrong', async () => {
    await using server = await HostileSftp.start({ asks: 'keyboard-interactive' })
    await using backend = await open(server)
    expect(await names(backend, '')).toEqual([])
    expect(server.logins).toEqual(['password refused', 'keyboard-interactive in'])
    await using plain = await HostileSftp.start()
    await using wrong = await openBackend(plain.address, { credentials: fixedCredentials({ password: 'falsch' }), signal: never })
    const said = await words(names(wrong, ''))
    expect(said).toMatch(/^credentials: The server does not let the user in\. .*The server takes: password\./)
    expect(said).not.toContain('falsch')
    expect(plain.logins).toEqual(['password refused'])
  })

  test('a server that asks for a code too is told as one that does not let in', async () => {
    await using server = await HostileSftp.start({ asks: 'a code too' })
    await using backend = await open(server)
    expect(await words(names(backend, ''))).toMatch(/^credentials: .*keyboard-interactive/)
  })

  test('a server without SFTP is told in words', async () => {
    await using server = await HostileSftp.start({ noSftp: true })
    await using backend = await open(server)
    expect(await words(names(backend, ''))).toMatch(/^unsupported: .*offers no SFTP.*Subsystem/)
  })
})

describe('an upload whose connection broke', () => {
  const piece = 31 * 1024
  const window = 32
  const bytes = Buffer.from(randomBytes(100 * piece))
  const keep = (entries: Map<string, string>): UploadJournal =>
    ({ get: (name) => entries.get(name), set: (name, state) => { entries.set(name, state) }, delete: (name) => { entries.delete(name) } })

  test('goes on where it stopped, but for what was on its way', async () => {
    await using server = await HostileSftp.start({ dropsAfterWrites: 60 })
    using scratch = new Scratch()
    const body = scratch.file(bytes)
    await using backend = await open(server, keep(new Map()))
    expect(await codeOf(backend.put('packs/x', body, { once: true }, never))).toBe('offline')
    expect(await names(backend, '')).toEqual([])
    server.asked.clear()
    await backend.put('packs/x', body, { once: true }, never)
    expect(server.asked.get('WRITE')).toBeLessThanOrEqual(100 - 60 + window)
    expect(Buffer.compare(await backend.get('packs/x', 'all', never), bytes)).toBe(0)
    expect([...server.files.keys()]).toEqual(['/r/packs/x'])
  }, 60_000)

  test('is whole in the end, also where the server let one write lie while it did those behind it', async () => {
    await using server = await HostileSftp.start({ forgetsWrite: 40 })
    using scratch = new Scratch()
    const body = scratch.file(bytes)
    await using backend = await open(server, keep(new Map()))
    const controller = new AbortController()
    const first = codeOf(backend.put('packs/x', body, { once: true }, controller.signal))
    // So much follows the write without an answer, and nothing more.
    await expect.poll(() => server.asked.get('WRITE'), { timeout: 10_000 }).toBe(40 + window - 1)
    controller.abort()
    expect(await first).toBe('aborted')
    await backend.put('packs/x', body, { once: true }, never)
    expect(Buffer.compare(await backend.get('packs/x', 'all', never), bytes)).toBe(0)
  }, 60_000)
})
