import { randomBytes } from 'node:crypto'
import { cpSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { init } from '../../../../engine/commands/init.ts'
import { World } from '../../../fixtures/world.ts'
import { treeState } from '../tree-state.ts'
import { detailsOf, Pair } from './pair.ts'

test('a repository made like another finds what its own backups have stored, and is sealed with keys of its own', async () => {
  using pair = await Pair.make({ like: true })
  const big = randomBytes(3_000_000)
  await pair.backup({ big, small: 'a' })
  cpSync(pair.source.source, pair.destination.source, { recursive: true, preserveTimestamps: true })
  await pair.destination.backup({ host: 'other' })
  const summary = await pair.sync()
  expect(summary).toMatchObject({ outcome: 'success' })
  expect(detailsOf(summary).readBytes).toBeLessThan(big.length / 4)
  expect(detailsOf(summary).sentBytes).toBeLessThan(big.length / 4)
  expect(treeState(await pair.restored(pair.destination, 'latest:desk/photos'))).toEqual(treeState(pair.source.source))
  const [source, destination] = [await pair.open(pair.source), await pair.open(pair.destination)]
  expect(destination.keys.blobId).toEqual(source.keys.blobId)
  expect(destination.keys.chunker).toEqual(source.keys.chunker)
  expect(destination.masterKey).not.toEqual(source.masterKey)
  for (const own of ['packs', 'metadata'] as const) expect(destination.keys[own]).not.toEqual(source.keys[own])
})

test('without that, what was synced before is found all the same, and nothing else', async () => {
  using pair = await Pair.make()
  await pair.backup({ big: randomBytes(1_000_000) })
  await pair.sync()
  const copy = await pair.backup({ again: '1' }, { name: 'other', host: 'attic' })
  const summary = await pair.sync()
  expect(detailsOf(summary).done).toMatchObject([{ copied: [{ source: copy }] }])
  expect(detailsOf(summary).readBytes).toBeLessThan(300_000)
})

test('init makes one like another, which takes over the sizes of its pieces too, and of one that was made so itself', async () => {
  using pair = await Pair.make()
  using third = new World()
  third.password = 'third'
  const context = third.context()
  await init(third.common, { ...context, secrets: { ...context.secrets, from: { password: pair.source.password, storage: {} } } }, pair.source.repository)
  using fourth = new World()
  fourth.password = 'fourth'
  await init(fourth.common, { ...fourth.context(), secrets: { password: 'fourth', storage: {}, from: { password: 'third', storage: {} } } }, third.repository)
  const [source, made] = [await pair.open(pair.source), await pair.open(fourth)]
  expect(made.keys.blobId).toEqual(source.keys.blobId)
  expect(made.config.chunker).toEqual(source.config.chunker)
  expect(made.config.content).toBeDefined()
  await expect(pair.open(Object.assign(new World(fourth.repository), { password: pair.source.password }))).rejects.toMatchObject({ code: 'password' })
  await expect(init({ ...third.common, repository: join(third.folder, 'new') }, third.context(), pair.source.repository)).rejects.toMatchObject({ code: 'arguments' })
})
