import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { BlobId, DirectoryNode, TreeNode } from '../../../engine/snapshot/node.ts'
import { TreeBuilder } from '../../../engine/snapshot/tree-builder.ts'
import { diffTrees, type Difference } from '../../../engine/snapshot/tree-diff.ts'
import { collect, directory, file, idOf, TreeStore } from './support.ts'

/** Folders by their names, files by a word that stands for their content. */
interface Tree { readonly [name: string]: string | Tree }

function build(store: TreeStore, nodes: readonly TreeNode[]): BlobId {
  const builder = new TreeBuilder(store.store)
  for (const node of nodes.toSorted((a, b) => Buffer.compare(a.name, b.name))) builder.add(node)
  return builder.finish()
}

function folder(name: string, tree: BlobId, more: Partial<DirectoryNode> = {}): TreeNode {
  return { type: 'directory', name: Buffer.from(name), mode: 0o755, uid: 1, gid: 1, mtimeNs: 1n, tree, ...more }
}

function plant(store: TreeStore, tree: Tree): BlobId {
  return build(store, Object.entries(tree).map(([name, what]) => (
    typeof what === 'string' ? file(name, { content: { depth: 0, ids: [idOf(what)] }, size: what.length }) : folder(name, plant(store, what))
  )))
}

const told = ({ kind, path }: Difference): string => `${kind} ${Buffer.from(path).toString()}`

async function compare(before: Tree, after: Tree): Promise<string[]> {
  const store = new TreeStore()
  return (await collect(diffTrees(store.load, plant(store, before), plant(store, after)))).map(told)
}

/** All that is in a tree, folders with a mark. */
function entriesOf(tree: Tree, at = ''): Map<string, string> {
  return new Map(Object.entries(tree).flatMap(([name, what]): [string, string][] => (
    typeof what === 'string' ? [[at + name, `file ${what}`]] : [[at + name, 'folder'], ...entriesOf(what, `${at}${name}/`)]
  )))
}

test('tells what came, went, changed and became something else, a folder before what is in it', async () => {
  expect(await compare(
    { a: { same: '1', gone: '2', deep: { x: '3' } }, b: '4', c: { in: '5' }, d: '6', same: { y: '7' } },
    { a: { same: '1', deep: { x: 'changed' }, new: '8' }, b: { now: '9' }, c: 'file', e: { f: { g: '10' } }, same: { y: '7' } },
  )).toEqual(['content a/deep/x', 'removed a/gone', 'added a/new', 'type b', 'added b/now', 'type c', 'removed c/in', 'removed d', 'added e', 'added e/f', 'added e/f/g'])
})

test('is right of any two trees, and the other way round', async () => {
  const name = fc.constantFrom('a', 'b', 'a.b', 'ä', 'A')
  const { tree } = fc.letrec<{ tree: Tree }>((tie) => ({
    tree: fc.dictionary(name, fc.oneof({ maxDepth: 3 }, fc.constantFrom('1', '2'), tie('tree'))),
  }))
  const opposite: Readonly<Record<string, string>> = { added: 'removed', removed: 'added' }
  await fc.assert(fc.asyncProperty(tree, tree, async (before, after) => {
    const [old, now] = [entriesOf(before), entriesOf(after)]
    const expected = [...new Set([...old.keys(), ...now.keys()])].flatMap((path) => {
      const [was, is] = [old.get(path), now.get(path)]
      if (was === is) return []
      const kind = was === undefined ? 'added' : is === undefined ? 'removed' : was.split(' ')[0] === is.split(' ')[0] ? 'content' : 'type'
      return [`${kind} ${path}`]
    })
    const found = await compare(before, after)
    expect(found.toSorted()).toEqual(expected.toSorted())
    expect(await compare(after, before)).toEqual(found.map((line) => line.replace(/^\w+/, (kind) => opposite[kind] ?? kind)))
  }))
})

