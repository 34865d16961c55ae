import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import type { Body, ObjectName, PutOptions } from '../../../engine/backend/backend.ts'
import { openMemory } from '../../../engine/backend/memory/memory.ts'
import { RetryPolicy } from '../../../engine/backend/wrappers/retry.ts'
import { BackendWrapper } from '../../../engine/backend/wrappers/wrapper.ts'
import { systemClock } from '../../../engine/base/clock.ts'
import { HoldfastError } from '../../../engine/base/errors.ts'
import { Uploader } from '../../../engine/pipeline/uploader.ts'
import { systemRandom } from '../../../engine/repository/crypto.ts'
import { packNameOf } from '../../../engine/repository/names.ts'
import { pack, TestCatalog } from '../catalog/fixtures.ts'

const signal = new AbortController().signal

/** A storage whose first two puts break off, and go on later where it says so. */
class Flapping extends BackendWrapper {
  readonly names: ObjectName[] = []
  readonly #continuing: boolean

  constructor(continuing: boolean) {
    super(openMemory(`flapping-${Math.random()}`))
    this.#continuing = continuing
  }

  override continues(name: ObjectName): boolean {
    return this.#continuing && this.names.includes(name)
  }

  override async put(name: ObjectName, body: Body, options: PutOptions, until: AbortSignal): Promise<void> {
    this.names.push(name)
    if (this.names.length > 2) return super.put(name, body, options, until)
    throw new HoldfastError('offline', 'The connection broke.')
  }
}

async function upload(world: TestCatalog, continuing: boolean): Promise<Flapping> {
  const backend = new Flapping(continuing)
  const path = join(world.home, 'pack')
  writeFileSync(path, 'a sealed pack')
  const clock = { ...systemClock, sleep: () => Promise.resolve() }
  const uploader = new Uploader({ backend, catalog: world.catalog, retry: new RetryPolicy({ clock, patienceMs: 60_000 }), random: systemRandom, onUploaded: () => undefined })
  const { contents } = pack('P', 'a')
  await uploader.upload(uploader.record({ path, size: 13, crc32: 0, contents }), signal)
  return backend
}

test('every attempt at a plain upload has a name of its own (R5), and the last one is kept', async () => {
  using world = new TestCatalog()
  world.list()
  const { names } = await upload(world, false)
  expect(new Set(names).size).toBe(3)
  expect(world.catalog.packs.hasPack(packNameOf(names[2] ?? '') ?? '')).toBe(true)
  expect(world.catalog.spool.entries()).toEqual([])
})

test('an upload that the storage can continue is one attempt under one name', async () => {
  using world = new TestCatalog()
  world.list()
  const { names } = await upload(world, true)
  expect(names.length).toBe(3)
  expect(new Set(names).size).toBe(1)
})
