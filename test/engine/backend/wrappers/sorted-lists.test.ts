import { randomUUID } from 'node:crypto'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { ObjectInfo, StorageBackend } from '../../../../engine/backend/backend.ts'
import { openMemory } from '../../../../engine/backend/memory/memory.ts'
import { withSortedLists } from '../../../../engine/backend/wrappers/sorted-lists.ts'
import { BackendWrapper } from '../../../../engine/backend/wrappers/wrapper.ts'
import { backendContract } from '../../../suites/backend-contract.ts'

const never = new AbortController().signal

/** Lists what it is told to, as it is told to. */
class Disorderly extends BackendWrapper {
  infos: readonly ObjectInfo[] | undefined

  constructor(inner: StorageBackend) {
    super(inner, { ...inner.traits, listing: { order: 'any', cost: 'folder' } })
  }

  override async *list(prefix: string, signal: AbortSignal): AsyncIterable<ObjectInfo> {
    const infos: ObjectInfo[] = []
    for await (const info of this.inner.list(prefix, signal)) infos.unshift(info)
    yield* this.infos ?? infos
  }
}

async function listed(backend: StorageBackend): Promise<readonly ObjectInfo[]> {
  const infos: ObjectInfo[] = []
  for await (const info of backend.list('', never)) infos.push(info)
  return infos
}

backendContract('a storage that lists in no order, sorted', async () => {
  const name = randomUUID()
  return { open: async () => withSortedLists(new Disorderly(openMemory(name)), 7), async [Symbol.asyncDispose]() { /* ends with the process */ } }
})

test('any list comes ascending, each name once, from memory and from disk alike', async () => {
  const name = fc.stringMatching(/^[a-z0-9._/-]{1,8}$/)
  const info = fc.record({ name, size: fc.nat(), modifiedMs: fc.double({ min: 0, max: 2e12, noNaN: true }).map((ms) => ms + 0) })
  await fc.assert(fc.asyncProperty(fc.array(info, { maxLength: 60 }), fc.constantFrom(1, 5, 30, 1000), async (infos, inMemory) => {
    const disorderly = new Disorderly(openMemory(randomUUID()))
    disorderly.infos = infos
    const firsts = new Map<string, ObjectInfo>()
    for (const one of infos) if (!firsts.has(one.name)) firsts.set(one.name, one)
    const wanted = [...firsts.values()].sort((a, b) => (a.name < b.name ? -1 : 1))
    expect(await listed(withSortedLists(disorderly, inMemory))).toEqual(wanted)
  }), { numRuns: 200 })
})

test('says that it lists in order; one that does already stays as it is', () => {
  const memory = openMemory(randomUUID())
  expect(withSortedLists(memory)).toBe(memory)
  expect(withSortedLists(new Disorderly(memory)).traits.listing).toEqual({ order: 'ascending', cost: 'folder' })
})

test('a list that breaks off in the middle gives no names, and the error', async () => {
  const failing = new Disorderly(openMemory(randomUUID()))
  failing.list = async function* () {
    yield { name: 'b', size: 1, modifiedMs: 0 }
    throw new Error('broken off')
  }
  const seen: string[] = []
  await expect((async () => { for await (const { name } of withSortedLists(failing, 1).list('', never)) seen.push(name) })()).rejects.toThrow('broken off')
  expect(seen).toEqual([])
})
