import { createHash } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import type { ObjectInfo, StorageBackend } from '../../../engine/backend/backend.ts'
import { withPlausibleLists } from '../../../engine/repository/plausible-lists.ts'
import { codeOf, collect, never, newBackend } from './support.ts'

/** A storage whose lists are what a test says. */
function listing(names: Iterable<string>): StorageBackend {
  const backend = newBackend()
  backend.list = async function* (): AsyncIterable<ObjectInfo> {
    for (const name of names) yield { name, size: 1, modifiedMs: 0 }
  }
  return withPlausibleLists(backend)
}

const random = (number: number): string => createHash('sha256').update(String(number)).digest('hex').slice(0, 32)
const counted = (number: number): string => number.toString(16).padStart(32, '0')
const randoms = Array.from({ length: 6_000 }, (_, number) => random(number)).toSorted()

function* endless(name: (number: number) => string): Generator<string> {
  for (let number = 0; ; number++) yield name(number)
}

const count = async (backend: StorageBackend, prefix: string): Promise<number> => (await collect(backend.list(prefix, never))).length

describe('names that are random', () => {
  test.each([
    ['packs/', randoms.map((name) => `packs/${name.slice(0, 2)}/${name}`)], ['index/', randoms.map((name) => `index/${name}`)],
    ['packs/a', randoms.filter((name) => name.startsWith('a')).map((name) => `packs/${name.slice(0, 2)}/${name}`)],
    ['snapshots/', randoms.flatMap((name) => [`snapshots/${name}/0/1`, `snapshots/${name}/0/2`])],
  ])('under %s are borne, however many', async (prefix, names) => {
    expect(await count(listing(names), prefix)).toBe(names.length)
  })

  test('one job may have as many snapshots as it likes', async () => {
    const names = Array.from({ length: 10_000 }, (_, revision) => `snapshots/${random(1)}/${Math.floor(revision / 1000)}/${revision}`)
    expect(await count(listing(names), 'snapshots/')).toBe(10_000)
  })
})

describe('names that are made up', () => {
  test.each([
    ['packs/', (number: number) => `packs/00/${counted(number)}`], ['packs/a', (number: number) => `packs/aa/aa${counted(number).slice(2)}`],
    ['packs/ab', (number: number) => `packs/ab/ab${counted(number).slice(2)}`], ['index/', (number: number) => `index/${counted(number)}`],
    ['snapshots/', (number: number) => `snapshots/${counted(number)}/0/1`], ['packs/', (number: number) => `packs/aa/aa${counted(number).slice(2)}`],
    ['index/', (number: number) => `index/aa${counted(number).slice(2)}`],
  ] as const)('without an end under %s are told', async (prefix, name) => {
    expect(await codeOf(() => count(listing(endless(name)), prefix))).toBe('unsupported')
  })
})
