import { randomBytes } from 'node:crypto'
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { crc32 } from 'node:zlib'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { StorageBackend, UploadJournal } from '../../../../engine/backend/backend.ts'
import { fixedCredentials } from '../../../../engine/backend/credentials.ts'
import { openBackend, type OpenOptions } from '../../../../engine/backend/open.ts'
import { HoldfastError } from '../../../../engine/base/errors.ts'
import { Ftpd } from '../../../servers/ftpd.ts'
import { HostileFtp, type FtpHostility } from '../../../servers/hostile-ftp.ts'
import { SmallDisk } from '../../../servers/small-disk.ts'
import { bytesOf, codeOf, names } from '../../../suites/backend-contract.ts'

const never = new AbortController().signal
const mebibyte = 1024 * 1024

const open = async (address: string, secrets: Readonly<Record<string, string>> = {}, options: Partial<OpenOptions> = {}): Promise<StorageBackend> =>
  openBackend(address, { credentials: fixedCredentials(secrets), signal: never, ...options })

async function errorOf(result: Promise<unknown>): Promise<HoldfastError> {
  const error = await result.then(() => undefined, (reason: unknown) => reason)
  if (!(error instanceof HoldfastError)) throw new Error('nothing was refused')
  return error
}

/** What a first request to an address ends with, in the words that a person reads. */
async function refusal(address: string, secrets: Readonly<Record<string, string>> = {}, options: Partial<OpenOptions> = {}): Promise<string> {
  const { code, message, data } = await errorOf(open(address, secrets, options).then(async (backend) => {
    await using kept = backend
    return await names(kept, '')
  }))
  return `${code}: ${message} ${typeof data['advice'] === 'string' ? data['advice'] : ''}`
}

