import { randomBytes } from 'node:crypto'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { crc32 } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import type { StorageBackend, UploadJournal } from '../../../../engine/backend/backend.ts'
import { fixedCredentials } from '../../../../engine/backend/credentials.ts'
import { openBackend, type OpenOptions } from '../../../../engine/backend/open.ts'
import { HoldfastError } from '../../../../engine/base/errors.ts'
import { Sshd } from '../../../servers/sshd.ts'
import { SmallDisk } from '../../../servers/small-disk.ts'
import { bytesOf, codeOf, names } from '../../../suites/backend-contract.ts'

const never = new AbortController().signal
const mebibyte = 1024 * 1024

const open = (address: string, options: Partial<OpenOptions> = {}): Promise<StorageBackend> =>
  openBackend(address, { credentials: fixedCredentials({}), signal: never, ...options })

async function errorOf(result: Promise<unknown>): Promise<HoldfastError> {
  const error = await result.then(() => undefined, (reason: unknown) => reason)
  if (!(error instanceof HoldfastError)) throw new Error('nothing was refused')
  return error
}

describe('the server is started anew in the middle of an upload', () => {
  test.each(['with a journal', 'without'] as const)('%s: nothing torn is seen, the error may be tried again, and then it is whole', async (how) => {
    await using sshd = await Sshd.start()
    mkdirSync(sshd.path('r'))
    const folder = mkdtempSync(join(tmpdir(), 'holdfast-restart-'))
    try {
      const bytes = randomBytes(24 * mebibyte)
      const body = { type: 'file' as const, path: join(folder, 'pack'), size: bytes.length, crc32: crc32(bytes) }
      writeFileSync(body.path, bytes)
      const entries = new Map<string, string>()
      const uploadJournal: UploadJournal = { get: (name) => entries.get(name), set: (name, state) => { entries.set(name, state) }, delete: (name) => { entries.delete(name) } }
      await using backend = await open(sshd.address('r'), how === 'with a journal' ? { uploadJournal } : {})
      let restarted: Promise<void> | undefined
      const onProgress = (sent: number): void => { if (sent > 12 * mebibyte) restarted ??= sshd.restart() }
      const error = await errorOf(backend.put('packs/x', body, { once: true, onProgress }, never))
      expect(error.code).toBe('offline')
      await restarted
      expect(await names(backend, '')).toEqual([])
      let sent = 0
      const pace = (more: number): undefined => { sent += more }
      await backend.put('packs/x', body, { once: true, pace }, never)
      if (how === 'with a journal') expect(sent).toBeLessThanOrEqual(14 * mebibyte)
      expect(Buffer.compare(await backend.get('packs/x', 'all', never), bytes)).toBe(0)
    } finally {
      rmSync(folder, { recursive: true })
    }
  }, 60_000)
})

describe('a server that takes little', () => {
  test.each(['MaxSessions 1', 'MaxSessions 2'])('%s: what there is suffices', async (setting) => {
    await using sshd = await Sshd.start({ settings: [setting] })
    mkdirSync(sshd.path('r'))
    await using backend = await open(sshd.address('r'))
    const bodies = Array.from({ length: 8 }, () => randomBytes(300_000))
    await Promise.all(bodies.map((bytes, index) => backend.put(`${index}`, { type: 'bytes', bytes }, {}, never)))
    const back = await Promise.all(bodies.map((_, index) => backend.get(`${index}`, 'all', never)))
    expect(back.map((bytes, index) => Buffer.compare(bytes, bodies[index] ?? Buffer.alloc(0)))).toEqual(bodies.map(() => 0))
    expect(await codeOf(backend.put('once', bytesOf('x'), { ifAbsent: true }, never))).toBe('done')
  }, 60_000)

  test('MaxSessions 0: no SFTP session at all is told', async () => {
    await using sshd = await Sshd.start({ settings: ['MaxSessions 0'] })
    mkdirSync(sshd.path('r'))
    await using backend = await open(sshd.address('r'))
    const error = await errorOf(names(backend, ''))
    expect([error.code, String(error.data['advice'])]).toEqual(['unavailable', expect.stringContaining('MaxSessions')])
  })

  test('MaxStartups: connections that are turned away can be tried again', async () => {
    await using sshd = await Sshd.start({ settings: ['MaxStartups 1:100:1'] })
    mkdirSync(sshd.path('r'))
    const backends = await Promise.all(Array.from({ length: 6 }, () => open(sshd.address('r'))))
    const tried = await Promise.all(backends.map((backend) => names(backend, '').then(() => undefined, (error: unknown) => error)))
    const errors = tried.filter((error) => error !== undefined)
    expect(errors.length).toBeGreaterThan(0)
    for (const error of errors) expect(error).toMatchObject({ code: 'offline', data: { advice: expect.stringContaining('too many connections') as string } })
    for (const backend of backends) {
      await expect.poll(() => codeOf(names(backend, '')), { timeout: 20_000 }).toBe('done')
      await backend[Symbol.asyncDispose]()
    }
  }, 60_000)
})

