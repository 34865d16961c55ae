import { randomBytes } from 'node:crypto'
import { copyFileSync, cpSync, existsSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { openBrowser } from '../../../../engine/commands/browse.ts'
import { addKeyTo, removeKeyFrom } from '../../../../engine/commands/key.ts'
import { listMachinesOf } from '../../../../engine/commands/machines.ts'
import { rotate, type RotateOptions, type Rotation } from '../../../../engine/commands/rotate.ts'
import { initCheaply } from '../../../fixtures/cheap-repository.ts'
import { World } from '../../../fixtures/world.ts'
import { callCli } from '../../cli/in-process.ts'
import { treeState } from '../tree-state.ts'
import { Pair } from './pair.ts'

/** A repository with two snapshots, and a place for a new one where there is nothing yet. */
async function withoutNew(): Promise<Pair> {
  const pair = new Pair(new World(), new World())
  await initCheaply(pair.source.repository, pair.source.password)
  pair.destination.password = 'quite another one'
  return await filled(pair)
}

/** Both are there: what a rotation that broke off has left. */
async function begun(): Promise<Pair> {
  return await filled(await Pair.make({ like: true }))
}

async function filled(pair: Pair): Promise<Pair> {
  await pair.backup({ a: '1', big: randomBytes(2_000_000) }, { machineSettings: '{"jobs":1}' })
  await pair.backup({ a: '2' }, { machineSettings: '{"jobs":1}' })
  return pair
}

function keyPath({ repository }: World, key: string): string {
  return join(repository, 'keys', key)
}

function turn({ source, destination }: Pair, options: Partial<RotateOptions> = {}): Promise<Rotation> {
  const context = destination.context()
  const secrets = { ...context.secrets, from: { password: source.password, storage: {} } }
  return rotate(destination.common, { from: source.repository, newIds: false, parallelGroups: 2, readDataPercent: 100, ...options }, { ...context, secrets })
}

async function opening(world: World, password: string): Promise<string> {
  return await new Pair(world, world).open(Object.assign(new World(world.repository), { password })).then(() => 'opens', ({ code }: { code: string }) => code)
}

test('a removed password that an old key object brings back opens nothing of what was sealed anew, and all of it is there', { timeout: 300_000 }, async () => {
  using pair = await withoutNew()
  const key = await addKeyTo(pair.source.common, 'the removed one', pair.source.context())
  const copied = join(pair.source.folder, key)
  copyFileSync(keyPath(pair.source, key), copied)
  await removeKeyFrom(pair.source.common, key, pair.source.context())
  expect(await opening(pair.source, 'the removed one')).toBe('password')
  copyFileSync(copied, keyPath(pair.source, key))
  expect(await opening(pair.source, 'the removed one'), 'what is wrong with removing alone').toBe('opens')
  const first = await turn(pair)
  expect(first).toMatchObject({ outcome: 'success', created: true, snapshots: 2, missing: [], machines: 1, keys: [{ label: 'first', current: true }], check: { outcome: 'success' } })
  copyFileSync(copied, keyPath(pair.destination, key))
  expect([await opening(pair.destination, 'the removed one'), await opening(pair.destination, pair.source.password)]).toEqual(['damaged', 'password'])
  const [old, made] = [await pair.open(pair.source), await pair.open(pair.destination)]
  for (const key of ['packs', 'metadata'] as const) expect(made.keys[key]).not.toEqual(old.keys[key])
  expect(made.keys.blobId).toEqual(old.keys.blobId)
  expect(treeState(await pair.restored(pair.destination, 'latest:desk/photos'))).toEqual(treeState(pair.source.source))
  expect(await listMachinesOf(pair.destination.common, pair.destination.context())).toMatchObject([{ settings: '{"jobs":1}' }])
})

test('called again it brings what came meanwhile; a job goes on in the new one without sending again, and rules count the old ones for themselves', { timeout: 300_000 }, async () => {
  using pair = await begun()
  await turn(pair)
  expect(await turn(pair)).toMatchObject({ outcome: 'success', created: false, snapshots: 2, machines: 0, sync: { outcome: 'unchanged' } })
  const third = await pair.backup({ a: '3', other: randomBytes(500_000) }, { machineSettings: '{"jobs":2}' })
  {
    await using browser = await openBrowser({ ...pair.source.common, type: 'browse' }, pair.source.context())
    await browser.answer({ type: 'annotate', snapshot: third, change: { pinned: true, name: 'before' } })
  }
  expect(await turn(pair)).toMatchObject({ snapshots: 3, machines: 1, sync: { outcome: 'success' } })

  cpSync(pair.source.source, pair.destination.source, { recursive: true, preserveTimestamps: true })
  const own = await pair.destination.backup({ host: 'desk', machineSettings: '{"jobs":3}' })
  expect(own.snapshot).toBe('photos@1')
  expect(own.uploadedBytes).toBeLessThan(200_000)
  expect(await turn(pair), 'what a machine left there later stays').toMatchObject({ outcome: 'success', machines: 0 })
  expect(await listMachinesOf(pair.destination.common, pair.destination.context())).toMatchObject([{ settings: '{"jobs":3}' }])
  const forgotten = await pair.destination.run({ ...pair.destination.common, type: 'forget', snapshots: [], policy: { last: 1 }, name: 'photos', host: 'desk', dryRun: false })
  expect(forgotten.details).toMatchObject({ forgotten: [expect.stringMatching(/^photos~\w{12}@1$/), expect.stringMatching(/^photos~\w{12}@2$/)], kept: ['photos@1', expect.stringMatching(/^photos~\w{12}@3$/)] })
  expect(await turn(pair), 'what was forgotten there is not brought again').toMatchObject({ snapshots: 3, missing: [], sync: { outcome: 'unchanged' } })
})

test('with new ids the pieces are named anew, and all of it is there', { timeout: 300_000 }, async () => {
  using pair = await withoutNew()
  expect(await turn(pair, { newIds: true })).toMatchObject({ outcome: 'success', snapshots: 2 })
  const [old, made] = [await pair.open(pair.source), await pair.open(pair.destination)]
  for (const key of ['packs', 'metadata', 'blobId', 'chunker'] as const) expect(made.keys[key]).not.toEqual(old.keys[key])
  expect(treeState(await pair.restored(pair.destination, 'latest:desk/photos'))).toEqual(treeState(pair.source.source))
})

test('a password that opens both, one and the same repository, and old names where new ones are wanted are refused; nothing is made for a wrong password', { timeout: 300_000 }, async () => {
  using pair = await withoutNew()
  const { password } = pair.source
  pair.source.password = 'wrong'
  await expect(turn(pair)).rejects.toMatchObject({ code: 'password' })
  expect(existsSync(pair.destination.repository)).toBe(false)
  pair.source.password = password

  pair.destination.password = password
  await expect(turn(pair)).rejects.toMatchObject({ code: 'arguments', data: { reason: 'same-password' } })
  expect(existsSync(pair.destination.repository)).toBe(false)
  pair.destination.password = 'quite another one'

  cpSync(pair.source.repository, pair.destination.repository, { recursive: true })
  pair.destination.password = password
  await addKeyTo(pair.destination.common, 'quite another one', pair.destination.context())
  pair.destination.password = 'quite another one'
  for (const name of readdirSync(join(pair.source.repository, 'keys'))) rmSync(keyPath(pair.destination, name))
  await expect(turn(pair)).rejects.toMatchObject({ code: 'arguments', message: expect.stringContaining('one master key') as unknown })

  pair.destination.repository = join(pair.destination.folder, 'other place')
  const { keys: { blobId, chunker } } = await pair.open(pair.source)
  await initCheaply(pair.destination.repository, pair.destination.password, {}, { content: { blobId, chunker } })
  await expect(turn(pair, { newIds: true })).rejects.toMatchObject({ code: 'arguments', message: expect.stringContaining('--new-ids') as unknown })
  await addKeyTo(pair.destination.common, password, pair.destination.context())
  await expect(turn(pair)).rejects.toMatchObject({ code: 'arguments', message: expect.stringContaining('key remove') as unknown })
})

test('a snapshot that cannot be read is named, and the others come', { timeout: 300_000 }, async () => {
  using pair = await begun()
  await pair.backup({ alone: randomBytes(900_000) }, { name: 'other' })
  const packs = readdirSync(join(pair.source.repository, 'packs'), { recursive: true, encoding: 'utf8' }).filter((name) => name.length > 10)
  await pair.backup({ alone: randomBytes(900_000) }, { name: 'lost' })
  for (const name of readdirSync(join(pair.source.repository, 'packs'), { recursive: true, encoding: 'utf8' }).filter((each) => each.length > 10 && !packs.includes(each))) rmSync(join(pair.source.repository, 'packs', name))
  expect(await turn(pair)).toMatchObject({ outcome: 'warnings', snapshots: 3, missing: ['lost@1'], check: { outcome: 'success' } })
})

test('an old repository that was put back to an older state, or another one in its place, is rotated only when somebody says so', { timeout: 300_000 }, async () => {
  using pair = await begun()
  const before = join(pair.source.folder, 'before')
  cpSync(pair.source.repository, before, { recursive: true })
  await pair.backup({ a: '3' })
  await turn(pair)
  rmSync(pair.source.repository, { recursive: true })
  cpSync(before, pair.source.repository, { recursive: true })
  await expect(turn(pair)).rejects.toMatchObject({ code: 'rolled-back', data: { side: 'source' } })
  expect(await turn(pair, { acceptOlderSource: true })).toMatchObject({ outcome: 'success', snapshots: 2 })

  rmSync(pair.source.repository, { recursive: true })
  await initCheaply(pair.source.repository, pair.source.password)
  await expect(turn(pair)).rejects.toMatchObject({ code: 'another-repository' })
  expect(await turn(pair, { acceptOtherSource: true })).toMatchObject({ outcome: 'success', snapshots: 0 })
})

test('the command line says what opens what, and what is left to do', { timeout: 300_000 }, async () => {
  using pair = await begun()
  const { source, destination } = pair
  const folder = { path: source.folder, repository: source.repository, home: source.home, [Symbol.asyncDispose]: () => Promise.resolve() }
  const call = (password: string, ...args: readonly string[]): ReturnType<typeof callCli> => callCli(['key', 'rotate', '--from', source.repository, '--to', destination.repository, ...args], {
    folder, environment: { HOLDFAST_FROM_PASSWORD: source.password, HOLDFAST_PASSWORD: password },
  })
  const same = await call(source.password)
  expect([same.code, same.stderr]).toEqual([200, expect.stringContaining('Choose another')])
  const done = await call(destination.password)
  expect([done.code, done.stdout]).toEqual([0, expect.stringMatching(/^key rotate: done · all 2 snapshots of \S+ are at \S+, sealed under a master key of its own$/m)])
  expect(done.stdout).toMatch(/^What opens the old one opens nothing there; 1 password does/m)
  expect(done.stdout).toContain('kit create --repo')
  const again = await call(destination.password, '--json', '--read-data=50%')
  expect([again.code, again.events.at(-1)]).toEqual([0, expect.objectContaining({ type: 'summary', operation: 'key-rotate', outcome: 'success', snapshots: 2, created: false })])
  expect(JSON.stringify(again.events)).not.toContain(destination.password)
})
