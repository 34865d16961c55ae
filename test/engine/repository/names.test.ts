import { expect, test } from 'vitest'
import { packNameOf, packObject, randomName } from '../../../engine/repository/names.ts'
import { systemRandom } from '../../../engine/repository/crypto.ts'

test('a pack\'s name and its object go both ways', () => {
  const name = randomName(systemRandom)
  expect(name).toMatch(/^[0-9a-f]{32}$/)
  expect(packNameOf(packObject(name))).toBe(name)
})

test('what is not in a pack\'s place is no pack', () => {
  const name = 'ab'.repeat(16)
  for (const object of [name, `packs/${name}`, `packs/cd/${name}`, `packs/ab/${name}0`, `packs/ab/${name.toUpperCase()}`, `x/packs/ab/${name}`]) expect(packNameOf(object), object).toBeUndefined()
})
