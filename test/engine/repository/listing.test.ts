import { randomUUID } from 'node:crypto'
import { expect, test } from 'vitest'
import type { ObjectInfo } from '../../../engine/backend/backend.ts'
import { openMemory } from '../../../engine/backend/memory/memory.ts'
import { BackendWrapper } from '../../../engine/backend/wrappers/wrapper.ts'
import { listPacks, type PackShards } from '../../../engine/repository/protocol/listing.ts'
import { bytesOf } from '../../suites/backend-contract.ts'

const never = new AbortController().signal

class Counting extends BackendWrapper {
  readonly listed: string[] = []

  override list(prefix: string, signal: AbortSignal): AsyncIterable<ObjectInfo> {
    this.listed.push(prefix)
    return super.list(prefix, signal)
  }
}

function packNames(count: number): string[] {
  return Array.from({ length: count }, (_, at) => ((at * 2_654_435_761) % 2 ** 32).toString(16).padStart(8, '0').repeat(4))
}

test.each<[packs: number, shards: PackShards, requests: string]>([
  [0, 16, 'packs/'], [999, 16, 'packs/'], [1000, 16, 'packs/ and sixteen'], [2500, 16, 'packs/ and sixteen'], [10, 256, 'as many as shards'], [10, 1, 'packs/'],
])('%i packs in %i shards are all listed, each once: %s', async (count, shards, requests) => {
  const bare = openMemory(randomUUID())
  const backend = new Counting(bare, { ...bare.traits, listing: { ...bare.traits.listing, cost: 'prefix' } })
  const packs = packNames(count)
  for (const name of packs) await bare.put(`packs/${name.slice(0, 2)}/${name}`, bytesOf('x'), {}, never)
  const found: string[] = []
  for await (const { name } of listPacks(backend, shards, never)) found.push(name)
  expect(found.sort()).toEqual([...packs].sort())
  expect(backend.listed).toHaveLength(requests === 'packs/' ? 1 : requests === 'as many as shards' ? shards : 17)
})
