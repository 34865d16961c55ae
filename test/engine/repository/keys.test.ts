import { describe, expect, test } from 'vitest'
import type { StorageBackend } from '../../../engine/backend/backend.ts'
import { standardCost, workOf, type ScryptCost } from '../../../engine/repository/crypto.ts'
import { addPassword, planTries, type StoredKey } from '../../../engine/repository/keys.ts'
import { keyObject } from '../../../engine/repository/names.ts'
import { openRepository } from '../../../engine/repository/repository.ts'
import { cheap, codeOf, context, never, newRepository } from './support.ts'

/** The dearest that is computed at all: eight times the standard in time, twice in memory. */
const dearest: ScryptCost = { N: 2 ** 18, r: 8, p: 4 }
/** Cheap for a test, and dear against `cheap`. */
const nameOf = (number: number): string => number.toString(16).padStart(32, '0')

function key(number: number, { N, r, p }: ScryptCost): StoredKey {
  const none = new Uint8Array(48)
  return { name: nameOf(number), entry: { kdf: 'scrypt', N, r, p, salt: none, master: none, details: none } }
}

function many(count: number, cost: ScryptCost): StoredKey[] {
  return Array.from({ length: count }, (_, number) => key(number, cost))
}

describe('which keys are tried, and in which order', () => {
  test('64 forged keys at the dearest cost are eight derivations, not 64', () => {
    const { tries, dear } = planTries(many(64, dearest))
    expect(tries).toHaveLength(8)
    expect(dear).toBe(56)
  })

  test('a real key comes before the dear ones, whatever their names', () => {
    const { tries } = planTries([...many(63, dearest), key(99, standardCost)])
    expect(tries[0]?.name).toBe(nameOf(99))
  })

  test('64 passwords at the standard cost are all tried: no forged key takes a real one\'s turn', () => {
    const { tries, dear } = planTries(many(64, standardCost))
    expect([tries.length, dear]).toEqual([64, 0])
    for (let forged = 0; forged < 64; forged++) {
      const mixed = planTries([...many(forged, dearest), ...Array.from({ length: 64 - forged }, (_, at) => key(100 + at, standardCost))])
      expect(mixed.tries.filter(({ name }) => name >= nameOf(100))).toHaveLength(64 - forged)
    }
  })

  test('the work is bounded for every mixture', () => {
    for (let cheaper = 0; cheaper <= 64; cheaper++) {
      const { tries } = planTries([...many(cheaper, { N: 2 ** 15, r: 8, p: 1 }), ...many(64 - cheaper, dearest)])
      expect(tries.reduce((sum, { entry }) => sum + workOf(entry), 0)).toBeLessThanOrEqual(64 * workOf(standardCost))
    }
  })

  test('the known key is first, even a dear one; one that is gone changes nothing', () => {
    const stored = [...many(10, cheap), key(99, dearest)]
    expect(planTries(stored, nameOf(99)).tries[0]?.name).toBe(nameOf(99))
    expect(planTries(stored, nameOf(77))).toEqual(planTries(stored))
  })

  test('what asks for more than is bearable, or cannot be read, is not tried', () => {
    expect(planTries([key(1, { N: 2 ** 20, r: 8, p: 1 }), key(2, { N: 3, r: 8, p: 1 }), { name: nameOf(3) }])).toEqual({ tries: [], dear: 0 })
  })
})

/** Key objects that open with nothing, at a cost of the forger's choice. */
async function forge(backend: StorageBackend, realKey: string, count: number, cost: ScryptCost): Promise<void> {
  const real = Buffer.from(await backend.get(keyObject(realKey), 'all', never))
  const entry = { ...(JSON.parse(real.subarray(4).toString()) as Record<string, unknown>), ...cost }
  const bytes = Buffer.concat([real.subarray(0, 4), Buffer.from(JSON.stringify(entry))])
  for (let number = 0; number < count; number++) await backend.put(keyObject(nameOf(number)), { type: 'bytes', bytes }, {}, never)
}

describe('opening', () => {
  test('costs one derivation among 63 forged keys at the dearest cost', async () => {
    const made = await newRepository('secret')
    await forge(made.backend, made.keyName, 63, dearest)
    const cpu = process.cpuUsage()
    expect((await openRepository(made.backend, 'secret', never)).keyName).toBe(made.keyName)
    // One derivation at the dearest cost would take two seconds.
    expect(process.cpuUsage(cpu).user).toBeLessThan(1_000_000)
  })

  test('tries the key first that opened last time: any of ten passwords', async () => {
    const made = await newRepository('password 0')
    for (let number = 1; number < 10; number++) await addPassword(made, { password: `password ${number}`, label: '' }, { ...context, cost: cheap }, never)
    for (let number = 0; number < 10; number++) {
      const { keyName } = await openRepository(made.backend, `password ${number}`, never)
      expect((await openRepository(made.backend, `password ${number}`, never, (id) => (id === made.config.repositoryId ? keyName : undefined))).keyName).toBe(keyName)
    }
  })

  test('a wrong password is called wrong, and what was not tried is told', async () => {
    const made = await newRepository('secret')
    await forge(made.backend, made.keyName, 3, cheap)
    expect(await codeOf(() => openRepository(made.backend, 'wrong', never))).toBe('password')
  })
})
