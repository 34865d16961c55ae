import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { openBrowser } from '../../../engine/commands/browse.ts'
import { World } from '../../fixtures/world.ts'

test('whoever browses a repository lets one more password open it; the old one goes on doing so', async () => {
  using world = new World()
  writeFileSync(join(world.source, 'file'), 'text')
  await world.backup()
  {
    await using browser = await openBrowser({ ...world.common, type: 'browse' }, world.context())
    expect(await browser.answer({ type: 'add-password', password: 'ünother one' })).toEqual({ type: 'password-added', key: expect.stringMatching(/^[0-9a-f]{32}$/) as unknown })
    expect(await browser.answer({ type: 'add-password', password: '' })).toMatchObject({ type: 'error', error: { code: 'arguments' } })
    expect(await browser.answer({ type: 'add-password', password: 'two\nlines' })).toMatchObject({ type: 'error', error: { code: 'arguments' } })
  }
  for (const password of ['correct horse', 'ünother one']) {
    world.password = password
    expect((await world.check({ readDataPercent: 100 })).outcome).toBe('success')
  }
  world.password = 'two\nlines'
  await expect(world.check()).rejects.toMatchObject({ code: 'password' })
  expect(JSON.stringify(world.lines)).not.toContain('nother one')
})
