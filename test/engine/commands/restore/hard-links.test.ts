import { linkSync, lstatSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import type { FileNode } from '../../../../engine/snapshot/node.ts'
import type { World } from '../../../fixtures/world.ts'
import { forgedWorld } from './forged.ts'

let world: World

afterEach(() => { world[Symbol.dispose]() })

const shared: Partial<FileNode> = { device: 7n, inode: 12n, linkCount: 2, ctimeNs: 5n, mtimeNs: 1_600_000_000_000_000_000n }

function inodesOf(target: string, ...names: readonly string[]): number {
  return new Set(names.map((name) => lstatSync(join(target, name)).ino)).size
}

function contents(target: string, ...names: readonly string[]): string[] {
  return names.map((name) => readFileSync(join(target, name), 'utf8'))
}

describe('names of one file', () => {
  it.each<[string, string, Partial<FileNode>]>([
    ['content', 'B---', {}],
    ['size', 'longer', {}],
    ['time of change', 'A---', { ctimeNs: 6n }],
    ['time', 'A---', { mtimeNs: 7n }],
  ])('are not those of another with its device and inode, as when two disks swap their numbers: %s', async (_, other, more) => {
    world = await forgedWorld((forger) => [
      forger.text('a', 'A---', shared), forger.text('a2', 'A---', shared),
      forger.text('b', other, { ...shared, ...more }), forger.text('b2', other, { ...shared, ...more }),
    ])
    const target = join(world.folder, 'target')
    expect(await world.restore(target)).toMatchObject({ outcome: 'success' })
    expect(contents(target, 'a', 'a2', 'b', 'b2')).toEqual(['A---', 'A---', other, other])
    expect([inodesOf(target, 'a', 'a2'), inodesOf(target, 'b', 'b2'), inodesOf(target, 'a', 'b')]).toEqual([1, 1, 2])
  })

  it('do not become names of a file of the user\'s that stays', async () => {
    world = await forgedWorld((forger) => [forger.text('a', 'theirs', shared), forger.text('b', 'theirs', shared)])
    const target = join(world.folder, 'target')
    mkdirSync(target)
    writeFileSync(join(target, 'a'), 'mine, and to stay')
    expect(await world.restore(target, { overwrite: 'never' })).toMatchObject({ outcome: 'success' })
    expect(contents(target, 'a', 'b')).toEqual(['mine, and to stay', 'theirs'])
  })

  it('do not become names of what stands where the first could not be restored', async () => {
    world = await forgedWorld((forger) => {
      const lost = { depth: 0, ids: [forger.idOf(Buffer.from('never stored'))] }
      return [forger.file('a', lost, 12, shared), forger.file('b', lost, 12, shared)]
    })
    const target = join(world.folder, 'target')
    mkdirSync(target)
    writeFileSync(join(target, 'a'), 'something else')
    const summary = await world.restore(target, { overwrite: 'always' })
    expect(summary.outcome).toBe('warnings')
    expect(summary.firstProblems.map(({ path }) => path)).toEqual(['a', 'b'])
    expect(contents(target, 'a')).toEqual(['something else'])
    expect(() => lstatSync(join(target, 'b'))).toThrow('ENOENT')
  })

  it('are told apart from names outside of the restore: those keep what they have', async () => {
    world = await forgedWorld((forger) => [forger.text('a', 'content', { mode: 0o644 })])
    const target = join(world.folder, 'target')
    await world.restore(target)
    linkSync(join(target, 'a'), join(world.folder, 'outside'))
    writeFileSync(join(target, 'a'), 'CONTENT')
    await world.restore(target, { overwrite: 'always' })
    expect([readFileSync(join(target, 'a'), 'utf8'), readFileSync(join(world.folder, 'outside'), 'utf8')]).toEqual(['content', 'CONTENT'])
  })
})
