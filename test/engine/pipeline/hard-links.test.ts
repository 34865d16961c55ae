import { expect, test } from 'vitest'
import type { EntryStat } from '../../../engine/base/entry-stat.ts'
import type { FileRead, FileTask } from '../../../engine/pipeline/file-reading.ts'
import { HardLinks } from '../../../engine/pipeline/hard-links.ts'
import { systemDisk } from '../../../engine/source/disk.ts'

const stat: EntryStat = {
  type: 'file', mode: 0o644, uid: 1, gid: 1, linkCount: 2, inode: 7n, device: 1n, size: 1n, sparse: false, mtimeNs: 1n, ctimeNs: 1n, flags: 0, clamped: false,
}
const read: FileRead = { ok: true, content: { depth: 0, ids: [] }, stat, attributes: { found: [] }, torn: false, stored: true, look: 0 }

function link(device: bigint, inode: bigint, results: FileRead[], more: Partial<EntryStat> = {}): FileTask {
  const folder = systemDisk.folder('/')
  if (!folder.ok) throw new Error('no root')
  return { folder: folder.value, name: `${device}-${inode}`, stat: { ...stat, device, inode, ...more }, onRead: (result) => { results.push(result) } }
}

test('the second link of a file gets what the first one read, whichever comes first', () => {
  const links = new HardLinks()
  const results: FileRead[] = []
  const first = links.share(link(1n, 7n, results))
  expect(links.share(link(1n, 7n, results))).toBeUndefined()
  expect(results).toEqual([])
  first?.onRead(read)
  expect(results).toEqual([read, { ...read, stored: false, shared: 'stored' }])
})

test('files with the same number on two file systems are two files', () => {
  const links = new HardLinks()
  const results: FileRead[] = []
  expect(links.share(link(1n, 7n, results))).toBeDefined()
  expect(links.share(link(2n, 7n, results))).toBeDefined()
})

test.each<Partial<EntryStat>>([{ size: 2n }, { mtimeNs: 2n }, { ctimeNs: 2n }, { mode: 0o600 }, { uid: 2 }, { gid: 2 }])('files with the same number that differ in %o are two files', (other) => {
  const links = new HardLinks()
  const results: FileRead[] = []
  expect(links.share(link(1n, 7n, results))).toBeDefined()
  expect(links.share(link(1n, 7n, results, other))).toBeDefined()
})
