import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { asHoldfastError } from '../../../engine/base/errors.ts'
import type { RebuildDetails } from '../../../engine/commands/rebuild.ts'
import { World } from '../../fixtures/world.ts'

test('a rebuild that breaks off goes on where it stopped', async () => {
  using world = new World()
  for (const name of ['one', 'two', 'three']) {
    writeFileSync(join(world.source, name), name)
    await world.backup()
  }
  const rule = encodeURIComponent('get,before,prefix=index/,skip=2,code=denied')
  const broken = await world.run({ ...world.common, type: 'rebuild', repository: `faulty+file://${world.repository}?fault.rule=${rule}` }).catch((error: unknown) => asHoldfastError(error).code)
  expect(broken).toBe('denied')
  const details = (await world.run({ ...world.common, type: 'rebuild' })).details as RebuildDetails
  expect(details.indexObjects).toBeGreaterThan(0)
  expect(details.indexObjects).toBeLessThan(3)
  expect(details).toMatchObject({ footers: 0, unreadable: [] })
})
