import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { parseSyncFigures } from '../../../../engine/protocol/sync.ts'
import { World } from '../../../fixtures/world.ts'
import { treeState } from '../tree-state.ts'
import { Pair } from './pair.ts'

/** A source with two snapshots, and a place where there is nothing yet. */
async function withoutDestination(): Promise<Pair> {
  const pair = new Pair(new World(), new World())
  pair.destination.password = 'another horse'
  await pair.backup({ a: '1' })
  await pair.backup({ a: '2' })
  return pair
}

test('with create a first sync makes its destination like the source, with its own password; later ones find it, and figures tell what is there', async () => {
  using pair = await withoutDestination()
  await expect(pair.sync()).rejects.toMatchObject({ code: 'offline' })
  const first = await pair.sync({ create: true })
  expect(first).toMatchObject({ outcome: 'success' })
  expect(parseSyncFigures(first.details)).toEqual({ there: 2, copied: 2, removed: 0, failed: 0 })
  const [source, destination] = [await pair.open(pair.source), await pair.open(pair.destination)]
  expect(destination.keys.blobId).toEqual(source.keys.blobId)
  expect(destination.masterKey).not.toEqual(source.masterKey)
  expect(first.repositoryId).toBe(destination.config.repositoryId)

  await pair.backup({ a: '3' })
  await pair.forget(pair.source, 'photos@1')
  const second = await pair.sync({ create: true, removeVanished: true })
  expect(second.repositoryId).toBe(first.repositoryId)
  expect(parseSyncFigures(second.details)).toEqual({ there: 2, copied: 1, removed: 1, failed: 0 })
  expect(parseSyncFigures((await pair.sync({ create: true })).details)).toEqual({ there: 2, copied: 0, removed: 0, failed: 0 })
  expect(treeState(await pair.restored(pair.destination, 'latest:desk/photos'))).toEqual(treeState(pair.source.source))
})

test('what is there already is left alone: other files, another repository under another password, the source itself', async () => {
  using pair = await withoutDestination()
  mkdirSync(pair.destination.repository)
  const file = join(pair.destination.repository, 'letter.txt')
  writeFileSync(file, 'dear')
  await expect(pair.sync({ create: true })).rejects.toMatchObject({ code: 'arguments', data: { reason: 'not-empty' } })
  expect(readFileSync(file, 'utf8')).toBe('dear')
  rmSync(file)
  await pair.sync({ create: true })
  pair.destination.password = 'a third one'
  await expect(pair.sync({ create: true })).rejects.toMatchObject({ code: 'password' })
  pair.destination.password = pair.source.password
  await expect(pair.sync({ create: true, repository: pair.source.repository })).rejects.toMatchObject({ code: 'arguments' })
})

test('nothing is made in a dry run, nor of a source that is not there; errors say which end it was', async () => {
  using pair = await withoutDestination()
  await expect(pair.sync({ create: true, dryRun: true })).rejects.toMatchObject({ code: 'offline' })
  expect(existsSync(pair.destination.repository)).toBe(false)
  const gone = { from: join(pair.source.folder, 'gone') }
  await expect(pair.sync({ create: true, ...gone })).rejects.toMatchObject({ code: 'offline', data: { side: 'source' } })
  expect(existsSync(join(pair.destination.repository, 'config'))).toBe(false)
  await expect(pair.sync({ create: true, expectSourceId: '0'.repeat(32) })).rejects.toMatchObject({ code: 'another-repository', data: { side: 'source' } })
  expect(existsSync(join(pair.destination.repository, 'config'))).toBe(false)
  await pair.sync({ create: true })
  const atDestination = await pair.sync({ repository: join(pair.source.folder, 'nowhere') }).catch((error: unknown) => error)
  expect(atDestination).toMatchObject({ code: 'offline' })
  expect(atDestination).not.toHaveProperty('data.side')
  await expect(pair.sync(gone)).rejects.toMatchObject({ code: 'offline', data: { side: 'source' } })
})

test('details that are none have no figures', () => {
  expect(parseSyncFigures({ plan: [], done: [{}] })).toBeUndefined()
})
