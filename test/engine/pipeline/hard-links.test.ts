import { statSync, type BigIntStats } from 'node:fs'
import { expect, test } from 'vitest'
import type { FileRead, FileTask } from '../../../engine/pipeline/file-reading.ts'
import { HardLinks } from '../../../engine/pipeline/hard-links.ts'

const read: FileRead = { ok: true, content: { depth: 0, ids: [] }, stamp: { size: 1, mtimeNs: 1n, ctimeNs: 1n, inode: 7n }, torn: false, stored: true }

function link(dev: bigint, ino: bigint, results: FileRead[]): FileTask {
  const stat: BigIntStats = Object.assign(statSync('.', { bigint: true }), { dev, ino, nlink: 2n })
  return { path: `${dev}-${ino}`, stat, onRead: (result) => { results.push(result) } }
}

test('the second link of a file gets what the first one read, whichever comes first', () => {
  const links = new HardLinks()
  const results: FileRead[] = []
  const first = links.share(link(1n, 7n, results))
  expect(links.share(link(1n, 7n, results))).toBeUndefined()
  expect(results).toEqual([])
  first?.onRead(read)
  expect(results).toEqual([read, { ...read, stored: false, shared: true }])
})

test('files with the same number on two file systems are two files', () => {
  const links = new HardLinks()
  const results: FileRead[] = []
  expect(links.share(link(1n, 7n, results))).toBeDefined()
  expect(links.share(link(2n, 7n, results))).toBeDefined()
})
