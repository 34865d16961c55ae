import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { toHex } from '../../../engine/base/bytes.ts'
import { LivenessDatabase } from '../../../engine/catalog/liveness.ts'
import type { LivenessStore } from '../../../engine/repository/protocol/liveness.ts'
import { MemoryLiveness } from '../../model/memory-liveness.ts'
import { chunk, makePack } from '../../model/repository.ts'

const letters = [...'abcdef']
const names = ['1', '2', '3', '4'].map((digit) => digit.repeat(32))

const name = fc.constantFrom(...names)
const action = fc.oneof(
  fc.record({ type: fc.constant('add' as const), name, blobs: fc.uniqueArray(fc.constantFrom(...letters), { minLength: 1 }) }),
  fc.record({ type: fc.constant('list' as const), names: fc.uniqueArray(name), wrongSize: fc.option(name) }),
  fc.record({ type: fc.constant('retire' as const), name }),
  fc.record({ type: fc.constant('live' as const), letter: fc.constantFrom(...letters) }),
)
type Action = typeof action extends fc.Arbitrary<infer T> ? T : never

/** Applies actions. What is known of a pack may turn out to be wrong: then a later `add` replaces it. */
function apply(store: LivenessStore, actions: readonly Action[]): void {
  const contents = new Map<string, readonly string[]>()
  for (const each of actions) {
    switch (each.type) {
      case 'add': {
        contents.set(each.name, each.blobs)
        const pack = makePack([each.blobs.map(chunk)])
        store.addPack({ name: each.name, size: pack.bytes.length, contents: pack.contents })
        break
      }
      case 'list':
        store.beginListing()
        for (const listed of each.names) {
          const size = makePack([(contents.get(listed) ?? ['a']).map(chunk)]).bytes.length
          store.listed({ name: listed, size: listed === each.wrongSize ? size + 1 : size, modifiedMs: 7 })
        }
        break
      case 'retire': store.retire(each.name); break
      case 'live': store.markLive(chunk(each.letter).id); break
    }
  }
}

function describeStore(store: LivenessStore): unknown {
  return {
    unknown: [...store.unknown()].map((pack) => pack.name).sort(),
    usage: [...store.usage()],
    duplicates: [...store.withDuplicates()].map((pack) => pack.name),
    sizes: names.map((each) => store.listedSize(each)),
    contents: names.map((each) => store.contents(each)?.segments.flatMap((segment) => segment.blobs.map((blob) => toHex(blob.id)))),
    uncovered: names.map((each) => [...store.uncovered(each)].map((id) => toHex(id)).sort()),
    live: letters.map((letter) => store.isLive(chunk(letter).id)),
    located: letters.map((letter) => {
      const location = store.locate(chunk(letter).id)
      return location && { length: location.length, blobCount: location.blobCount > 0, stored: store.listedSize(location.pack) !== undefined }
    }),
  }
}

describe('LivenessDatabase', () => {
  it('answers as the one in memory does', () => {
    fc.assert(fc.property(fc.array(action, { maxLength: 25 }), (actions) => {
      using memory = new MemoryLiveness()
      using database = new LivenessDatabase()
      apply(memory, actions)
      apply(database, actions)
      expect(describeStore(database)).toEqual(describeStore(memory))
    }), { numRuns: 150 })
  })

  it('goes through many packs in pages', () => {
    using database = new LivenessDatabase()
    database.beginListing()
    const pack = makePack([[chunk('a')]])
    for (let index = 0; index < 1201; index++) {
      const each = index.toString(16).padStart(32, '0')
      database.listed({ name: each, size: pack.bytes.length, modifiedMs: 1 })
      if (index % 2 === 0) database.addPack({ name: each, size: pack.bytes.length, contents: pack.contents })
    }
    expect([...database.unknown()].length).toBe(600)
    expect([...database.usage()].length).toBe(601)
    expect([...database.withDuplicates()].length).toBe(601)
  })
})
