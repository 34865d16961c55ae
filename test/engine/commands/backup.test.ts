import { execFileSync } from 'node:child_process'
import { appendFileSync, chmodSync, existsSync, linkSync, lstatSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, unlinkSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { backup } from '../../../engine/commands/backup.ts'
import { RunFailed } from '../../../engine/commands/failure.ts'
import type { Disk } from '../../../engine/source/disk.ts'
import { SeededRandom } from '../../bench/random.ts'
import { hookedDisk } from '../../fixtures/disk.ts'
import { describeTree, makeOddTree } from '../../fixtures/tree.ts'
import type { World } from '../../fixtures/world.ts'
import { quickWorld } from '../../fixtures/quick-world.ts'

let world: World

beforeEach(async () => { world = await quickWorld() })
afterEach(() => { world[Symbol.dispose]() })

async function restored(): Promise<readonly string[]> {
  const target = join(world.folder, `restored-${readdirSync(world.folder).length}`)
  await world.restore(target)
  return describeTree(join(target, 'source'))
}

function write(name: string, bytes: string | Uint8Array): string {
  const path = join(world.source, name)
  mkdirSync(join(path, '..'), { recursive: true })
  writeFileSync(path, bytes)
  return path
}

function repositoryFiles(): string[] {
  return readdirSync(world.repository, { recursive: true, encoding: 'utf8' }).sort()
}

const backupWith = (disk: Disk): ReturnType<typeof backup> => backup({
  ...world.common, type: 'backup', name: 'photos', sources: [world.source], dryRun: false, onFailure: 'drain', create: true, verify: false,
  excludes: { patterns: [], presets: [], oneFileSystem: false },
}, world.context(), disk)

test('every kind of entry comes back as it was', async () => {
  rmSync(world.source, { recursive: true })
  makeOddTree(world.source)
  const summary = await world.backup()
  expect(summary).toMatchObject({ outcome: 'success', problems: 0, snapshot: 'photos@1' })
  expect(await restored()).toEqual(describeTree(world.source))
})

test('when the last snapshot is damaged, a source without changes is stored as a new one', async () => {
  write('one', 'one')
  await world.backup()
  const [object = ''] = repositoryFiles().filter((name) => name.startsWith('snapshots/') && statSync(join(world.repository, name)).isFile())
  const bytes = readFileSync(join(world.repository, object))
  rmSync(join(world.repository, object))
  writeFileSync(join(world.repository, object), bytes.subarray(0, bytes.length >> 1))
  expect(await world.backup()).toMatchObject({ outcome: 'success', snapshot: 'photos@2' })
  expect(await restored()).toEqual(describeTree(world.source))
})

test('big files, and folders of many files, come back as they were, also when something is inserted', async () => {
  const bytes = new SeededRandom(3).bytes(21_000_000)
  write('big.bin', bytes)
  for (let at = 0; at < 5000; at++) write(`many/file-${at * 2}`, String(at))
  await world.backup()
  write('big.bin', Buffer.concat([bytes.subarray(0, 9_000_000), Buffer.from('inserted'), bytes.subarray(9_000_000)]))
  write('many/file-4001', 'new')
  unlinkSync(join(world.source, 'many/file-42'))
  const second = await world.backup()
  expect(second.uploadedBytes).toBeLessThan(6_000_000)
  expect(second.files).toMatchObject({ found: 5001, unchanged: 4999, uploaded: 2 })
  expect(await restored()).toEqual(describeTree(world.source))
})

describe('a second run', () => {
  test('without any change writes nothing to the storage', async () => {
    write('a/b/file', 'content')
    await world.backup()
    const before = repositoryFiles()
    const summary = await world.backup()
    expect(summary).toMatchObject({ outcome: 'unchanged', snapshot: 'photos@1', uploadedBytes: 0, files: { found: 1, unchanged: 1 } })
    expect(repositoryFiles()).toEqual(before)
  })

  test('makes a snapshot all the same when the last one was forgotten', async () => {
    write('file', 'content')
    await world.backup()
    await world.run({ ...world.common, type: 'forget', snapshots: ['photos@1'], dryRun: false })
    expect(await world.backup()).toMatchObject({ outcome: 'success', snapshot: 'photos@2' })
    expect(await restored()).toEqual(describeTree(world.source))
  })

  test.each<[string, () => void]>([
    ['a file with new content of the same size and mtime', () => {
      const path = join(world.source, 'a/file')
      const { atime, mtime } = statSync(path)
      writeFileSync(path, 'CONTENT')
      utimesSync(path, atime, mtime)
    }],
    ['a new file', () => { write('a/new', 'new') }],
    ['a deleted file', () => { unlinkSync(join(world.source, 'a/file')) }],
    ['a deleted last entry', () => { unlinkSync(join(world.source, 'a/zzz')) }],
    ['a deleted folder', () => { rmSync(join(world.source, 'b'), { recursive: true }) }],
    ['a renamed folder', () => { renameSync(join(world.source, 'b'), join(world.source, 'c')) }],
    ['a file that became a folder', () => {
      unlinkSync(join(world.source, 'a/file'))
      write('a/file/inside', 'x')
    }],
    ['a folder that became a file', () => {
      rmSync(join(world.source, 'b'), { recursive: true })
      write('b', 'now a file')
    }],
    ['a changed mode', () => { chmodSync(join(world.source, 'a/file'), 0o600) }],
    ['a changed mode of a folder', () => { chmodSync(join(world.source, 'b'), 0o700) }],
    ['a new link', () => { linkSync(join(world.source, 'a/file'), join(world.source, 'b/linked')) }],
    ['an emptied folder', () => { for (const name of ['other', 'third']) unlinkSync(join(world.source, 'b', name)) }],
  ])('stores %s', async (_, change) => {
    for (const name of ['a/file', 'a/zzz', 'b/other', 'b/third']) write(name, name === 'a/file' ? 'content' : name)
    await world.backup()
    change()
    expect(await world.backup()).toMatchObject({ outcome: 'success', snapshot: 'photos@2' })
    expect(await restored()).toEqual(describeTree(world.source))
  })

  test('without its catalog compares with the snapshot in the repository, and sends nothing again', async () => {
    write('file', new SeededRandom(4).bytes(500_000))
    await world.backup()
    rmSync(world.home, { recursive: true })
    const summary = await world.backup()
    expect(summary).toMatchObject({ files: { unchanged: 1, uploaded: 0 } })
    expect(summary.uploadedBytes).toBeLessThan(10_000)
    expect(await restored()).toEqual(describeTree(world.source))
  })

  test('of another job shares what is stored', async () => {
    write('file', new SeededRandom(5).bytes(500_000))
    await world.backup()
    const summary = await world.backup({ name: 'other' })
    expect(summary).toMatchObject({ snapshot: 'other@1', files: { deduplicated: 1, uploaded: 0 } })
    expect(summary.uploadedBytes).toBeLessThan(10_000)
  })
})

test('a file with several links is read once', async () => {
  const path = write('one', new SeededRandom(6).bytes(200_000))
  linkSync(path, join(world.source, 'two'))
  linkSync(path, join(world.source, 'three'))
  const summary = await world.backup()
  expect(summary).toMatchObject({ files: { found: 3, uploaded: 1, deduplicated: 2 }, bytes: { found: 600_000, deduplicated: 400_000, uploaded: 200_000 } })
  expect(await restored()).toEqual(describeTree(world.source))
})

describe('sources', () => {
  test('may be files, and may have the same name', async () => {
    const one = write('x/data', 'one')
    const two = write('y/data', 'two')
    await world.backup({ sources: [one, two] })
    const target = join(world.folder, 'out')
    await world.restore(target)
    expect(readFileSync(join(target, 'data (x)'), 'utf8')).toBe('one')
    expect(readFileSync(join(target, 'data (y)'), 'utf8')).toBe('two')
  })

  test('that do not exist fail the run before anything is made', async () => {
    await expect(world.backup({ sources: [join(world.folder, 'nowhere')] })).rejects.toMatchObject({ code: 'source-missing' })
    expect(existsSync(world.home)).toBe(false)
  })

  test('of which one is missing: the others are stored, and the summary says so', async () => {
    write('file', 'here')
    const summary = await world.backup({ sources: [world.source, join(world.folder, 'nowhere')] })
    expect(summary).toMatchObject({ outcome: 'warnings', snapshot: 'photos@1', firstProblems: [{ code: 'source-missing', path: join(world.folder, 'nowhere') }] })
  })

  test('never include the local repository or the home of Holdfast', async () => {
    write('file', 'here')
    const repository = world.repository
    await world.backup({ sources: [world.folder] })
    const target = join(world.folder, 'out')
    await world.restore(target)
    const [top] = readdirSync(target)
    expect(readdirSync(join(target, top ?? '')).sort()).toEqual(['source'])
    expect(repository.startsWith(world.folder)).toBe(true)
  })
})

test('exclude rules leave out what they name, and no more', async () => {
  for (const name of ['keep.txt', 'drop.tmp', 'node_modules/x/index.js', 'cache/CACHEDIR.TAG', 'cache/data', 'private/.nobackup', 'private/data']) write(name, name)
  write('cache/CACHEDIR.TAG', 'Signature: 8a477f597d28d172789f06886806bc55')
  write('large', new SeededRandom(7).bytes(20_000))
  await world.backup({ excludes: { patterns: ['*.tmp'], presets: ['node_modules', 'nobackup', 'cachedir'], largerThanBytes: 10_000, oneFileSystem: true } })
  const shown = (await restored()).map((line) => line.split(' ')[0])
  expect(shown).toEqual(['/', '/cache/', '/keep.txt', '/private/'])
})

test('a dry run counts everything and leaves neither catalog nor destination changed', async () => {
  write('file', new SeededRandom(8).bytes(300_000))
  await world.backup()
  write('new', new SeededRandom(9).bytes(400_000))
  const state = (): string => [world.repository, world.home].flatMap((folder) => readdirSync(folder, { recursive: true, encoding: 'utf8' }).sort().map((name) => join(folder, name)))
    .filter((path) => lstatSync(path).isFile() && !path.endsWith('-shm') && !path.endsWith('-wal') && !path.endsWith('.lock')).map((path) => `${path} ${statSync(path).size} ${statSync(path).mtimeMs}`).join('\n')
  const before = state()
  const summary = await world.backup({ dryRun: true })
  expect(summary).toMatchObject({ files: { found: 2, unchanged: 1, uploaded: 1 }, bytes: { uploaded: 400_000 }, uploadedBytes: 0 })
  expect(summary.snapshot).toBeUndefined()
  expect(state()).toBe(before)
  expect(await world.backup()).toMatchObject({ snapshot: 'photos@2', files: { uploaded: 1 } })
})

describe('what cannot be stored as it is', () => {
  test('a file that vanishes is a warning', async () => {
    write('stays', 'stays')
    const gone = write('goes', 'goes')
    const disk: Disk = hookedDisk({ entry: (path, ask) => { const result = ask(); if (path === gone) rmSync(gone); return result } })
    expect(await backupWith(disk)).toMatchObject({ outcome: 'warnings', problems: 1, firstProblems: [{ code: 'vanished', path: gone }] })
    expect(world.problems).toHaveLength(1)
    expect((await restored()).some((line) => line.startsWith('/stays'))).toBe(true)
  })

  test('a file that changed since it was seen is stored as it is now', async () => {
    const path = write('growing', 'short')
    const disk: Disk = hookedDisk({ entry: (asked, ask) => { const result = ask(); if (asked === path) appendFileSync(path, ', then longer'); return result } })
    expect(await backupWith(disk)).toMatchObject({ outcome: 'success', problems: 0 })
    expect(await restored()).toEqual(describeTree(world.source))
    expect(await world.backup()).toMatchObject({ outcome: 'unchanged' })
  })

  test('a small file that outgrew its room is read as a big one', async () => {
    const path = write('growing', 'short')
    const disk: Disk = hookedDisk({ entry: (asked, ask) => { const result = ask(); if (asked === path) writeFileSync(path, new SeededRandom(1).bytes(9_000_000)); return result } })
    expect(await backupWith(disk)).toMatchObject({ outcome: 'success', problems: 0 })
    expect(await restored()).toEqual(describeTree(world.source))
  })

  test('sockets and devices are left out with a note for each kind, and the run is a success', async () => {
    write('file', 'file')
    execFileSync('python3', ['-c', `import socket; socket.socket(socket.AF_UNIX).bind(${JSON.stringify(join(world.source, 'socket'))})`])
    const devices = process.getuid?.() === 0
    for (const name of devices ? ['null', 'zero'] : []) execFileSync('mknod', [join(world.source, name), 'c', '1', '3'])
    const notes = [...(devices ? [{ code: 'device', count: 2, path: join(world.source, 'null') }] : []), { code: 'socket', count: 1, path: join(world.source, 'socket') }]
    expect(await world.backup()).toMatchObject({ outcome: 'success', problems: 0, firstProblems: [], notes })
    expect(await world.backup()).toMatchObject({ outcome: 'unchanged', notes })
  })

  test('what cannot be read keeps its last stored version, and nothing is forgotten silently', async () => {
    write('file', 'first')
    write('folder/inside', 'first too')
    await world.backup()
    const before = describeTree(world.source)
    write('file', 'second')
    const locked = new Set([join(world.source, 'folder')])
    const disk: Disk = hookedDisk({ names: (path, ask) => locked.has(path) ? { ok: false, failure: { code: 'unreadable', reason: 'EACCES' } } : ask() })
    const summary = await backupWith(disk)
    expect(summary).toMatchObject({ outcome: 'warnings', firstProblems: [{ code: 'unreadable', path: join(world.source, 'folder') }] })
    expect((await restored()).filter((line) => line.startsWith('/folder'))).toEqual(before.filter((line) => line.startsWith('/folder')))
  })
})

test.runIf(process.getuid?.() === 0)('a file without permission is a warning, for a user who is not root', async () => {
  const locked = write('locked', 'secret')
  write('open', 'open')
  chmodSync(locked, 0o000)
  execFileSync('chown', ['-R', '65534:65534', world.folder])
  chmodSync(world.folder, 0o755)
  const script = join(world.folder, 'run.mts')
  writeFileSync(script, `
    process.setgid(65534); process.setuid(65534)
    const { World } = await import(${JSON.stringify(new URL('../../fixtures/world.ts', import.meta.url).href)})
    const world = new World(${JSON.stringify(world.repository)})
    const summary = await world.backup({ sources: [${JSON.stringify(world.source)}] })
    world[Symbol.dispose]()
    console.log(JSON.stringify(summary))`)
  const output = execFileSync(process.execPath, [script], { encoding: 'utf8' })
  expect(JSON.parse(output)).toMatchObject({ outcome: 'warnings', problems: 1, firstProblems: [{ code: 'unreadable', path: locked }] })
})

test('sample verification finds a pack that is no longer what was written', async () => {
  write('file', new SeededRandom(10).bytes(300_000))
  expect(await world.backup()).toMatchObject({ outcome: 'success' })
  const pack = repositoryFiles().map((name) => join(world.repository, name)).filter((path) => path.includes('/packs/') && lstatSync(path).isFile() && statSync(path).size > 300_000)[0] ?? ''
  const bytes = readFileSync(pack)
  bytes[1000] = (bytes[1000] ?? 0) ^ 1
  rmSync(pack)
  writeFileSync(pack, bytes)
  write('other', 'changes')
  expect(await world.backup({ verify: true })).toMatchObject({ outcome: 'warnings', firstProblems: [{ code: 'damaged' }] })
})

test('the same job cannot run twice at once', async () => {
  write('file', 'x')
  await world.backup()
  write('file', 'y')
  const results = await Promise.allSettled([world.backup(), world.backup()])
  expect(results.map((result) => result.status).sort()).toEqual(['fulfilled', 'rejected'])
  expect(results.find((result) => result.status === 'rejected')).toMatchObject({ reason: { code: 'busy' } })
})

test('a stopped run says so, and how far it came', async () => {
  write('file', new SeededRandom(11).bytes(300_000))
  const stop = new AbortController()
  const running = world.backup({}, stop.signal)
  stop.abort()
  await expect(running).rejects.toMatchObject({ code: 'aborted' })
  const error = await world.backup({ name: 'again' }, AbortSignal.abort()).catch((reason: unknown) => reason)
  expect(error instanceof RunFailed || error instanceof Error).toBe(true)
})
