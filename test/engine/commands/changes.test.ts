import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { openBrowser } from '../../../engine/commands/browse.ts'
import { quickWorld } from '../../fixtures/quick-world.ts'

test('a browsing session tells what a snapshot changed; only the last question is answered', async () => {
  using world = await quickWorld()
  for (let at = 0; at < 20; at++) writeFileSync(join(world.source, `old ${at}`), 'x')
  await world.backup()
  rmSync(join(world.source, 'old 3'))
  mkdirSync(join(world.source, 'new'))
  writeFileSync(join(world.source, 'new', 'a'), '12345')
  writeFileSync(join(world.source, 'old 4'), 'longer')
  await world.backup()
  await using browser = await openBrowser({ ...world.common, type: 'browse' }, world.context())
  expect(await browser.answer({ type: 'diff', snapshot: 'photos@1', limit: 10 })).toMatchObject({ type: 'differences', newer: 'photos@1', entries: [], complete: true })
  const answer = await browser.answer({ type: 'diff', snapshot: 'photos@2', limit: 3 })
  expect(answer).toMatchObject({
    type: 'differences', older: 'photos@1', newer: 'photos@2', complete: true,
    entries: [{ kind: 'added', shown: 'new', folder: 'source', type: 'directory' }, { kind: 'added', shown: 'a', folder: 'source/new', size: 5 }, { kind: 'removed', shown: 'old 3', sizeBefore: 1 }],
    totals: { added: { entries: 2, bytes: 5 }, removed: { entries: 1, bytes: 1 }, content: { entries: 1, bytes: 6 } },
  })
  const [first, second] = await Promise.all([1, 2].map((revision) => browser.answer({ type: 'diff', snapshot: `photos@${3 - revision}`, limit: 3 })))
  expect([first, second]).toMatchObject([{ type: 'error', error: { code: 'aborted' } }, { type: 'differences', newer: 'photos@1' }])
  expect(await browser.answer({ type: 'diff', snapshot: 'photos@9', limit: 3 })).toMatchObject({ type: 'error', error: { code: 'not-found' } })
})