test.each<[string, Partial<TreeNode>, string[]]>([
  ['rights', { mode: 0o600 }, ['metadata x']],
  ['an owner', { uid: 5 }, ['metadata x']],
  ['a group', { gid: 5 }, ['metadata x']],
  ['a time', { mtimeNs: 5n }, ['metadata x']],
  ['attributes', { attributes: [{ kind: 1, name: Buffer.from('user.a'), value: Buffer.from('b') }] }, ['metadata x']],
  ['what only a next run compares with', { inode: 5n, device: 5n, ctimeNs: 5n }, []],
  ['a size', { size: 6 }, ['content x']],
])('of a file, %s', async (_, change, expected) => {
  const store = new TreeStore()
  const [before, after] = [build(store, [file('x')]), build(store, [{ ...file('x'), ...change } as TreeNode])]
  expect((await collect(diffTrees(store.load, before, after))).map(told)).toEqual(expected)
})

test('of a folder, its rights and not its time; of a link, where it leads', async () => {
  const store = new TreeStore()
  const empty = build(store, [])
  const link = (target: string): TreeNode => ({ type: 'symlink', name: Buffer.from('l'), mode: 0o777, uid: 1, gid: 1, mtimeNs: 1n, target: Buffer.from(target) })
  const before = build(store, [folder('a', empty), folder('b', empty), link('x')])
  const after = build(store, [folder('a', empty, { mtimeNs: 9n }), folder('b', empty, { mode: 0o700 }), link('y')])
  expect((await collect(diffTrees(store.load, before, after))).map(told)).toEqual(['metadata b', 'content l'])
})

test('of nothing and something, everything is new, below the path that is given', async () => {
  const store = new TreeStore()
  const root = plant(store, { a: { b: '1' } })
  expect((await collect(diffTrees(store.load, undefined, root, Buffer.from('home/é')))).map(told)).toEqual(['added home/é/a', 'added home/é/a/b'])
  expect(await collect(diffTrees(store.load, undefined, undefined))).toEqual([])
})

describe('a huge folder', () => {
  const many = Array.from({ length: 30_000 }, (_, at) => file(`file ${String(at).padStart(8, '0')}`, { inode: BigInt(at) }))
  const edits: readonly [string, readonly TreeNode[], string[]][] = [
    ['one more', many.toSpliced(15_000, 0, file('file 00014999 b')), ['added file 00014999 b']],
    ['one less', many.toSpliced(20_000, 1), ['removed file 00020000']],
    ['the first gone', many.slice(1), ['removed file 00000000']],
    ['the last gone', many.slice(0, -1), ['removed file 00029999']],
    ['one changed', many.with(7, file('file 00000007', { size: 6 })), ['content file 00000007']],
  ]
  test.each(edits)('%s: only the parts around it are loaded', async (_, nodes, expected) => {
    const store = new TreeStore()
    const [before, after] = [build(store, many), build(store, nodes)]
    expect((await collect(diffTrees(store.load, before, after))).map(told)).toEqual(expected)
    expect(store.loads).toBeLessThan(12)
    expect((await collect(diffTrees(store.load, after, before))).map(told)).toEqual(expected.map((line) => line.replace(/^added|^removed/, (kind) => (kind === 'added' ? 'removed' : 'added'))))
  })

  test('that shrinks to what fits one part, and grows again', async () => {
    const store = new TreeStore()
    const [before, after] = [build(store, many), build(store, many.slice(100, 200))]
    const found = (await collect(diffTrees(store.load, before, after))).map(told)
    expect(found).toHaveLength(29_900)
    expect(found.every((line) => line.startsWith('removed '))).toBe(true)
    expect((await collect(diffTrees(store.load, after, before))).map(told)).toEqual(found.map((line) => line.replace('removed', 'added')))
  })
})

test('what a directory can hold at all is the same as itself', async () => {
  await fc.assert(fc.asyncProperty(directory, async (nodes) => {
    const store = new TreeStore()
    const root = build(store, nodes)
    store.loads = 0
    expect(await collect(diffTrees(store.load, root, root))).toEqual([])
    expect(store.loads).toBe(0)
  }))
})

test('a folder of three thousand levels', async () => {
  const store = new TreeStore()
  let [before, after] = [build(store, [file('x')]), build(store, [file('x', { size: 6 })])]
  for (let level = 0; level < 3000; level++) [before, after] = [build(store, [folder('d', before)]), build(store, [folder('d', after)])]
  const found = await collect(diffTrees(store.load, before, after))
  expect(found.map(told)).toEqual([`content ${'d/'.repeat(3000)}x`])
})
