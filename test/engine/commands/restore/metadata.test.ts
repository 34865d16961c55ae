import { execFileSync } from 'node:child_process'
import { chownSync, lstatSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { attributeKinds } from '../../../../engine/snapshot/attributes.ts'
import type { Attribute } from '../../../../engine/snapshot/node.ts'
import type { World } from '../../../fixtures/world.ts'
import { forgedWorld, giveAway, restoreAsUser } from './forged.ts'

let world: World
afterEach(() => { world[Symbol.dispose]() })

const root = process.getuid?.() === 0
const extended = (name: string, value: Uint8Array): Attribute => ({ kind: attributeKinds.extended, name: Buffer.from(name), value })
/** As getfattr shows it of `u::rw-,u:1234:rw-,g::r--,m::rw-,o::r--`. */
const list = Buffer.from('0200000001000600ffffffff02000600d204000004000400ffffffff10000600ffffffff20000400ffffffff', 'hex')
/** cap_net_bind_service=ep */
const capability = Buffer.from('0100000200040000000000000000000000000000', 'hex')
const user = extended('user.note', Buffer.from('kept'))
const modeOf = (path: string): string => (lstatSync(path).mode & 0o7777).toString(8)

describe('what lends the rights of an owner', () => {
  it.runIf(root)('comes back where root gives the file to that owner', async () => {
    world = await forgedWorld((forger) => [forger.text('tool', 'x', { mode: 0o6755, uid: 1234, gid: 4321, attributes: [extended('security.capability', capability)] })])
    const target = join(world.folder, 'target')
    expect(await world.restore(target)).toMatchObject({ outcome: 'success', problems: 0 })
    expect(lstatSync(join(target, 'tool'))).toMatchObject({ uid: 1234, gid: 4321 })
    expect(modeOf(join(target, 'tool'))).toBe('6755')
    expect(execFileSync('getcap', [join(target, 'tool')], { encoding: 'utf8' })).toContain('cap_net_bind_service=ep')
  })

  it.runIf(root)('is left out, and told, where an ordinary user restores somebody else\'s', async () => {
    world = await forgedWorld((forger) => [
      forger.text('mine', 'x', { mode: 0o4755, uid: 65_534, gid: 65_534 }),
      forger.text('theirs', 'x', { mode: 0o6755, attributes: [extended('security.capability', capability), user] }),
    ])
    giveAway(world)
    const target = join(world.folder, 'target')
    const { exitCode, output } = restoreAsUser(world, target)
    expect([exitCode, modeOf(join(target, 'mine')), modeOf(join(target, 'theirs'))]).toEqual([2, '4755', '755'])
    expect(output).toMatch(/"type":"problem","code":"metadata","path":"theirs"/)
    expect(output).toMatch(/"lost":\[\{"what":"capability","entries":1,.*"what":"set-id","entries":1,/)
    expect(execFileSync('getfattr', ['-n', 'user.note', '--only-values', '--absolute-names', join(target, 'theirs')], { encoding: 'utf8' })).toBe('kept')
  })
})

describe('extended attributes and access lists', () => {
  it.runIf(root)('come back as they were, and what the snapshot does not have is gone', async () => {
    world = await forgedWorld((forger) => [
      forger.directory('folder', forger.folder([forger.text('plain', 'x', { mode: 0o640 })]), { mode: 0o750, attributes: [user] }),
      forger.text('listed', 'x', { mode: 0o664, attributes: [extended('system.posix_acl_access', list), user] }),
    ])
    const target = join(world.folder, 'target')
    mkdirSync(join(target, 'folder'), { recursive: true })
    execFileSync('setfacl', ['-d', '-m', 'u:4444:rwx', target, join(target, 'folder')])
    execFileSync('setfattr', ['-n', 'user.old', '-v', 'old', join(target, 'folder')])
    expect(await world.restore(target, { overwrite: 'changed' })).toMatchObject({ outcome: 'success', problems: 0 })
    const listOf = (name: string): string => execFileSync('getfacl', ['-cnp', join(target, name)], { encoding: 'utf8' }).trim()
    expect(listOf('listed')).toBe('user::rw-\nuser:1234:rw-\ngroup::r--\nmask::rw-\nother::r--')
    // Neither takes over the list that the target gives to what is made in it.
    expect(listOf('folder')).toBe('user::rwx\ngroup::r-x\nother::---')
    expect(listOf('folder/plain')).toBe('user::rw-\ngroup::r--\nother::---')
    expect(execFileSync('getfattr', ['-d', '--absolute-names', join(target, 'folder')], { encoding: 'utf8' })).toMatch(/^# file: .*\nuser.note="kept"\n\n$/)
    // A second run finds all as it should be; a change of an attribute alone is mended.
    expect((await world.restore(target, { overwrite: 'changed' })).files).toMatchObject({ unchanged: 2, uploaded: 0 })
    execFileSync('setfattr', ['-n', 'user.note', '-v', 'other', join(target, 'listed')])
    await world.restore(target, { overwrite: 'changed' })
    expect(execFileSync('getfattr', ['-n', 'user.note', '--only-values', '--absolute-names', join(target, 'listed')], { encoding: 'utf8' })).toBe('kept')
  })

  it('that the target does not take are told, and the file is there', async () => {
    world = await forgedWorld((forger) => [forger.text('file', 'x', { attributes: [extended('com.apple.strange', Buffer.from('x')), user] })])
    const target = join(world.folder, 'target')
    const summary = await world.restore(target)
    expect(summary).toMatchObject({ outcome: 'warnings', problems: 1, details: { lost: [{ what: 'attribute', entries: 1 }] } })
    expect(readFileSync(join(target, 'file'), 'utf8')).toBe('x')
  })
})

it('tells of times that the target cannot hold', async () => {
  world = await forgedWorld((forger) => [forger.text('at the edge', 'x', { mtimeNs: -(2n ** 63n) }), forger.text('moon', 'x', { mtimeNs: -14_182_940_000_000_000n })])
  const target = join(world.folder, 'target')
  const summary = await world.restore(target)
  expect(summary.details).toMatchObject({ lost: [{ what: 'time', entries: 1 }] })
  expect(lstatSync(join(target, 'moon'), { bigint: true }).mtimeNs).toBe(-14_182_940_000_000_000n)
})

it.runIf(root)('never changes a file of another user that stands in the place of one: it writes its own', async () => {
  world = await forgedWorld((forger) => [forger.text('tool', 'harmless', { mode: 0o4755, mtimeNs: 1_600_000_000_000_000_000n })])
  const target = join(world.folder, 'target')
  mkdirSync(target)
  // As large and as old as the snapshot's.
  writeFileSync(join(target, 'tool'), 'hostile!')
  execFileSync('touch', ['-d', '@1600000000', join(target, 'tool')])
  chownSync(join(target, 'tool'), 65_534, 65_534)
  await world.restore(target, { overwrite: 'changed' })
  expect([readFileSync(join(target, 'tool'), 'utf8'), modeOf(join(target, 'tool')), lstatSync(join(target, 'tool')).uid]).toEqual(['harmless', '4755', 0])
})
