import { execFileSync, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { chmodSync, chownSync, existsSync, lstatSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, statSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { StorageBackend } from '../../../../engine/backend/backend.ts'
import { openLocal, type LocalOptions } from '../../../../engine/backend/local/local.ts'
import { asHoldfastError } from '../../../../engine/base/errors.ts'
import { wholeState } from '../../../fixtures/whole-state.ts'
import { bytesOf, codeOf, names } from '../../../suites/backend-contract.ts'

const never = new AbortController().signal
const asRoot = process.getuid?.() === 0
const pack = `packs/ab/${'ab'.repeat(16)}`
const other = `packs/ab/${'ac'.repeat(16)}`

let parent: string
let root: string
let canary: string

beforeEach(() => {
  parent = mkdtempSync(join(tmpdir(), 'holdfast-hostile-'))
  root = join(parent, 'repository')
  canary = join(parent, 'canary')
  mkdirSync(canary)
  for (const name of ['photo', 'ab'.repeat(16), 'ac'.repeat(16)]) writeFileSync(join(canary, name), 'theirs')
})

afterEach(() => { rmSync(parent, { recursive: true, force: true }) })

async function make(options: LocalOptions = {}): Promise<StorageBackend> {
  const backend = await openLocal(root, { create: true, ...options }, never)
  for (const name of ['config', pack, 'keys/aa']) await backend.put(name, bytesOf(name), {}, never)
  return backend
}

/** What stands in the place of something, by a name; each is made at a path that is free. */
const odd: Readonly<Record<string, (path: string) => void | Promise<void>>> = {
  'a symbolic link': (path) => { symlinkSync(join(canary, 'photo'), path) },
  'a symbolic link to a folder': (path) => { symlinkSync(canary, path) },
  'a symbolic link that leads nowhere': (path) => { symlinkSync(join(parent, 'nowhere'), path) },
  'a symbolic link to itself': (path) => { symlinkSync(path, path) },
  'a named pipe': (path) => { execFileSync('mkfifo', [path]) },
  'a socket': async (path) => {
    const server = createServer().listen(join(parent, 's'))
    await once(server, 'listening')
    renameSync(join(parent, 's'), path)
    server.close()
  },
  ...(asRoot ? { 'a device': (path: string) => { execFileSync('mknod', [path, 'c', '1', '5']) } } : {}),
}

describe.each([true, false])('addressed by descriptor: %s', (byDescriptor) => {
  describe.each(Object.keys(odd))('%s', (kind) => {
    const words = kind.startsWith('a symbolic link') ? 'a symbolic link' : kind

    test('in the place of an object is neither read nor followed, says what it is, and can be removed', async () => {
      const backend = await make({ byDescriptor })
      rmSync(join(root, pack))
      await odd[kind]?.(join(root, pack))
      const before = wholeState(canary)
      for (const work of [
        () => backend.get(pack, 'all', never), () => backend.get(pack, { offset: 0, length: 1 }, never), () => backend.stat(pack, never),
        () => backend.put(pack, bytesOf('x'), { ifAbsent: true }, never),
      ]) {
        const error = asHoldfastError(await work().then(() => new Error('it worked'), (thrown: unknown) => thrown))
        expect(error).toMatchObject({ code: 'damaged', message: expect.stringContaining(`At ${join(root, pack)}, where a file of the repository belongs, is ${words}.`) as string })
      }
      if (kind !== 'a symbolic link to a folder') {
        const infos = []
        for await (const info of backend.list('packs/', never)) infos.push(info)
        expect(infos).toMatchObject([{ name: pack, size: 0 }])
      }
      await backend.remove(pack, never)
      expect(await names(backend, 'packs/')).toEqual([])
      expect(wholeState(canary)).toEqual(before)
    })

    test.each(['packs', 'packs/ab', 'keys', '.tmp'])('in the place of the folder %s is not entered', async (folder) => {
      const backend = await make({ byDescriptor })
      renameSync(join(root, folder), join(parent, 'away'))
      await odd[kind]?.(join(root, folder))
      const before = wholeState(parent)
      const object = folder === 'keys' ? 'keys/aa' : pack
      const codes = [
        await codeOf(backend.put(folder === 'keys' ? 'keys/bb' : other, bytesOf('x'), {}, never)),
        await codeOf(backend.get(object, 'all', never)),
        await codeOf(backend.stat(object, never)),
        await codeOf(backend.remove(object, never)),
        await codeOf(backend.abortStaleUploads?.(-60_000, never) ?? Promise.resolve()),
        await codeOf(names(backend, `${folder.split('/', 1).join('')}/`.replace('.tmp/', 'packs/'))),
      ]
      const toFolder = kind === 'a symbolic link to a folder'
      if (folder === '.tmp') {
        // What is read needs no .tmp.
        expect(codes.slice(0, 3)).toEqual(['damaged', 'done', 'done'])
        expect(codes.slice(4)).toEqual(['damaged', 'done'])
      } else {
        expect(codes.slice(0, 4)).toEqual(['damaged', 'damaged', 'damaged', 'damaged'])
        expect(codes[5]).toBe(toFolder || folder !== 'packs/ab' ? 'damaged' : 'done')
      }
      const after = wholeState(parent)
      for (const path of Object.keys(before).filter((one) => one.startsWith('canary') || one.startsWith('away'))) expect(after[path], path).toBe(before[path])
    })
  })

  test('a staging folder that is a link, or has links and pipes in it, loses nothing', async () => {
    const backend = await make({ byDescriptor })
    const staging = await backend.openStaging?.('job', never)
    const path = staging?.path ?? ''
    const staged = '00000000-0000-4000-8000-000000000000.pack'
    for (const name of ['diary.txt', staged, `${staged}.jpg`]) writeFileSync(join(path, name), 'x')
    symlinkSync(join(canary, 'photo'), join(path, 'prune-00000000000000000000000000000000'))
    mkdirSync(join(path, staged.replace('4', '5')))
    const again = await backend.openStaging?.('job', never)
    expect(again?.names).toEqual([staged])
    for (const name of readdirSync(path)) await again?.remove(name)
    expect(readdirSync(path).sort()).toEqual([`${staged}.jpg`, staged.replace('4', '5'), 'diary.txt', 'prune-00000000000000000000000000000000'].sort())
    renameSync(path, join(parent, 'away'))
    symlinkSync(canary, path)
    const before = wholeState(canary)
    expect(await codeOf(backend.openStaging?.('job', never) ?? Promise.resolve())).toBe('damaged')
    expect(await codeOf(again?.remove(staged) ?? Promise.resolve())).toBe('damaged')
    writeFileSync(join(parent, 'pack'), 'x')
    expect(await codeOf(backend.put(other, { type: 'file', path: join(path, 'photo'), size: 6, crc32: 0 }, {}, never))).toBe('damaged')
    expect(wholeState(canary)).toEqual(before)
    expect(await codeOf(backend.openStaging?.('../../canary', never) ?? Promise.resolve())).toBe('arguments')
  })

  test('an endless file is not read', async () => {
    const backend = await make({ byDescriptor })
    truncateSync(join(root, pack), 2 ** 40)
    expect(await codeOf(backend.get(pack, 'all', never))).toBe('damaged')
    expect(await backend.get(pack, { offset: 2 ** 39, length: 3 }, never)).toEqual(Buffer.alloc(3))
  })
})

test('a link that the user names as the repository is followed, once; an object may not be outside of it', async () => {
  await make()
  symlinkSync(root, join(parent, 'link'))
  const backend = await openLocal(join(parent, 'link'), {}, never)
  expect(Buffer.from(await backend.get(pack, 'all', never)).toString()).toBe(pack)
  // Whoever turns the link elsewhere leads nobody there.
  rmSync(join(parent, 'link'))
  symlinkSync(canary, join(parent, 'link'))
  await backend.put(other, bytesOf('x'), {}, never)
  expect(existsSync(join(root, other))).toBe(true)
  expect(readdirSync(canary)).toHaveLength(3)
})

test('another folder in the place of the root is offline, whatever lies in it; the same repository, come back as another folder, is not', async () => {
  const backend = await make()
  renameSync(root, join(parent, 'away'))
  symlinkSync(canary, root)
  const before = wholeState(canary)
  expect(await codeOf(backend.put(other, bytesOf('x'), {}, never))).toBe('offline')
  expect(await codeOf(backend.remove(pack, never))).toBe('offline')
  rmSync(root)
  await using stranger = await openLocal(root, { create: true }, never)
  await stranger.put('config', bytesOf('another'), {}, never)
  expect(await codeOf(backend.put(other, bytesOf('x'), {}, never))).toBe('offline')
  rmSync(root, { recursive: true })
  execFileSync('cp', ['-a', join(parent, 'away'), root])
  expect(await codeOf(backend.put(other, bytesOf('x'), {}, never))).toBe('done')
  expect(wholeState(canary)).toEqual(before)
})

test.skipIf(!asRoot)('a mount inside of the repository is not entered', async () => {
  const backend = await make()
  rmSync(join(root, 'packs/ab'), { recursive: true })
  mkdirSync(join(root, 'packs/ab'))
  if (spawnSync('mount', ['-t', 'tmpfs', 'tmpfs', join(root, 'packs/ab')]).status !== 0) return
  try {
    for (const work of [() => backend.put(other, bytesOf('x'), {}, never), () => names(backend, 'packs/'), () => backend.get(pack, 'all', never)]) {
      await expect(work()).rejects.toMatchObject({ code: 'damaged', message: expect.stringContaining('Another file system is mounted') as string })
    }
    expect(readdirSync(join(root, 'packs/ab'))).toEqual([])
  } finally {
    spawnSync('umount', [join(root, 'packs/ab')])
  }
})

test('somebody who swaps folders for links while work goes on leads nothing outside', async () => {
  const backend = await make()
  symlinkSync(canary, join(root, 'link'))
  const before = wholeState(canary)
  const program = `
    const { renameSync } = await import('node:fs')
    process.chdir(${JSON.stringify(root)})
    process.stdout.write('ready')
    const move = (from, to) => { try { renameSync(from, to) } catch { /* Holdfast has made a folder meanwhile. */ } }
    for (;;) {
      for (const name of ['packs', 'packs/ab']) {
        move(name, 'real'); move('link', name)
        move(name, 'link'); move('real', name)
      }
    }`
  const child = spawn(process.execPath, ['--input-type=module', '-e', program], { stdio: ['ignore', 'pipe', 'ignore'] })
  const closed = once(child, 'close')
  await once(child.stdout, 'data')
  const codes = new Map<string, number>()
  const count = async (work: Promise<unknown>): Promise<void> => {
    const code = await codeOf(work)
    codes.set(code, (codes.get(code) ?? 0) + 1)
  }
  for (let round = 0; round < 300; round++) {
    await count(backend.put(other, bytesOf('ours'), {}, never))
    await count(backend.get(pack, 'all', never))
    await count(names(backend, 'packs/'))
    await count(backend.remove(other, never))
  }
  child.kill('SIGKILL')
  await closed
  expect(wholeState(canary)).toEqual(before)
  // Both ways were met: the race was run.
  expect(codes.get('done') ?? 0).toBeGreaterThan(0)
  expect(codes.get('damaged') ?? 0).toBeGreaterThan(0)
})

test.each([0o000, 0o022, 0o077, 0o002])('under umask %o all is for the user alone; a folder that a group shares on purpose stays shared', async (mask) => {
  const modes = async (): Promise<string[]> => {
    const backend = await make()
    const staging = await backend.openStaging?.('job', never)
    const staged = join(staging?.path ?? '', 'pack')
    writeFileSync(staged, 'staged', { mode: 0o600 })
    await backend.put(other, { type: 'file', path: staged, size: 6, crc32: 0 }, {}, never)
    return ['', '.tmp', '.staging', '.staging/job', 'packs', 'packs/ab', 'config', pack, other].map((name) => (lstatSync(join(root, name)).mode & 0o7777).toString(8))
  }
  const before = process.umask(mask)
  try {
    expect(await modes()).toEqual(['700', '700', '700', '700', '700', '700', '600', '600', '600'])
    rmSync(root, { recursive: true })
    mkdirSync(root)
    chmodSync(root, 0o2770)
    if (asRoot) chownSync(root, 0, 65534)
    if (asRoot) chmodSync(root, 0o2770)
    expect(await modes()).toEqual(['2770', '2770', '2770', '2770', '2770', '2770', '660', '660', '660'])
    if (asRoot) expect(statSync(join(root, pack)).gid).toBe(65534)
    rmSync(root, { recursive: true })
    mkdirSync(root)
    chmodSync(root, 0o775)
    expect(await modes()).toEqual(['775', '700', '700', '700', '700', '700', '600', '600', '600'])
  } finally {
    process.umask(before)
  }
})