describe.each(['vsftpd', 'proftpd'] as const)('the certificate of %s', (program) => {
  test.each(['explicit', 'implicit'] as const)('%s TLS: one that nobody signed is refused before a password is sent, and its fingerprint lets it in', async (tls) => {
    await using ftpd = await Ftpd.start({ program, tls })
    ftpd.makeFolder('repository')
    const words = await refusal(ftpd.address('repository', {}), { password: 'geheim 1' })
    expect(words).toMatch(/^denied: The storage's certificate is signed by nobody that this machine trusts\. \(/)
    expect(words).toContain(`put fingerprint=${ftpd.fingerprint} into the address`)
    const other = await refusal(ftpd.address('repository', { fingerprint: `SHA256:${'A'.repeat(43)}` }), { password: 'geheim 1' })
    expect(other).toMatch(/^denied: .*has another certificate than the address demands.* Nothing was sent\. Compare the fingerprint/)
    expect(other).toContain(ftpd.fingerprint)
    await using backend = await open(ftpd.address('repository'), ftpd.secrets)
    await backend.put('x', bytesOf('x'), {}, never)
    expect(backend.serverKey?.()).toBe(ftpd.fingerprint)
  })
})

describe('what does not fit together', () => {
  test('ftps:// at a server that offers no encryption', async () => {
    await using ftpd = await Ftpd.start({ program: 'vsftpd', tls: 'none' })
    ftpd.makeFolder('repository')
    const address = ftpd.address('repository').replace(/^ftp:/, 'ftps:')
    expect(await refusal(address)).toMatch(/^unsupported: The server offers no encryption\. .*Switch TLS on at the server\./)
    expect(await refusal(`${address}?tls=implicit`)).toMatch(/^unavailable: What answers at the address does not speak HTTPS|^unavailable: .*TLS/)
  })

  test('ftp:// at a server that demands encryption', async () => {
    await using ftpd = await Ftpd.start({ program: 'proftpd', tls: 'explicit' })
    ftpd.makeFolder('repository')
    expect(await refusal(ftpd.address('repository', {}).replace(/^ftps:/, 'ftp:'), ftpd.secrets)).toMatch(/^unsupported: The server takes nothing without encryption\. .*Begin the address with ftps:\/\//)
  })

  test('a server that is not there, and one that is no FTP server', async () => {
    expect(await refusal('ftp://anna@127.0.0.1:1/data/x', { password: 'x' })).toMatch(/^offline: Nothing listens at the storage's address/)
    await using http = await HostileFtp.start({ greeting: 'HTTP/1.1 400 Bad Request' })
    expect(await refusal(http.address, { password: 'x' })).toMatch(/^(?:offline|unavailable): /)
  })
})

describe('who logs in', () => {
  test('a wrong password, and none, are told, and the password is not', async () => {
    await using ftpd = await Ftpd.start({ program: 'proftpd', tls: 'none' })
    ftpd.makeFolder('repository')
    const wrong = await refusal(ftpd.address('repository'), { password: 'falsch 2' })
    expect(wrong).toMatch(/^credentials: The server does not let the user in\. \(.*\) Check user and password\.$/)
    expect(wrong).not.toContain('falsch 2')
    expect(await refusal(ftpd.address('repository'))).toMatch(/^credentials: The password for the FTP server is missing\. Set HOLDFAST_FTP_PASSWORD/)
  })

  test('a password, user or folder with a line break sends no command of its own', async () => {
    await using server = await HostileFtp.start()
    expect(await refusal(server.address, { password: 'x\r\nDELE /data/y' })).toMatch(/^credentials: The password for the FTP server holds a line break/)
    expect(await refusal(`${server.address}%0d%0aDELE%20x`, { password: 'x' })).toMatch(/^arguments: The folder begins/)
    expect(await refusal(server.address.replace('anna', 'anna%0d%0aDELE%20x'), { password: 'x' })).toMatch(/^arguments: The user/)
    expect(server.commands.filter((command) => command.startsWith('DELE'))).toEqual([])
  })

  test.each([1, 2])('a server that takes %i connections of an address is content with them', async (most) => {
    await using ftpd = await Ftpd.start({ program: 'vsftpd', tls: 'none', settings: [`max_per_ip=${most}`] })
    ftpd.makeFolder('repository')
    await using backend = await open(ftpd.address('repository'))
    // Whoever looked whether it listens may still count.
    await expect.poll(() => codeOf(names(backend, '')), { timeout: 10_000 }).toBe('done')
    const bodies = Array.from({ length: 8 }, () => randomBytes(300_000))
    await Promise.all(bodies.map((bytes, index) => backend.put(`packs/${index}`, { type: 'bytes', bytes }, {}, never)))
    const back = await Promise.all(bodies.map((_, index) => backend.get(`packs/${index}`, 'all', never)))
    expect(back.map((bytes, index) => Buffer.compare(bytes, bodies[index] ?? Buffer.alloc(0)))).toEqual(bodies.map(() => 0))
    if (most === 1) expect(await refusal(ftpd.address('repository'))).toMatch(/^unavailable: The server takes no more connections now\. .*Other programs may hold some/)
  })
})

describe('folders', () => {
  test('with accents, spaces and quotes come back as they are', async () => {
    await using ftpd = await Ftpd.start({ program: 'proftpd', tls: 'none' })
    const name = 'Sicherung é "1" 50% – Büro'
    await using backend = await open(ftpd.address(encodeURIComponent(name)), ftpd.secrets, { create: true })
    await backend.put('packs/00/x', bytesOf('x'), {}, never)
    expect(await names(backend, '')).toEqual(['packs/00/x'])
    expect(readdirSync(ftpd.path(name))).toContain('packs')
  })

  test('of somebody else are not made a repository of, and one that is missing is told', async () => {
    await using ftpd = await Ftpd.start({ program: 'vsftpd', tls: 'none' })
    ftpd.makeFolder('photos')
    writeFileSync(join(ftpd.path('photos'), 'holiday.jpg'), 'x', { mode: 0o644 })
    expect(await refusal(ftpd.address('photos'), {}, { create: true })).toMatch(/^arguments: /)
    expect(readdirSync(ftpd.path('photos'))).toEqual(['holiday.jpg'])
    expect(await refusal(ftpd.address('nothing'))).toMatch(/^offline: /)
  })

  test('that the user may not write to are told', async () => {
    await using ftpd = await Ftpd.start({ program: 'vsftpd', tls: 'none' })
    ftpd.makeFolder('repository')
    chmodSync(ftpd.path('repository'), 0o555)
    await using backend = await open(ftpd.address('repository'))
    const { code, data } = await errorOf(backend.put('x', bytesOf('x'), {}, never))
    expect([code, data['advice']]).toEqual(['denied', expect.stringContaining('right to read, write')])
  })
})

describe('in the middle', () => {
  let folder: string
  beforeEach(() => { folder = mkdtempSync(join(tmpdir(), 'holdfast-ftp-trouble-')) })
  afterEach(() => { rmSync(folder, { recursive: true }) })

  test.each(['vsftpd', 'proftpd'] as const)('%s is started anew: nothing torn is seen, and the upload goes on where it was', async (program) => {
    await using ftpd = await Ftpd.start({ program, tls: 'none' })
    ftpd.makeFolder('repository')
    const bytes = randomBytes(24 * mebibyte)
    const body = { type: 'file' as const, path: join(folder, 'pack'), size: bytes.length, crc32: crc32(bytes) }
    writeFileSync(body.path, bytes)
    const entries = new Map<string, string>()
    const uploadJournal: UploadJournal = { get: (name) => entries.get(name), set: (name, state) => { entries.set(name, state) }, delete: (name) => { entries.delete(name) } }
    await using backend = await open(ftpd.address('repository'), ftpd.secrets, { uploadJournal })
    let restarted: Promise<void> | undefined
    const onProgress = (sent: number): void => { if (sent > 12 * mebibyte) restarted ??= ftpd.restart() }
    expect(['offline', 'unavailable']).toContain((await errorOf(backend.put('packs/x', body, { once: true, onProgress }, never))).code)
    await restarted
    expect(await names(backend, '')).toEqual([])
    let sent = 0
    const pace = (more: number): undefined => { sent += more }
    await backend.put('packs/x', body, { once: true, pace }, never)
    expect(sent).toBeLessThanOrEqual(16 * mebibyte)
    expect(Buffer.compare(await backend.get('packs/x', 'all', never), bytes)).toBe(0)
  })

  test.each(['vsftpd', 'proftpd'] as const)('the disk of %s is full: nothing half stays in the way, and with room it goes on', async (program) => {
    await using ftpd = await Ftpd.start({ program, tls: 'none' })
    mkdirSync(ftpd.path('repository'))
    using disk = SmallDisk.mount(ftpd.path('repository'), 4 * mebibyte)
    // It sees what was mounted before it began.
    await ftpd.restart()
    await using backend = await open(ftpd.address('repository'), ftpd.secrets)
    await backend.put('packs/0', bytesOf('there'), {}, never)
    disk.fill('ballast')
    const large = randomBytes(mebibyte)
    const { code } = await errorOf(backend.put('packs/1', { type: 'bytes', bytes: large }, {}, never))
    // vsftpd says no more than "failure writing local file" (426, 451).
    expect(program === 'vsftpd' ? ['full', 'unavailable'] : ['full']).toContain(code)
    expect(await names(backend, 'packs/')).toEqual(['packs/0'])
    disk.free('ballast')
    await backend.put('packs/1', { type: 'bytes', bytes: large }, {}, never)
    expect(Buffer.compare(await backend.get('packs/1', 'all', never), large)).toBe(0)
    expect(readdirSync(join(ftpd.path('repository'), '.tmp'))).toEqual([])
  })
})

describe('a server that lies', () => {
  const secrets = { password: 'x' }

  async function served<T>(hostility: FtpHostility, work: (backend: StorageBackend, server: HostileFtp) => Promise<T>): Promise<T> {
    await using server = await HostileFtp.start(hostility)
    await using backend = await open(server.address, secrets)
    return await work(backend, server)
  }

  test('is an ordinary one without a lie', async () => {
    await served({}, async (backend) => {
      const bytes = randomBytes(300_000)
      await backend.put('packs/x', { type: 'bytes', bytes }, {}, never)
      expect(Buffer.compare(await backend.get('packs/x', { offset: 1000, length: 200_000 }, never), bytes.subarray(1000, 201_000))).toBe(0)
      expect(await backend.stat('packs/x', never)).toMatchObject({ size: 300_000, modifiedMs: Date.UTC(2026, 0, 2, 3, 4, 5) })
      await backend.remove('packs/x', never)
      expect(await codeOf(backend.get('packs/x', 'all', never))).toBe('not-found')
    })
  })

  test.each<[string, FtpHostility]>([
    ['keeps less than was sent', { keepsBytes: 100 }], ['says a size that no file has', { answers: { SIZE: '213 99999999999999999999' } }],
    ['says nothing that makes sense', { answers: { SIZE: '213 what?' } }], ['ends the connection', { answers: { STOR: 'hang up' } }],
    ['refuses the login for now', { answers: { PASS: '421 Too many connections' } }], ['says that there is no room', { answers: { STOR: '552 Exceeded storage allocation' } }],
  ])('%s: no upload is taken for done', async (what, hostility) => {
    const code = await served(hostility, (backend) => codeOf(backend.put('packs/x', { type: 'bytes', bytes: randomBytes(300_000) }, {}, never)))
    expect(code).toBe(what.includes('no room') ? 'full' : what === 'ends the connection' ? 'offline' : 'unavailable')
  })

  test.each([[-100, 'unavailable'], [100, 'done']] as const)('sends %i bytes beyond a file: only what is asked for is taken', async (sendsBytes, code) => {
    await served({ sendsBytes }, async (backend, server) => {
      server.files.set('/data/repository/packs/x', randomBytes(50_000))
      const got = backend.get('packs/x', 'all', never)
      expect(await codeOf(got)).toBe(code)
      if (code === 'done') expect((await got).length).toBe(50_000)
    })
  })

  test('names that lead elsewhere are none of a repository', async () => {
    const line = (name: string): string => `type=file;size=1;modify=20260102030405; ${name}\r\n`
    const list = ['../../etc/passwd', '/etc/passwd', '..', 'a/b', 'fine', '\u0007', ''].map(line).join('')
    expect(await served({ list }, (backend) => names(backend, ''))).toEqual(['fine'])
  })

  test('a list, or an answer, without an end has one', async () => {
    expect(await served({ list: 'endless' }, (backend) => codeOf(names(backend, '')))).toBe('unsupported')
    expect(await codeOf(served({ endless: true }, (backend) => names(backend, '')))).toBe('offline')
  })

  test.each(['USER', 'PASV', 'EPSV', 'STOR', 'SIZE', 'RNTO'])('%s is not answered: a cancellation ends it within a second', async (command) => {
    await served({ answers: { [command]: 'hang', ...(command === 'PASV' ? { EPSV: '500 what?' } : {}) } }, async (backend, server) => {
      const controller = new AbortController()
      const put = codeOf(backend.put('packs/x', { type: 'bytes', bytes: randomBytes(1000) }, {}, controller.signal))
      await expect.poll(() => server.commands.some((line) => line.startsWith(command)), { timeout: 10_000 }).toBe(true)
      const startedMs = performance.now()
      controller.abort()
      expect(await put).toBe('aborted')
      expect(performance.now() - startedMs).toBeLessThan(1500)
    })
  })
})
