import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { fromBytes, type ByteString } from '../../../../engine/base/byte-string.ts'
import { openReader, type Reader } from '../../../../engine/commands/reader.ts'
import { attributesOf } from '../../../../engine/snapshot/attributes.ts'
import { chunkIds } from '../../../../engine/snapshot/content.ts'
import { rootOf } from '../../../../engine/snapshot/manifest.ts'
import type { BlobId, TreeNode } from '../../../../engine/snapshot/node.ts'
import { iterateTree } from '../../../../engine/snapshot/tree-walk.ts'
import { loadBlob } from '../../../../engine/repository/pack-reader.ts'
import { resolveSnapshot } from '../../../../engine/repository/protocol/snapshots.ts'
import { describeAttributes, describeOddTree, hashOf, makeOddTree, oddEntryNames, removeIfThere, shorten } from '../../../fixtures/odd-tree.ts'
import { World } from '../../../fixtures/world.ts'

let world: World
let tree: string

beforeEach(() => {
  world = new World()
  tree = join(world.folder, 'tree')
})
afterEach(() => {
  removeIfThere(tree)
  world[Symbol.dispose]()
})

const never = new AbortController().signal

/** As describeOddTree, of what a snapshot holds below its only source. */
async function describeSnapshot(id = 'latest'): Promise<string[]> {
  await using reader = await openReader({ ...world.common, type: 'browse' }, world.context())
  const { manifest } = await resolveSnapshot(reader.repository, id, never)
  const groups = new Map<string, string>()
  const lines: string[] = []
  const folder = async (tree: BlobId, shown: ByteString): Promise<void> => {
    for await (const node of iterateTree(reader.trees.load, tree)) {
      const path = `${shown}/${fromBytes(node.name)}`
      const attributes = (await attributesOf(reader.trees.load, node)).filter(({ kind }) => kind === 1)
      lines.push(`${shorten(path)} ${await describeNode(reader, node, path, groups)}${describeAttributes(attributes)}`)
      if (node.type === 'directory') await folder(node.tree, path)
    }
  }
  for await (const source of iterateTree(reader.trees.load, rootOf(manifest))) if (source.type === 'directory') await folder(source.tree, '')
  return lines
}

async function describeNode(reader: Reader, node: TreeNode, shown: string, groups: Map<string, string>): Promise<string> {
  const common = `${node.mode.toString(8)} ${node.uid}:${node.gid} ${node.mtimeNs}`
  if (node.type === 'directory' || node.type === 'fifo') return `${node.type} ${common}`
  if (node.type === 'symlink') return `symlink ${node.uid}:${node.gid} ${node.mtimeNs} -> ${fromBytes(node.target)}`
  const chunks: Uint8Array[] = []
  for await (const id of chunkIds(reader.trees.load, node.content)) chunks.push(Uint8Array.from(await loadBlob(reader.repository, reader.catalog, id, never)))
  const key = `${node.device} ${node.inode}`
  const first = groups.get(key) ?? shorten(shown)
  if (node.linkCount > 1) groups.set(key, first)
  return `file ${common} ${node.size} ${hashOf(Buffer.concat(chunks))}${node.linkCount > 1 ? ` linked with ${first}` : ''}`
}

test('what a backup stores of the oddest tree is what is there; nothing of it counts as changed after', async () => {
  makeOddTree(tree)
  const there = describeOddTree(tree)
  expect(there.length).toBeGreaterThan(8000)
  expect(await world.backup({ sources: [tree] })).toMatchObject({ outcome: 'success', problems: 0, firstProblems: [] })
  expect(await describeSnapshot()).toEqual(there)
  expect(await world.backup({ sources: [tree] })).toMatchObject({ outcome: 'unchanged', files: { uploaded: 0 } })
  expect(await world.check({ readDataPercent: 100 })).toMatchObject({ outcome: 'success' })
  expect(there.filter((line) => line.startsWith('/names/')).length).toBeGreaterThanOrEqual(oddEntryNames.length)
}, 300_000)
