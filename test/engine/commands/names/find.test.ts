import { mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { openBrowser } from '../../../../engine/commands/browse.ts'
import { catalogFolder } from '../../../../engine/catalog/paths.ts'
import type { BrowseAnswer } from '../../../../engine/protocol/messages.ts'
import { initCheaply } from '../../../fixtures/cheap-repository.ts'
import { World } from '../../../fixtures/world.ts'
import { callCli } from '../../cli/in-process.ts'
import { testFolder } from '../../small-repository.ts'
import { backUp } from '../run-support.ts'

async function worldWithSnapshots(): Promise<World> {
  const world = new World()
  await initCheaply(world.repository, world.password)
  mkdirSync(join(world.source, 'letters'))
  for (const text of ['first', 'second!', 'third one']) {
    writeFileSync(join(world.source, 'letters', 'To Anna.txt'), text)
    await world.backup()
  }
  rmSync(join(world.source, 'letters', 'To Anna.txt'))
  await world.backup()
  return world
}

/** The folder of names.db and of what else this machine knows of the only repository. */
function namesFile(world: World): string {
  const [repositoryId = ''] = readdirSync(join(world.home, 'catalogs'))
  return join(catalogFolder(world.home, repositoryId), 'names.db')
}

test('a backup takes the names in that it has stored, and a search needs no tree from the storage', async () => {
  using world = await worldWithSnapshots()
  // Without packs nothing but the index can answer.
  renameSync(join(world.repository, 'packs'), join(world.folder, 'away'))
  await using browser = await openBrowser({ ...world.common, type: 'browse' }, world.context())
  await browser.filled()
  const found = await browser.answer({ type: 'search', text: 'ANNA', limit: 10 }) as Extract<BrowseAnswer, { type: 'found' }>
  expect(found.coverage).toEqual({ searched: 4, snapshots: 4, filling: false })
  expect(found.entries).toMatchObject([{ snapshot: 'photos@3', shown: 'To Anna.txt', folder: 'source/letters', versions: 3, there: false, size: 9 }])
  const path = Buffer.from('source/letters/To Anna.txt')
  expect(await browser.answer({ type: 'versions', snapshot: 'latest', path })).toMatchObject({
    type: 'versions', versions: [{ snapshot: 'photos@3', size: 9, goneMs: expect.any(Number) as number }, { snapshot: 'photos@2', size: 7 }, { snapshot: 'photos@1', size: 5 }],
  })
  expect(await browser.answer({ type: 'versions', snapshot: 'photos@9', path })).toMatchObject({ type: 'error', error: { code: 'not-found' } })
})

test('what an index lacks is read from the repository, and a forgotten snapshot is not found any more', async () => {
  using world = await worldWithSnapshots()
  rmSync(namesFile(world))
  {
    await using browser = await openBrowser({ ...world.common, type: 'browse' }, world.context())
    const early = await browser.search({ text: 'anna', limit: 10 })
    expect(early.coverage).toMatchObject({ snapshots: 4, filling: true })
    await browser.filled()
    expect(await browser.search({ text: 'anna', limit: 10 })).toMatchObject({ entries: [{ versions: 3 }], coverage: { searched: 4, filling: false } })
    await world.run({ ...world.common, type: 'forget', snapshots: ['photos@3', 'photos@1'], dryRun: false })
    await browser.snapshots()
    await browser.filled()
    expect(await browser.search({ text: 'anna', limit: 10 })).toMatchObject({ entries: [{ snapshot: 'photos@2', versions: 1 }], coverage: { searched: 2, snapshots: 2 } })
  }
  // The next backup goes on with it.
  writeFileSync(join(world.source, 'letters', 'anna again'), '')
  await world.backup()
  await using browser = await openBrowser({ ...world.common, type: 'browse' }, world.context())
  expect((await browser.search({ text: 'anna again', limit: 10 })).entries).toMatchObject([{ snapshot: 'photos@5', there: true }])
})

test('a newer search ends the one before', async () => {
  using world = new World()
  await initCheaply(world.repository, world.password)
  for (let index = 0; index < 600; index++) writeFileSync(join(world.source, `anna ${index}`), '')
  await world.backup()
  await using browser = await openBrowser({ ...world.common, type: 'browse' }, world.context())
  await browser.filled()
  const query = { type: 'search', text: 'anna', limit: 1000 } as const
  const [older, newer] = await Promise.all([browser.answer(query), browser.answer(query)])
  expect([older, newer]).toMatchObject([{ type: 'error', error: { code: 'aborted' } }, { type: 'found' }])
})

test('a backup does not fail for an index that cannot be written', async () => {
  using world = await worldWithSnapshots()
  rmSync(namesFile(world))
  mkdirSync(namesFile(world))
  writeFileSync(join(world.source, 'more'), '')
  expect((await world.backup()).outcome).toBe('success')
  expect(world.lines.some(({ level, message }) => level === 'info' && message.includes('Names for searching'))).toBe(true)
})

test('the command line finds, and shows versions', async () => {
  await using folder = await testFolder()
  const source = join(folder.path, 'letters')
  mkdirSync(source)
  writeFileSync(join(source, 'To Anna.txt'), 'x')
  await backUp(folder, source)
  writeFileSync(join(source, 'To Anna.txt'), 'longer')
  await backUp(folder, source)
  const found = await callCli(['find', 'anna', 'to', '--json'], { folder })
  expect([found.code, found.events[0], found.events.at(-1)]).toMatchObject([0, { type: 'found', kind: 'file', path: 'letters/To Anna.txt', versions: 2, snapshot: 'job@2' }, { operation: 'find', found: 1, searched: 2, snapshots: 2 }])
  expect((await callCli(['find', 'anna'], { folder })).stdout).toMatch(/6 B .* newest .* 2 versions {2}job@2 {2}letters\/To Anna\.txt\n.*1 path found\./s)
  expect(await callCli(['find', 'bert'], { folder })).toMatchObject({ code: 1, stdout: expect.stringContaining('Nothing was found.') as unknown })
  expect((await callCli(['find', 'anna', '--job', 'other'], { folder })).code).toBe(1)
  expect((await callCli(['find', ' '], { folder })).code).toBe(200)
  expect((await callCli(['find', 'x'.repeat(300)], { folder })).code).toBe(200)
  const versions = await callCli(['versions', 'latest', 'letters/To Anna.txt'], { folder })
  expect([versions.code, versions.stdout.split('\n').map((line) => line.split(' ', 1)[0])]).toEqual([0, ['SNAPSHOT', 'job@2', 'job@1', '2', '']])
  expect(await callCli(['versions', 'latest', 'letters/nobody'], { folder })).toMatchObject({ code: 100, stderr: expect.stringContaining('holdfast find') as unknown })
  // A rebuild throws the index away: it is made again by whoever searches.
  expect((await callCli(['rebuild'], { folder })).code).toBe(0)
  expect((await callCli(['find', 'anna', '--json'], { folder })).events.at(-1)).toMatchObject({ found: 1, searched: 2 })
}, 30_000)
