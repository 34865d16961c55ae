import { execFileSync } from 'node:child_process'
import { existsSync, lstatSync, mkdirSync, mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { backup } from '../../../../engine/commands/backup.ts'
import { openReader } from '../../../../engine/commands/reader.ts'
import type { BackupJob } from '../../../../engine/protocol/job.ts'
import type { RunSummary } from '../../../../engine/protocol/progress.ts'
import { hookedDisk, type DiskHooks } from '../../../fixtures/disk.ts'
import { accessList, setExtended } from '../../../fixtures/odd-tree.ts'
import { storedEntries, type StoredEntry } from '../../../fixtures/snapshot.ts'
import { World } from '../../../fixtures/world.ts'

let world: World
beforeEach(() => { world = new World() })
afterEach(() => { world[Symbol.dispose]() })

function write(name: string, content: string): string {
  const path = join(world.source, name)
  mkdirSync(join(path, '..'), { recursive: true })
  writeFileSync(path, content)
  return path
}

const job = (): BackupJob => ({
  ...world.common, type: 'backup', name: 'photos', sources: [world.source], dryRun: false, onFailure: 'drain', create: true, verify: false,
  excludes: { patterns: [], presets: [], oneFileSystem: false },
})

const backupWith = (hooks: DiskHooks): Promise<RunSummary> => backup(job(), world.context(), hookedDisk(hooks))

async function entries(): Promise<Record<string, StoredEntry>> {
  await using reader = await openReader({ ...world.common, type: 'browse' }, world.context())
  const found: Record<string, StoredEntry> = {}
  for await (const entry of storedEntries(reader)) found[entry.path] = entry
  return found
}

/** Of an entry: kind, name and value of each. */
async function attributesOf(path: string): Promise<unknown> {
  return (await entries())[path]?.attributes.map(({ kind, name, value }) => [kind, Buffer.from(name).toString(), Buffer.from(value).toString('latin1')])
}

function set(path: string, name: string, value: string | Buffer): void {
  expect(setExtended(path, name, Buffer.from(value))).toBe(true)
}

const unset = (path: string, name: string): void => { execFileSync('python3', ['-c', 'import os, sys; os.removexattr(sys.argv[1], sys.argv[2])', path, name]) }

describe('a change of attributes alone is seen', () => {
  test('of a file', async () => {
    const path = write('file', 'content')
    await world.backup()
    set(path, 'user.note', 'one')
    expect(await world.backup()).toMatchObject({ outcome: 'success', files: { deduplicated: 1 } })
    expect(await attributesOf('/file')).toEqual([[1, 'user.note', 'one']])
    expect(await world.backup()).toMatchObject({ outcome: 'unchanged' })
    set(path, 'user.note', 'two')
    expect(await world.backup()).toMatchObject({ outcome: 'success' })
    expect(await attributesOf('/file')).toEqual([[1, 'user.note', 'two']])
    unset(path, 'user.note')
    expect(await world.backup()).toMatchObject({ outcome: 'success' })
    expect(await attributesOf('/file')).toEqual([])
  }, 60_000)

  test.each([['short', 10], ['long', 900]])('of a folder and of an empty file, %s ones', async (_, length) => {
    write('folder/empty', '')
    await world.backup()
    for (const name of ['folder', 'folder/empty']) {
      const path = join(world.source, name)
      for (const value of ['a', 'b']) {
        set(path, 'user.note', value.repeat(length))
        expect(await world.backup(), name).toMatchObject({ outcome: 'success' })
        expect(await attributesOf(`/${name}`)).toEqual([[1, 'user.note', value.repeat(length)]])
        expect(await world.backup(), name).toMatchObject({ outcome: 'unchanged' })
      }
      unset(path, 'user.note')
      expect(await world.backup(), name).toMatchObject({ outcome: 'success' })
      expect(await attributesOf(`/${name}`)).toEqual([])
    }
  }, 90_000)

  test.runIf(process.getuid?.() === 0)('of a symlink, and not of what it leads to', async () => {
    set(write('file', 'content'), 'user.note', 'of the file')
    symlinkSync('file', join(world.source, 'link'))
    await world.backup()
    expect(await attributesOf('/link')).toEqual([])
    set(join(world.source, 'link'), 'trusted.note', 'of the link')
    expect(await world.backup()).toMatchObject({ outcome: 'success' })
    expect(await attributesOf('/link')).toEqual([[1, 'trusted.note', 'of the link']])
    expect(await world.backup()).toMatchObject({ outcome: 'unchanged' })
  })
})

test('access control lists, those for what is made later, and capabilities are such', async () => {
  set(write('folder/file', 'content'), 'system.posix_acl_access', accessList)
  set(join(world.source, 'folder'), 'system.posix_acl_default', accessList)
  await world.backup()
  expect(await attributesOf('/folder/file')).toEqual([[1, 'system.posix_acl_access', accessList.toString('latin1')]])
  expect(await attributesOf('/folder')).toEqual([[1, 'system.posix_acl_default', accessList.toString('latin1')]])
})

test('long ones of a big file are in a blob of their own, which outlives a prune and is checked', async () => {
  const path = write('big', 'x'.repeat(9_000_000))
  for (const at of [1, 2, 3]) set(path, `user.part ${String(at)}`, String(at).repeat(800))
  await world.backup()
  write('other', 'something new')
  await world.backup()
  await world.run({ ...world.common, type: 'forget', snapshots: ['photos@1'], dryRun: false })
  await world.run({ ...world.common, type: 'prune', dryRun: false, minimumAgeMs: 0 })
  expect(await world.check({ readDataPercent: 100 })).toMatchObject({ outcome: 'success', problems: 0 })
  expect(await attributesOf('/big')).toEqual([1, 2, 3].map((at) => [1, `user.part ${String(at)}`, String(at).repeat(800)]))
  rmSync(world.home, { recursive: true })
  expect(await world.backup()).toMatchObject({ outcome: 'success', problems: 0 })
  expect(await world.check({ readDataPercent: 100 })).toMatchObject({ outcome: 'success', problems: 0 })
})

test('what nobody may read of them is a note once a run, not a warning', async () => {
  for (const name of ['a', 'b', 'c']) write(name, '')
  const summary = await backupWith({ attributes: () => ({ found: [], failure: 'EPERM' }) })
  expect(summary).toMatchObject({ outcome: 'success', problems: 0, notes: [{ code: 'attributes', count: 4, message: 'Some extended attributes cannot be read (EPERM).' }] })
})

test('more than 1 MiB of them is a problem of that entry, which is stored without', async () => {
  const path = write('file', '')
  const found = Array.from({ length: 17 }, (_, at) => ({ name: Buffer.from(`user.${String(at)}`), value: Buffer.alloc(65_536) }))
  const summary = await backupWith({ attributes: (asked) => ({ found: asked === path ? found : [] }) })
  expect(summary).toMatchObject({ outcome: 'warnings', problems: 1, firstProblems: [{ code: 'metadata', path }] })
  expect(await attributesOf('/file')).toEqual([])
})

describe('flags and times', () => {
  test('the time of creation is recorded where the file system tells it', async () => {
    const path = write('file', 'content')
    await world.backup()
    const told = execFileSync('stat', ['-c', '%W', path]).toString().trim()
    const { birthNs } = (await entries())['/file']?.node ?? {}
    expect(told === '0' ? undefined : BigInt(told)).toBe(birthNs === undefined ? undefined : birthNs / 1_000_000_000n)
  })

  test('what is marked as not to be dumped is recorded, and left out where that is asked for', async () => {
    write('kept', 'kept')
    for (const path of [write('marked', 'marked'), join(write('folder/file', 'file'), '..')]) execFileSync('chattr', ['+d', path])
    await world.backup()
    expect(await attributesOf('/marked')).toEqual([[2, '', '\x40\0\0\0']])
    expect(await world.backup({ excludes: { patterns: [], presets: ['nodump'], oneFileSystem: false } })).toMatchObject({ outcome: 'success', files: { found: 1 } })
    expect(Object.keys(await entries())).toEqual(['/kept'])
  })

  test('times beyond 64 bits of ns are stored as the nearest, told once, and no change in each run', async () => {
    const parent = existsSync('/dev/shm') ? '/dev/shm' : world.folder
    const source = mkdtempSync(join(parent, 'holdfast-times-'))
    try {
      for (const [name, date] of [['old', '1601-01-01'], ['new', '2400-01-01'], ['edge', '1677-09-22'], ['negative', '1969-12-31 23:59:59.999999999 UTC']] as const) {
        writeFileSync(join(source, name), name)
        execFileSync('touch', ['-d', date, join(source, name)])
      }
      const beyond = ['old', 'new'].filter((name) => Math.abs(Number(lstatSync(join(source, name), { bigint: true }).mtimeNs)) > 2 ** 63)
      const notes = [{ code: 'time', count: beyond.length }]
      expect(await world.backup({ sources: [source] })).toMatchObject({ outcome: 'success', notes })
      const stored = await entries()
      expect(stored['/old']?.node.mtimeNs).toBe(-(2n ** 63n))
      expect(stored['/new']?.node.mtimeNs).toBe(2n ** 63n - 1n)
      expect(stored['/negative']?.node.mtimeNs).toBe(-1n)
      expect(stored['/edge']?.node.mtimeNs).toBe(statSync(join(source, 'edge'), { bigint: true }).mtimeNs)
      expect(await world.backup({ sources: [source] })).toMatchObject({ outcome: 'unchanged', files: { unchanged: 4 }, notes })
    } finally {
      rmSync(source, { recursive: true })
    }
  })
})

test('a name that no snapshot holds is a problem of that entry', async () => {
  write('file', 'content')
  const long = 'n'.repeat(1024)
  const fits = 'n'.repeat(1023)
  const stat = statSync(write('empty', ''), { bigint: true })
  const summary = await backupWith({
    names: (_path, ask) => {
      const names = ask()
      return names.ok ? { ok: true, value: [...names.value, fits, long] } : names
    },
    entry: (path, ask) => {
      if (!path.endsWith('nnn')) return ask()
      return { ok: true, value: { type: 'fifo', mode: 0o644, uid: 0, gid: 0, linkCount: 1, inode: stat.ino, device: stat.dev, size: 0n, sparse: false, mtimeNs: 0n, ctimeNs: 0n, flags: 0, clamped: false } }
    },
  })
  expect(summary).toMatchObject({ outcome: 'warnings', problems: 1, firstProblems: [{ code: 'unreadable', path: join(world.source, long) }] })
  expect(Object.keys(await entries())).toEqual(['/empty', '/file', `/${fits}`])
})
