import { mkdirSync, readdirSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import type { StorageBackend } from '../../../../engine/backend/backend.ts'
import { fixedCredentials } from '../../../../engine/backend/credentials.ts'
import { openBackend } from '../../../../engine/backend/open.ts'
import { probeBackend } from '../../../../engine/backend/probe.ts'
import { HostileSftp } from '../../../servers/hostile-sftp.ts'
import { startRcloneSftp } from '../../../servers/rclone-sftp.ts'
import { Sshd } from '../../../servers/sshd.ts'
import { bytesOf, codeOf } from '../../../suites/backend-contract.ts'

const never = new AbortController().signal

const open = (address: string, password?: string): Promise<StorageBackend> =>
  openBackend(address, { credentials: fixedCredentials(password === undefined ? {} : { password }), signal: never })

const createAtOnce = async (count: number, ...backends: readonly StorageBackend[]): Promise<readonly string[]> =>
  Promise.all(Array.from({ length: count }, (_, index) => codeOf(backends[index % backends.length]?.put('one', bytesOf(`${index}`), { ifAbsent: true }, never) ?? Promise.reject(new Error('none')))))

describe('a server\'s word on hard links is not believed', () => {
  test('rclone offers them, and moves over what is there: nothing is created exclusively, and a repository goes by flags', async () => {
    await using server = await startRcloneSftp()
    mkdirSync(server.path('r'))
    await using backend = await open(server.address('r'), server.password)
    expect(await createAtOnce(20, backend)).toEqual(Array.from({ length: 20 }, () => 'unsupported'))
    expect(backend.traits.exclusiveCreate).toBe(false)
    await using another = await open(server.address('r'), server.password)
    expect(await probeBackend(another, never)).toEqual({ exclusiveCreate: false, listsAtOnce: true })
    await expect.poll(() => readdirSync(server.path('r/.tmp'))).toEqual([])
    expect(readdirSync(server.path('r'), { recursive: true }).sort()).toEqual(['.tmp', 'probe'])
  })

  test.each([
    'moves over what is there', 'copies over what is there', 'copies where nothing is', 'moves where nothing is', 'looks, and links a moment later', 'refused',
  ] as const)('what asks for a link %s', async (links) => {
    await using server = await HostileSftp.start({ links })
    server.files.set('/r/taken', Buffer.from('old'))
    await using backend = await open(server.address, 'geheim')
    expect(await codeOf(backend.put('taken', bytesOf('new'), { ifAbsent: true }, never))).toBe('unsupported')
    expect(await codeOf(backend.put('free', bytesOf('new'), { ifAbsent: true }, never))).toBe('unsupported')
    expect(backend.traits.exclusiveCreate).toBe(false)
    await expect.poll(() => [...server.files.entries()].map(([name, bytes]) => [name, bytes.toString()])).toEqual([['/r/taken', 'old']])
  })
})

describe('a server that links as it says', () => {
  test('is tried once on each connection, and another server behind the same address is found out', async () => {
    await using server = await HostileSftp.start({ links: 'real' })
    await using backend = await open(server.address, 'geheim')
    expect((await createAtOnce(20, backend)).filter((code) => code === 'done')).toHaveLength(1)
    const links = server.asked.get('EXTENDED') ?? 0
    expect(await codeOf(backend.put('one', bytesOf('x'), { ifAbsent: true }, never))).toBe('exists')
    expect(server.asked.get('EXTENDED')).toBe(links + 1)
    server.hostility = { ...server.hostility, links: 'copies over what is there' }
    server.drop()
    // Until the client has heard of it.
    await expect.poll(() => codeOf(backend.put('one', bytesOf('x'), { ifAbsent: true }, never)), { timeout: 10_000 }).not.toBe('offline')
    expect(await codeOf(backend.put('one', bytesOf('x'), { ifAbsent: true }, never))).toBe('unsupported')
    expect(backend.traits.exclusiveCreate).toBe(false)
  })

  test('OpenSSH: of 20 creations by two clients one wins, and nothing is left of the trials', async () => {
    await using sshd = await Sshd.start()
    mkdirSync(sshd.path('r'))
    await using first = await open(sshd.address('r'))
    await using second = await open(sshd.address('r'))
    const codes = await createAtOnce(20, first, second)
    expect(codes.filter((code) => code !== 'exists')).toEqual(['done'])
    expect(Buffer.from(await first.get('one', 'all', never)).toString()).toBe(String(codes.indexOf('done')))
    await expect.poll(() => readdirSync(sshd.path('r/.tmp'))).toEqual([])
  })

  test('a creation that is given up does not end the trial that others wait for', async () => {
    await using server = await HostileSftp.start({ links: 'real' })
    await using backend = await open(server.address, 'geheim')
    const controller = new AbortController()
    const given = codeOf(backend.put('a', bytesOf('a'), { ifAbsent: true }, controller.signal))
    const other = codeOf(backend.put('b', bytesOf('b'), { ifAbsent: true }, never))
    await expect.poll(() => server.asked.get('OPEN') ?? 0).toBeGreaterThan(0)
    controller.abort()
    expect([await given, await other]).toEqual(['aborted', 'done'])
  })
})
