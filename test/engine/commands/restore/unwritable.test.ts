import { spawnSync } from 'node:child_process'
import { chmodSync, chownSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { World } from '../../../fixtures/world.ts'

const cli = join(import.meta.dirname, '../../../../engine/cli.ts')
const user = 65534
let world: World

beforeEach(async () => {
  world = new World()
  for (const folder of [world.source, join(world.source, 'sub')]) mkdirSync(folder, { recursive: true })
  for (const name of ['a', 'sub/b']) writeFileSync(join(world.source, name), name)
  await world.backup()
  chmodSync(world.folder, 0o755)
})
afterEach(() => { world[Symbol.dispose]() })

/** As somebody who is not root. The key and the catalog are of no account here. */
function restore(target: string): { readonly code: number | null; readonly summary: unknown; readonly words: string } {
  for (const path of [world.repository, world.home]) spawnSync('chown', ['-R', `${user}:${user}`, path])
  const { status, stdout, stderr } = spawnSync(process.execPath, [cli, 'restore', 'latest', '--to', target, '--repo', world.repository, '--json'], {
    uid: user, gid: user, encoding: 'utf8', env: { PATH: process.env['PATH'], HOLDFAST_PASSWORD: world.password, HOLDFAST_HOME: world.home },
  })
  const last = stdout.trimEnd().split('\n').at(-1) ?? ''
  return { code: status, summary: JSON.parse(last === '' ? '{}' : last), words: stdout + stderr }
}

const folder = (name: string, owner: number, mode = 0o755): string => {
  const path = join(world.folder, name)
  mkdirSync(path, { mode, recursive: true })
  chownSync(path, owner, owner)
  return path
}

test.runIf(process.getuid?.() === 0).each<[string, () => string]>([
  ['a folder of somebody else', () => folder('theirs', 0)],
  ['a folder of one’s own in which somebody else has the folder that is restored', () => {
    const own = folder('mine', user)
    folder('mine/source', 0)
    folder('mine/source/sub', 0)
    return own
  }],
])('a restore that can write nothing into %s has failed', (_, make) => {
  const target = make()
  const { code, words } = restore(target)
  expect(code, words).toBe(100)
  expect(words).toContain('Nothing could be restored')
  expect(words).toContain('"denied"')
  expect(words).not.toContain('defect')
})

test.runIf(process.getuid?.() === 0)('one that can write some of it says what is missing', () => {
  const target = folder('half', user)
  folder('half/source', user)
  folder('half/source/sub', 0)
  const { code, words } = restore(target)
  expect(code, words).toBe(2)
  expect(words).toContain('you may not write there')
  expect(readFileSync(join(target, 'source/a'), 'utf8')).toBe('a')
})
