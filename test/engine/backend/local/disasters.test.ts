import { spawnSync } from 'node:child_process'
import { link, mkdir, mkdtemp, readdir, rename, rm, symlink, utimes, writeFile } from 'node:fs/promises'
import { constants, tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { claimName } from '../../../../engine/backend/local/claim.ts'
import { localError } from '../../../../engine/backend/local/errors.ts'
import { openLocal } from '../../../../engine/backend/local/local.ts'
import { temporaryName } from '../../../../engine/backend/local/temporary.ts'
import { bytesOf, codeOf, names } from '../../../suites/backend-contract.ts'

const never = new AbortController().signal
const day = 24 * 60 * 60 * 1000
let parent: string
let root: string

beforeEach(async () => {
  parent = await mkdtemp(join(tmpdir(), 'holdfast-disaster-'))
  root = join(parent, 'disk')
})

afterEach(() => rm(parent, { recursive: true }))

test('a missing folder is offline, and is made only when a repository is to be made', async () => {
  expect(await codeOf(openLocal(root, {}, never))).toBe('offline')
  expect(await readdir(parent)).toEqual([])
  const made = await openLocal(join(root, 'a/b'), { create: true }, never)
  await made.put('x', bytesOf('x'), {}, never)
  expect(await names(made, '')).toEqual(['x'])
})

test('a file in the folder\'s place is an argument error', async () => {
  await writeFile(root, '')
  expect(await codeOf(openLocal(root, {}, never))).toBe('arguments')
})

test('unplugged is offline for every operation, nothing is written in its place, and plugged in again it works', async () => {
  const backend = await openLocal(root, { create: true }, never)
  await backend.put('packs/x', bytesOf('x'), {}, never)
  await rename(root, join(parent, 'away'))
  for (const empty of [false, true]) {
    // Some mount points stay behind as an empty folder.
    if (empty) await mkdir(root)
    expect(await codeOf(backend.put('packs/y', bytesOf('y'), {}, never))).toBe('offline')
    expect(await codeOf(backend.put('new/y', bytesOf('y'), {}, never))).toBe('offline')
    expect(await codeOf(backend.get('packs/x', 'all', never))).toBe('offline')
    expect(await codeOf(backend.stat('packs/x', never))).toBe('offline')
    expect(await codeOf(backend.remove('packs/x', never))).toBe('offline')
    expect(await codeOf(names(backend, 'packs/'))).toBe('offline')
    if (empty) expect(await readdir(root)).toEqual([])
  }
  await rm(root, { recursive: true })
  await rename(join(parent, 'away'), root)
  await backend.put('packs/y', bytesOf('y'), {}, never)
  expect(await names(backend, '')).toEqual(['packs/x', 'packs/y'])
})

/** Root may write everywhere, so these run as somebody else: a whole process. */
function asNobody(program: string): { code: string; out: string } {
  const source = `
    const { openLocal } = await import(${JSON.stringify(new URL('../../../../engine/backend/local/local.ts', import.meta.url).href)})
    const signal = new AbortController().signal
    process.setgroups([]); process.setgid(65534); process.setuid(65534)
    const code = async (result) => { try { await result; return 'done' } catch (error) { return error.code } }
    const backend = await openLocal(${JSON.stringify(root)}, {}, signal)
    ${program}`
  const result = spawnSync(process.execPath, ['--input-type=module', '-e', source], { encoding: 'utf8' })
  return { code: String(result.status), out: result.stdout.trim() + result.stderr }
}

test.skipIf(process.getuid?.() !== 0)('a destination that may only be read can be read, and says denied to the rest', async () => {
  const backend = await openLocal(root, { create: true }, never)
  await backend.put('packs/x', bytesOf('x'), {}, never)
  spawnSync('chmod', ['-R', 'a+rX', parent])
  expect(asNobody(`
    console.log((await backend.get('packs/x', 'all', signal)).toString(),
      await code(backend.put('packs/y', { type: 'bytes', bytes: Buffer.from('y') }, {}, signal)), await code(backend.remove('packs/x', signal)))
  `)).toEqual({ code: '0', out: 'x denied denied' })
})

test.each([['ENOSPC', 'full'], ['EDQUOT', 'full'], ['EROFS', 'denied'], ['EACCES', 'denied'], ['EIO', 'unavailable'], ['ESTALE', 'offline'], ['EXYZ', 'unavailable'], ['ERR_INVALID_ARG_TYPE', 'internal']])('%s means %s', (errno, code) => {
  expect(localError(Object.assign(new Error('x'), { code: errno }), 'x').code).toBe(code)
})

test('no answer of a file system is a defect of Holdfast, and each has words', () => {
  for (const code of Object.keys(constants.errno)) {
    const error = localError(Object.assign(new Error('x'), { code }), 'the object')
    expect(error, code).toMatchObject({ data: { errno: code } })
    expect(error.code, code).not.toBe('internal')
    expect(error.message, code).toMatch(/^[A-Z].*[.?] \(the object\)$/)
  }
})

test.skipIf(process.getuid?.() !== 0)('a full disk is full, leaves nothing visible, and what was there stays', async () => {
  await mkdir(root)
  const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=2m', 'tmpfs', root])
  if (mounted.status !== 0) return
  try {
    const backend = await openLocal(root, {}, never)
    await backend.put('kept', bytesOf('kept'), {}, never)
    await expect(backend.put('big', { type: 'bytes', bytes: Buffer.alloc(4_000_000) }, {}, never)).rejects.toMatchObject({ code: 'full', data: { place: 'destination' } })
    expect(await names(backend, '')).toEqual(['kept'])
    expect(await readdir(join(root, '.tmp'))).toEqual([])
    await backend.put('small', bytesOf('small'), {}, never)
  } finally {
    spawnSync('umount', [root])
  }
})

test('what dead processes left is cleared away by age; what is young or in use stays', async () => {
  const backend = await openLocal(root, { create: true }, never)
  await backend.put('x', bytesOf('x'), {}, never)
  const temporary = join(root, '.tmp')
  const own = temporaryName()
  const dead = own.replace(/-\d+-/, '-4194999-')
  const elsewhere = own.replace(/^[0-9a-f]{8}/, '00000000')
  const old = new Date(Date.now() - 2 * day)
  const strangers = ['strange', `${dead}.jpg`, `.${dead}`, dead.toUpperCase(), 'claim-0', `${dead}-link-link`]
  for (const name of [own, dead, `${dead}-link`, elsewhere, ...strangers]) {
    await writeFile(join(temporary, name), 'x')
    await utimes(join(temporary, name), old, old)
  }
  await mkdir(join(temporary, dead.replace(/.$/, '0').replace(/..$/, '00')))
  const young = dead.replace(/....$/, 'ffff')
  await writeFile(join(temporary, young), 'x')
  const before = await readdir(temporary)
  await openLocal(root, {}, never)
  expect(await readdir(temporary)).toEqual(before)
  expect(await backend.abortStaleUploads?.(day, never)).toBe(3)
  expect((await readdir(temporary)).sort()).toEqual(before.filter((name) => ![dead, `${dead}-link`, elsewhere].includes(name)).sort())
  expect(await backend.abortStaleUploads?.(-60_000, never)).toBe(1)
})

test('without hard links: the claim of a dead process is broken, that of a living one waited for', async () => {
  const backend = await openLocal(root, { create: true, hardLinks: false }, never)
  await backend.put('a', bytesOf('x'), { ifAbsent: true }, never)
  const claim = join(root, '.tmp', claimName('b'))
  await writeFile(claim, temporaryName().replace(/-\d+-/, '-4194999-'))
  await backend.put('b', bytesOf('mine'), { ifAbsent: true }, never)
  await backend.remove('b', never)
  await writeFile(claim, temporaryName())
  const controller = new AbortController()
  const waiting = codeOf(backend.put('b', bytesOf('mine'), { ifAbsent: true }, controller.signal))
  setImmediate(() => { controller.abort() })
  expect(await waiting).toBe('aborted')
  expect(await names(backend, '')).toEqual(['a'])
})

test('a folder that somebody removed is made again; a staged file that is gone is told', async () => {
  const backend = await openLocal(root, { create: true }, never)
  await backend.put('packs/aa/x', bytesOf('x'), {}, never)
  await rm(join(root, 'packs'), { recursive: true })
  expect(await codeOf(backend.put('packs/aa/y', bytesOf('y'), {}, never))).toBe('done')
  expect(await codeOf(backend.put('packs/aa/z', { type: 'file', path: join(root, '.staging/gone'), size: 1, crc32: 0 }, {}, never))).toBe('damaged')
})

test('a staged file stays where it is until its object is there, and when creation is lost', async () => {
  const backend = await openLocal(root, { create: true }, never)
  const path = join((await backend.openStaging?.('', never))?.path ?? '', 'pack')
  await writeFile(path, 'staged')
  await backend.put('taken', bytesOf('x'), {}, never)
  expect(await codeOf(backend.put('taken', { type: 'file', path, size: 6, crc32: 0 }, { ifAbsent: true }, never))).toBe('exists')
  expect(await codeOf(backend.put('short', { type: 'file', path, size: 7, crc32: 0 }, {}, never))).toBe('damaged')
  expect(await readdir(join(root, '.staging'))).toEqual(['pack'])
  await backend.put('taken', { type: 'file', path, size: 6, crc32: 0 }, {}, never)
  expect(await readdir(join(root, '.staging'))).toEqual([])
  expect(Buffer.from(await backend.get('taken', 'all', never)).toString()).toBe('staged')
})

test('strangers in the folder are passed over, and links out of it are not followed by lists', async () => {
  const backend = await openLocal(root, { create: true }, never)
  await backend.put('packs/x', bytesOf('x'), {}, never)
  await mkdir(join(root, 'Lost+Found'))
  await writeFile(join(root, 'README.txt'), 'hello')
  await writeFile(join(root, 'packs', 'a b'), '')
  await symlink(tmpdir(), join(root, 'packs', 'link'))
  await link(join(root, 'packs/x'), join(root, 'packs/.hidden'))
  expect(await names(backend, '')).toEqual(['packs/x'])
  expect(await codeOf(backend.get('packs', 'all', never))).toBe('damaged')
  expect(await codeOf(backend.stat('packs', never))).toBe('damaged')
})