test('a full disk is told as full, at each step of a put; what was there stays, and after space is made all goes on', async () => {
  await using sshd = await Sshd.start()
  using disk = SmallDisk.mount(sshd.path('r'), 8 * mebibyte)
  // It sees what was mounted when it began.
  await sshd.restart()
  await using backend = await open(sshd.address('r'))
  await backend.put('kept', bytesOf('kept'), {}, never)
  const large = { type: 'bytes' as const, bytes: randomBytes(9 * mebibyte) }
  const error = await errorOf(backend.put('packs/large', large, {}, never))
  expect(error).toMatchObject({ code: 'full', data: { place: 'destination' } })
  expect(error.cause).toBeInstanceOf(Error)
  await expect.poll(() => readdirSync(sshd.path('r/.tmp'))).toEqual([])
  expect(await names(backend, '')).toEqual(['kept'])
  disk.fill('ballast')
  for (const options of [{}, { ifAbsent: true }]) expect(await codeOf(backend.put('small', { type: 'bytes', bytes: randomBytes(100_000) }, options, never))).toBe('full')
  expect(Buffer.from(await backend.get('kept', 'all', never)).toString()).toBe('kept')
  disk.free('ballast')
  expect(await codeOf(backend.put('small', bytesOf('small'), { ifAbsent: true }, never))).toBe('done')
  expect(await names(backend, '')).toEqual(['kept', 'small'])
}, 60_000)

describe('symbolic links inside of a repository', () => {
  test('are not followed: neither read nor written, and told where they are', async () => {
    await using sshd = await Sshd.start()
    mkdirSync(sshd.path('r/index'), { recursive: true })
    mkdirSync(sshd.path('elsewhere'))
    writeFileSync(sshd.path('elsewhere/ab'), 'secret')
    symlinkSync(sshd.path('elsewhere'), sshd.path('r/packs'))
    symlinkSync(sshd.path('elsewhere/ab'), sshd.path('r/index/ab'))
    await using backend = await open(sshd.address('r'))
    for (const [name, at] of [['packs/ab', 'r/packs'], ['index/ab', 'r/index/ab']] as const) {
      for (const range of ['all', { offset: 0, length: 1 }, undefined] as const) {
        const error = await errorOf(range === undefined ? backend.stat(name, never) : backend.get(name, range, never))
        expect([error.code, error.message]).toEqual(['damaged', expect.stringMatching(/symbolic link.*Find out who put it there/)])
        expect(error.message).toContain(sshd.path(at))
      }
    }
    expect(await codeOf(backend.put('packs/new', bytesOf('x'), {}, never))).toBe('damaged')
    expect(await codeOf(backend.put('index/ab', bytesOf('x'), { ifAbsent: true }, never))).toBe('damaged')
    expect(await codeOf(backend.remove('packs/ab', never))).toBe('damaged')
    expect(await codeOf(names(backend, 'packs/'))).toBe('damaged')
    // What replaces takes the place of the link, not of what it leads to.
    await backend.put('index/ab', bytesOf('ours'), {}, never)
    expect(Buffer.from(await backend.get('index/ab', 'all', never)).toString()).toBe('ours')
    expect(readdirSync(sshd.path('elsewhere'))).toEqual(['ab'])
    expect(readFileSync(sshd.path('elsewhere/ab'), 'utf8')).toBe('secret')
  })

  test('the repository itself may be reached through one', async () => {
    await using sshd = await Sshd.start()
    mkdirSync(sshd.path('real'))
    symlinkSync(sshd.path('real'), sshd.path('r'))
    await using backend = await open(sshd.address('r'))
    await backend.put('packs/x', bytesOf('x'), {}, never)
    expect(await names(backend, '')).toEqual(['packs/x'])
  })
})

describe('a folder that is somebody else\'s', () => {
  test('is refused for a new repository, named, with what to give instead; nothing in it changes', async () => {
    await using sshd = await Sshd.start()
    mkdirSync(sshd.path('photos'))
    writeFileSync(sshd.path('photos/a.jpg'), 'x')
    for (const options of [{ create: true }, {}]) {
      await using backend = await open(sshd.address('photos'), options)
      const error = await errorOf(backend.tryWriting?.(never) ?? Promise.resolve())
      expect([error.code, error.data['reason']]).toEqual(['arguments', 'not-empty'])
      expect(error.message).toContain(`holds other things: "a.jpg". A repository wants a folder of its own. Give one that is empty, or a new one inside, such as ${sshd.path('photos/holdfast')}.`)
    }
    expect(readdirSync(sshd.path('photos'))).toEqual(['a.jpg'])
    await using inside = await open(sshd.address('photos/holdfast'), { create: true })
    await inside.put('config', bytesOf('x'), {}, never)
    expect(readdirSync(sshd.path('photos')).sort()).toEqual(['a.jpg', 'holdfast'])
  })

  test('a path through a file, and a folder that nobody may write to, are told', async () => {
    await using sshd = await Sshd.start()
    writeFileSync(sshd.path('file'), 'x')
    await using through = await open(sshd.address('file/r'), { create: true })
    expect(await errorOf(names(through, ''))).toMatchObject({ code: 'arguments', message: expect.stringContaining(`${sshd.path('file')} is a file`) as string })
    await using missing = await open(sshd.address('missing'))
    expect(await errorOf(missing.put('x', bytesOf('x'), {}, never))).toMatchObject({ code: 'offline', message: expect.stringContaining('Is its disk mounted?') as string })
    // As root: where nobody can make a folder.
    await using nowhere = await open(sshd.address('r').replace(sshd.path('r'), '/proc/sys/holdfast'), { create: true })
    expect(await errorOf(nowhere.put('x', bytesOf('x'), {}, never))).toMatchObject({ code: 'denied', message: expect.stringContaining('No folder can be made at /proc/sys/holdfast') as string })
  })
})
