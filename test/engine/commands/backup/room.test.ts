import { existsSync, readdirSync, writeFileSync } from 'node:fs'
import type * as files from 'node:fs/promises'
import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { Room } from '../../../../engine/commands/backup/room.ts'
import { createLog } from '../../../../engine/base/log.ts'
import { systemClock } from '../../../../engine/base/clock.ts'
import { HoldfastError } from '../../../../engine/base/errors.ts'
import type { SpaceLeft } from '../../../../engine/protocol/space.ts'
import type { OpenStorage } from '../../../../engine/commands/open.ts'
import type { World } from '../../../fixtures/world.ts'
import { quickWorld } from '../../../fixtures/quick-world.ts'

const disk = vi.hoisted(() => ({ freeBytes: 0, totalBytes: 0 }))
vi.mock('node:fs/promises', async (original) => ({
  ...await original<typeof files>(),
  statfs: () => Promise.resolve({ bavail: disk.freeBytes, blocks: disk.totalBytes, bsize: 1 }),
}))

const gib = 1024 ** 3
const never = new AbortController().signal
let world: World

beforeEach(async () => {
  Object.assign(disk, { freeBytes: 500 * gib, totalBytes: 1000 * gib })
  world = await quickWorld()
})
afterEach(() => { world[Symbol.dispose]() })

const file = (name: string, bytes: number): void => { writeFileSync(join(world.source, name), randomBytes(bytes)) }
const packs = (): string[] => readdirSync(world.repository, { recursive: true, encoding: 'utf8' }).filter((path) => /^packs\/..\/./.test(path))

test('a summary says what is left, and not before a week how long that lasts', async () => {
  file('a', 1000)
  expect((await world.backup()).space).toEqual({ freeBytes: 500 * gib, totalBytes: 1000 * gib })
})

test('a backup that finds the reserve used up is refused before anything is written, and says how much is missing', async () => {
  disk.freeBytes = gib
  file('a', 1000)
  await expect(world.backup()).rejects.toMatchObject({ code: 'full', message: expect.stringContaining('needs about 1.1 GB more') as string, data: { missingBytes: gib, place: 'destination' } })
  expect(packs()).toEqual([])
  expect(existsSync(join(world.repository, 'intents'))).toBe(false)
})

test('where nothing has changed it does not matter how full it is', async () => {
  file('a', 1000)
  await world.backup()
  disk.freeBytes = 0
  expect((await world.backup()).outcome).toBe('unchanged')
})

test('a first backup of photographs that cannot fit is refused; of text it is tried', async () => {
  disk.freeBytes = 2 * gib + 1_000_000
  file('a.jpg', 2_500_000)
  await expect(world.backup()).rejects.toMatchObject({ code: 'full', message: expect.stringContaining('needs about 1.4 MB more') as string })
  expect(packs()).toEqual([])
  await world.backup({ excludes: { patterns: ['*.jpg'], presets: [], oneFileSystem: false } })
  writeFileSync(join(world.source, 'a.txt'), 'text '.repeat(500_000))
  expect((await world.backup({ excludes: { patterns: ['*.jpg'], presets: [], oneFileSystem: false } })).outcome).toBe('success')
})

test('that it may not fit is told, and the backup goes on', async () => {
  disk.freeBytes = 2 * gib + 1_000_000
  file('a.jpg', 1_500_000)
  expect((await world.backup()).outcome).toBe('success')
  expect(world.lines.filter(({ level }) => level === 'warning').map(({ message }) => message)).toEqual([expect.stringContaining('It may not fit')])
})

/** A storage far away, that has so much left each time it is asked. */
function far(...left: (SpaceLeft | undefined | HoldfastError)[]): { readonly room: Room; sent: (bytes: number) => void; asked: () => number } {
  const traffic = { uploadedBytes: 0 }
  let asked = 0
  const backend = {
    label: 'the server', traits: { distance: 'far' },
    space: () => {
      const next = left[Math.min(asked++, left.length - 1)]
      return next instanceof HoldfastError ? Promise.reject(next) : Promise.resolve(next)
    },
  }
  const room = new Room({
    storage: { backend, traffic } as unknown as OpenStorage, context: { clock: systemClock, log: createLog(() => undefined, () => 0) }, waitingBytes: () => 5_000_000,
  })
  return { room, sent: (bytes) => { traffic.uploadedBytes += bytes }, asked: () => asked }
}

test('a server is asked again only when it may be tight, or after a gibibyte', async () => {
  const { room, sent, asked } = far({ freeBytes: 10 * gib, totalBytes: 1000 * gib }, { freeBytes: 9 * gib, totalBytes: 1000 * gib }, { freeBytes: 2 * gib + 5, totalBytes: 1000 * gib })
  await room.require(never)
  for (let pack = 0; pack < 63; pack++) {
    await room.take(16 * 1024 ** 2, never)
    sent(16 * 1024 ** 2)
  }
  expect(asked()).toBe(1)
  sent(16 * 1024 ** 2)
  await room.take(16 * 1024 ** 2, never)
  expect(asked()).toBe(2)
  sent(7 * gib)
  await expect(room.take(10, never)).rejects.toMatchObject({ code: 'full', data: { missingBytes: 4_999_995 } })
})

test('one that does not say, or fails to, is used until it is full', async () => {
  for (const answer of [undefined, new HoldfastError('unsupported', 'No.')]) {
    const { room, asked } = far(answer)
    await room.require(never)
    await room.take(1e15, never)
    expect([room.left, asked()]).toEqual([undefined, 1])
  }
  await expect(far(new HoldfastError('aborted', 'Stop.')).room.require(never)).rejects.toMatchObject({ code: 'aborted' })
})
