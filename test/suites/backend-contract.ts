import { randomBytes } from 'node:crypto'
import { mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { crc32 } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { maximumWholeBytes, type Body, type ObjectInfo, type StorageBackend } from '../../engine/backend/backend.ts'
import { withSortedLists } from '../../engine/backend/wrappers/sorted-lists.ts'
import { HoldfastError } from '../../engine/base/errors.ts'

/** A storage under test: every `open` is another client of the same objects. */
export interface ContractStorage extends AsyncDisposable {
  open(): Promise<StorageBackend>
}

const never = new AbortController().signal
const mebibyte = 1024 * 1024

/** What every storage and every wrapper must do. Runs as a `describe` of its own; a caller's file is a few lines. */
export function backendContract(name: string, make: () => Promise<ContractStorage>): void {
  describe(name, () => {
    let storage: ContractStorage
    let backend: StorageBackend
    let scratch: string
    let lastFolder = 0
    /** A prefix that no other test uses. */
    const folder = (): string => `t${++lastFolder}/`

    const open = async (): Promise<StorageBackend> => withSortedLists(await storage.open())

    beforeAll(async () => {
      scratch = await mkdtemp(join(tmpdir(), 'holdfast-contract-'))
      storage = await make()
      backend = await open()
    })

    afterAll(async () => {
      await backend[Symbol.asyncDispose]()
      await storage[Symbol.asyncDispose]()
      await rm(scratch, { recursive: true })
    })

    const fileBody = async (bytes: Uint8Array, where = scratch): Promise<Extract<Body, { type: 'file' }>> => {
      const path = join(where, randomBytes(8).toString('hex'))
      await writeFile(path, bytes)
      return { type: 'file', path, size: bytes.length, crc32: crc32(bytes) }
    }

    test('bytes come back as they went in, from another client too', async () => {
      const at = folder()
      const bytes = randomBytes(100_000)
      await backend.put(`${at}a/b-c_d.e`, { type: 'bytes', bytes }, {}, never)
      await using other = await open()
      expect(Buffer.compare(await other.get(`${at}a/b-c_d.e`, 'all', never), bytes)).toBe(0)
      expect(await other.stat(`${at}a/b-c_d.e`, never)).toMatchObject({ name: `${at}a/b-c_d.e`, size: 100_000 })
    })

    test('an empty object is an object', async () => {
      const at = folder()
      await backend.put(`${at}empty`, { type: 'bytes', bytes: new Uint8Array(0) }, {}, never)
      expect(await backend.get(`${at}empty`, 'all', never)).toHaveLength(0)
      expect(await backend.get(`${at}empty`, { offset: 0, length: 0 }, never)).toHaveLength(0)
      expect(await names(backend, at)).toEqual([`${at}empty`])
    })

    test('the time of an object is about now', async () => {
      const at = folder()
      await backend.put(`${at}now`, bytesOf('x'), {}, never)
      expect(Math.abs((await backend.stat(`${at}now`, never)).modifiedMs - Date.now())).toBeLessThan(60_000)
    })

    test('ranges are exact and never short', async () => {
      const at = folder()
      const bytes = randomBytes(300_000)
      await backend.put(`${at}r`, { type: 'bytes', bytes }, {}, never)
      for (const [offset, length] of [[0, 1], [0, 300_000], [299_999, 1], [1234, 200_000], [65_536, 65_536]] as const) {
        expect(Buffer.compare(await backend.get(`${at}r`, { offset, length }, never), bytes.subarray(offset, offset + length))).toBe(0)
      }
      for (const range of [{ offset: 0, length: 300_001 }, { offset: 299_999, length: 2 }, { offset: 300_000, length: 1 }, { offset: 400_000, length: 5 }]) {
        expect(await codeOf(backend.get(`${at}r`, range, never)), JSON.stringify(range)).toBe('damaged')
      }
    })

    test('what is missing is not-found, for get, range and stat', async () => {
      const at = folder()
      await backend.put(`${at}here`, bytesOf('x'), {}, never)
      for (const missing of [`${at}gone`, `${at}no/such/folder`]) {
        expect(await codeOf(backend.get(missing, 'all', never))).toBe('not-found')
        expect(await codeOf(backend.get(missing, { offset: 0, length: 1 }, never))).toBe('not-found')
        expect(await codeOf(backend.stat(missing, never))).toBe('not-found')
      }
    })

    test('a put replaces, and removing is repeatable', async () => {
      const at = folder()
      await backend.put(`${at}x`, bytesOf('old and longer'), {}, never)
      await backend.put(`${at}x`, bytesOf('new'), {}, never)
      expect(await text(backend, `${at}x`)).toBe('new')
      await backend.remove(`${at}x`, never)
      await backend.remove(`${at}x`, never)
      await backend.remove(`${at}never/was`, never)
      expect(await codeOf(backend.stat(`${at}x`, never))).toBe('not-found')
      expect(await names(backend, at)).toEqual([])
    })

    test('ifAbsent keeps what is there, or is refused where that cannot be done', async () => {
      const at = folder()
      const first = await codeOf(backend.put(`${at}x`, bytesOf('first'), { ifAbsent: true }, never))
      // Some storages only know once they have tried.
      expect(first).toBe(backend.traits.exclusiveCreate ? 'done' : 'unsupported')
      if (first === 'unsupported') {
        expect(await names(backend, at)).toEqual([])
        return
      }
      expect(await codeOf(backend.put(`${at}x`, bytesOf('second'), { ifAbsent: true }, never))).toBe('exists')
      expect(await codeOf(backend.put(`${at}x`, await fileBody(Buffer.from('third')), { ifAbsent: true }, never))).toBe('exists')
      expect(await text(backend, `${at}x`)).toBe('first')
    })

    test('of 20 creations at once by two clients one wins, and its bytes stay', async () => {
      if (!backend.traits.exclusiveCreate) return
      await using other = await open()
      for (let round = 0; round < 3; round++) {
        const at = folder()
        const bodies = Array.from({ length: 20 }, (_, index) => `${index}`)
        const codes = await Promise.all(bodies.map((text, index) => codeOf((index % 2 ? other : backend).put(`${at}one`, bytesOf(text), { ifAbsent: true }, never))))
        expect(codes.filter((code) => code === 'done')).toHaveLength(1)
        expect(codes.filter((code) => code === 'exists')).toHaveLength(19)
        expect(await text(backend, `${at}one`)).toBe(bodies[codes.indexOf('done')])
      }
    })

    test('lists show names by prefix, each once, ascending, at once', async () => {
      const at = folder()
      const wanted = ['a', 'a-b', 'a.b', 'a/b', 'a/c/d', 'a0', 'ab/c', 'b', 'b/1'].map((one) => at + one)
      // A folder and an object of the same name cannot both be on a disk.
      const possible = wanted.filter((one) => one !== `${at}a` && one !== `${at}b`)
      for (const name of [...possible].reverse()) await backend.put(name, bytesOf(name), {}, never)
      expect(await names(backend, at)).toEqual([...possible].sort())
      expect(await names(backend, `${at}a`)).toEqual(possible.filter((one) => one.startsWith(`${at}a`)).sort())
      expect(await names(backend, `${at}a/`)).toEqual([`${at}a/b`, `${at}a/c/d`])
      expect(await names(backend, `${at}a/c`)).toEqual([`${at}a/c/d`])
      expect(await names(backend, `${at}zzz/`)).toEqual([])
      const infos: ObjectInfo[] = []
      for await (const info of backend.list(`${at}ab/`, never)) infos.push(info)
      expect(infos).toMatchObject([{ name: `${at}ab/c`, size: `${at}ab/c`.length }])
    })

    test('a list of more than one page is whole', async () => {
      const at = folder()
      const wanted = Array.from({ length: 1003 }, (_, index) => `${at}${String(index).padStart(4, '0')}`)
      await inParallel(wanted, 16, (name) => backend.put(name, bytesOf('.'), {}, never))
      expect(await names(backend, at)).toEqual(wanted)
      for await (const first of backend.list(at, never)) {
        expect(first.name).toBe(wanted[0])
        break
      }
    })

    test('what is aborted before it begins does nothing', async () => {
      const at = folder()
      await backend.put(`${at}kept`, bytesOf('kept'), {}, never)
      const aborted = AbortSignal.abort()
      expect(await codeOf(backend.put(`${at}x`, bytesOf('x'), {}, aborted))).toBe('aborted')
      expect(await codeOf(backend.put(`${at}y`, await fileBody(Buffer.from('y')), {}, aborted))).toBe('aborted')
      expect(await codeOf(backend.remove(`${at}kept`, aborted))).toBe('aborted')
      expect(await codeOf(backend.get(`${at}kept`, 'all', aborted))).toBe('aborted')
      expect(await codeOf(backend.stat(`${at}kept`, aborted))).toBe('aborted')
      expect(await codeOf(names(backend, at, aborted))).toBe('aborted')
      expect(await names(backend, at)).toEqual([`${at}kept`])
    })

    test.each([['bytes', 8], ['file', 8], ['file', 48]] as const)('a put of %s (%i MiB) that is aborted in the middle stops within a second and leaves nothing', async (type, size) => {
      const at = folder()
      const bytes = Buffer.alloc(size * mebibyte, randomBytes(1024))
      const body = type === 'file' ? await fileBody(bytes) : ({ type, bytes } as const)
      const controller = new AbortController()
      let moved = 0
      let abortedAt = 0
      const pace = (slice: number): undefined => {
        moved += slice
        if (moved < bytes.length / 2 || controller.signal.aborted) return
        abortedAt = performance.now()
        controller.abort()
      }
      expect(await codeOf(backend.put(`${at}big`, body, { pace }, controller.signal))).toBe('aborted')
      expect(abortedAt).toBeGreaterThan(0)
      expect(performance.now() - abortedAt).toBeLessThan(1000)
      expect(moved).toBeLessThan(bytes.length)
      expect(await names(backend, at)).toEqual([])
    })

    test('a get that is aborted in the middle stops', async () => {
      const at = folder()
      await backend.put(`${at}big`, { type: 'bytes', bytes: Buffer.alloc(8 * mebibyte) }, {}, never)
      const controller = new AbortController()
      const pace = (): undefined => { controller.abort() }
      expect(await codeOf(backend.get(`${at}big`, 'all', controller.signal, pace))).toBe('aborted')
    })

    test('a file of 64 MiB comes back whole, with progress up to its size', async () => {
      const at = folder()
      const bytes = Buffer.alloc(64 * mebibyte, randomBytes(4093))
      const sent: number[] = []
      await backend.put(`${at}pack`, await fileBody(bytes), { onProgress: (count) => sent.push(count) }, never)
      expect(sent.at(-1)).toBe(bytes.length)
      expect(Buffer.compare(await backend.get(`${at}pack`, 'all', never), bytes)).toBe(0)
      expect(Buffer.compare(await backend.get(`${at}pack`, { offset: 40_000_000, length: 999 }, never), bytes.subarray(40_000_000, 40_000_999))).toBe(0)
      expect(await names(backend, at)).toEqual([`${at}pack`])
    })

    test('a file in the staging folder is moved, not copied', async () => {
      const staging = backend.traits.stagingFolder
      if (staging === undefined) return
      const at = folder()
      await mkdir(join(staging, 'job'), { recursive: true })
      const body = await fileBody(Buffer.from('staged'), join(staging, 'job'))
      const { ino } = await stat(body.path)
      const root = join(staging, '..')
      expect(await names(backend, '')).not.toContainEqual(expect.stringContaining('staging'))
      await backend.put(`${at}moved`, body, { once: true }, never)
      expect(await text(backend, `${at}moved`)).toBe('staged')
      await expect(stat(body.path)).rejects.toMatchObject({ code: 'ENOENT' })
      expect((await stat(join(root, `${at}moved`))).ino).toBe(ino)
    })

    test('a file elsewhere is left where it is', async () => {
      const at = folder()
      const body = await fileBody(Buffer.from('mine'))
      await backend.put(`${at}copy`, body, {}, never)
      expect(await readFile(body.path, 'utf8')).toBe('mine')
    })

    test('transfers up to the cap run side by side', async () => {
      const at = folder()
      const bodies = Array.from({ length: backend.traits.maxConnections }, () => randomBytes(50_000))
      await Promise.all(bodies.map((bytes, index) => backend.put(`${at}${index}`, { type: 'bytes', bytes }, {}, never)))
      const back = await Promise.all(bodies.map((_, index) => backend.get(`${at}${index}`, 'all', never)))
      expect(back.every((bytes, index) => Buffer.compare(bytes, bodies[index] ?? Buffer.alloc(0)) === 0)).toBe(true)
    })

    test('200 objects at once, as many at a time as it bears, come back as they are, and are removed', async () => {
      const at = folder()
      const bodies = new Map(Array.from({ length: 200 }, (_, index) => [`${at}${index % 7}/${index}`, randomBytes(1 + ((index * 7919) % 20_000))] as const))
      const atOnce = backend.traits.maxConnections
      await inParallel([...bodies], atOnce, ([name, bytes]) => backend.put(name, { type: 'bytes', bytes }, {}, never))
      expect(await names(backend, at)).toEqual([...bodies.keys()].sort())
      await inParallel([...bodies], atOnce, async ([name, bytes]) => { expect(Buffer.compare(await backend.get(name, 'all', never), bytes), name).toBe(0) })
      await inParallel([...bodies.keys()], atOnce, (name) => backend.remove(name, never))
      expect(await names(backend, at)).toEqual([])
    })

    test('what it says of itself is what the rest relies on', () => {
      const { maxConnections, largestPut, account } = backend.traits
      expect(maxConnections).toBeGreaterThanOrEqual(1)
      expect(largestPut).toBeGreaterThanOrEqual(maximumWholeBytes)
      expect(account).not.toBe('')
      expect(backend.label).not.toBe('')
    })

    test('names come back as they are: every character that there is, and the longest', async () => {
      const at = folder()
      const odd = [`${at}0123456789/abcdefghijklmnopqrstuvwxyz`, `${at}a-b_c.d`, `${at}a--b__c..d`, `${at}-`, `${at}_`, `${at}-a/-b`, at + 'n'.repeat(200)]
      for (const name of odd) await backend.put(name, bytesOf(name), {}, never)
      expect(await names(backend, at)).toEqual([...odd].sort())
      for (const name of odd) expect(await text(backend, name)).toBe(name)
    })

    test.each(['', '/', '/a', 'a/', 'a//b', '.', '..', 'a/../b', '../a', 'a/./b', '.tmp/a', 'a/.b', 'A', 'a b', 'a\\b', 'ä', 'a\0b', 'x'.repeat(256)])('the name %j is refused', async (odd) => {
      expect(await codeOf(backend.put(odd, bytesOf('x'), {}, never))).toBe('arguments')
      expect(await codeOf(backend.get(odd, 'all', never))).toBe('arguments')
      expect(await codeOf(backend.stat(odd, never))).toBe('arguments')
      expect(await codeOf(backend.remove(odd, never))).toBe('arguments')
    })

    test.each(['/', '../', 'a//', 'a/../', '.tmp/', 'A/'])('the prefix %j is refused', async (odd) => {
      expect(await codeOf(names(backend, odd))).toBe('arguments')
    })

    test('a disposed client leaves the objects', async () => {
      const at = folder()
      const other = await open()
      await other.put(`${at}stays`, bytesOf('x'), {}, never)
      await other[Symbol.asyncDispose]()
      expect(await names(backend, at)).toEqual([`${at}stays`])
    })
  })
}

export function bytesOf(text: string): Body {
  return { type: 'bytes', bytes: Buffer.from(text) }
}

/** The code a promise fails with, or `done`. What is not a HoldfastError fails the test. */
export async function codeOf(result: Promise<unknown>): Promise<string> {
  try {
    await result
    return 'done'
  } catch (error) {
    if (error instanceof HoldfastError) return error.code
    throw error
  }
}

export async function names(backend: StorageBackend, prefix: string, signal: AbortSignal = never): Promise<string[]> {
  const found: string[] = []
  for await (const info of backend.list(prefix, signal)) found.push(info.name)
  return found
}

async function text(backend: StorageBackend, name: string): Promise<string> {
  return Buffer.from(await backend.get(name, 'all', never)).toString()
}

async function inParallel<T>(items: readonly T[], width: number, task: (item: T) => Promise<void>): Promise<void> {
  const queue = items.values()
  await Promise.all(Array.from({ length: width }, async () => {
    for (const item of queue) await task(item)
  }))
}
