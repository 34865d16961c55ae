import { appendFileSync, copyFileSync, mkdtempSync, rmSync, statSync, symlinkSync, truncateSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { fromText } from '../../../../engine/base/byte-string.ts'
import { isUnchanged, isWhole, type Chunks } from '../../../../engine/commands/drill/compare.ts'
import { BlobHasher } from '../../../../engine/repository/blob-id.ts'

const hasher = new BlobHasher(new Uint8Array(32).fill(7))
const parts = ['first part', 'second', 'the third and last'].map((part) => Buffer.from(part))
let folder: string
let path: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'holdfast-compare-'))
  path = join(folder, 'été 1')
  writeFileSync(path, Buffer.concat(parts))
})

afterEach(() => { rmSync(folder, { recursive: true }) })

async function* chunks(): Chunks {
  for (const part of parts) yield await Promise.resolve({ id: hasher.idOf(part).slice(), length: part.length })
}

function whole(): Promise<boolean> {
  return isWhole(fromText(path), chunks(), hasher, new AbortController().signal)
}

test('a file is whole when it holds its chunks, in their order, and nothing else', async () => {
  expect(await whole()).toBe(true)
  appendFileSync(path, 'x')
  expect(await whole()).toBe(false)
  truncateSync(path, Buffer.concat(parts).length - 1)
  expect(await whole()).toBe(false)
  writeFileSync(path, Buffer.concat(parts.toReversed()))
  expect(await whole()).toBe(false)
  const spoiled = Buffer.concat(parts)
  spoiled[12] = (spoiled[12] ?? 0) ^ 1
  writeFileSync(path, spoiled)
  expect(await whole()).toBe(false)
})

test('a link in the place of a file is not followed', async () => {
  copyFileSync(path, join(folder, 'other'))
  rmSync(path)
  symlinkSync('other', path)
  await expect(whole()).rejects.toMatchObject({ code: 'ELOOP' })
})

test('a source is unchanged by what a backup goes by: size, times and inode', async () => {
  const { size, mtimeNs, ctimeNs, ino } = statSync(path, { bigint: true })
  const stored = { size: Number(size), mtimeNs, ctimeNs, inode: ino }
  const same = (recorded: Partial<typeof stored>): Promise<boolean> => isUnchanged(fromText(path), { ...stored, ...recorded } as Parameters<typeof isUnchanged>[1])
  expect(await same({})).toBe(true)
  for (const other of [{ size: stored.size + 1 }, { mtimeNs: mtimeNs + 1n }, { ctimeNs: ctimeNs + 1n }, { inode: ino + 1n }]) expect(await same(other)).toBe(false)
  utimesSync(path, 1000, 1000)
  expect(await same({})).toBe(false)
  rmSync(path)
  expect(await same({})).toBe(false)
})
