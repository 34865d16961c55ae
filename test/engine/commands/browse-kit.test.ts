import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { openBrowser } from '../../../engine/commands/browse.ts'
import { parseEvent } from '../../../engine/protocol/validate.ts'
import { World } from '../../fixtures/world.ts'

test('whoever browses a repository makes a recovery kit and takes its key away again; a log holds none of its words', async () => {
  using world = new World()
  writeFileSync(join(world.source, 'file'), 'text')
  await world.backup()
  await using browser = await openBrowser({ ...world.common, type: 'browse' }, world.context())
  const kit = await browser.answer({ type: 'make-kit' })
  // What main reads of it is all of it.
  expect(parseEvent({ type: 'answer', request: 1, answer: kit })).toMatchObject({ ok: true, value: { answer: kit } })
  if (kit.type !== 'kit') throw new Error(kit.type)
  for (const fact of [world.common.repository, kit.repositoryId, kit.key.slice(0, 8), ...kit.words.split(' ').map((word) => `<li>${word}</li>`)]) expect(kit.page).toContain(fact)
  const { password } = world
  world.password = kit.words
  expect((await world.check()).outcome).toBe('success')
  world.password = password
  expect(await browser.answer({ type: 'remove-key', key: kit.key })).toEqual({ type: 'key-removed' })
  expect(await browser.answer({ type: 'remove-key', key: kit.key })).toMatchObject({ type: 'error', error: { code: 'not-found' } })
  world.password = kit.words
  await expect(world.check()).rejects.toMatchObject({ code: 'password' })
  for (const word of kit.words.split(' ').slice(0, 3)) expect(JSON.stringify(world.lines)).not.toContain(`${word} `)
})

test('a computer that opens the backup with the words of a kit does not take that key away', async () => {
  using world = new World()
  writeFileSync(join(world.source, 'file'), 'text')
  await world.backup()
  await using maker = await openBrowser({ ...world.common, type: 'browse' }, world.context())
  const kit = await maker.makeKit()
  world.password = kit.words
  await using browser = await openBrowser({ ...world.common, type: 'browse' }, world.context())
  expect(await browser.answer({ type: 'remove-key', key: kit.key })).toMatchObject({ type: 'error', error: { code: 'arguments', data: { reason: 'current' } } })
  expect((await world.check()).outcome).toBe('success')
})
