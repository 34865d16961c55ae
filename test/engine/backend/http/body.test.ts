import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { bytesBody, fileBody } from '../../../../engine/backend/http/body.ts'
import { standardLimits } from '../../../../engine/backend/http/limits.ts'
import { Responsiveness, Watch } from '../../../../engine/backend/http/watch.ts'
import { systemClock } from '../../../../engine/base/clock.ts'

const never = new AbortController().signal
const size = 1024 * 1024
let folder: string

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'holdfast-body-'))
  writeFileSync(join(folder, 'file'), Buffer.alloc(size))
})
afterAll(() => { rmSync(folder, { recursive: true }) })

const watched = <T>(work: (watch: Watch) => Promise<T>): Promise<T> =>
  Watch.run({ kind: 'object', bytes: size, clock: systemClock, limits: standardLimits, host: new Responsiveness() }, never, work)

describe.each(['bytes', 'file'] as const)('a body of %s', (type) => {
  const body = (watch: Watch, length = size): ReturnType<typeof bytesBody> =>
    type === 'bytes' ? bytesBody(Buffer.alloc(length), watch, undefined, () => undefined) : fileBody({ path: join(folder, 'file'), offset: 0, length }, watch, undefined, () => undefined)

  test('comes whole', async () => {
    expect(await watched(async (watch) => Buffer.concat((await body(watch).toArray()) as Buffer[]).length)).toBe(size)
  })

  test('that is given up in the middle leaves the word to who gave it up', async () => {
    const refused = new Error('the server says no')
    await expect(watched(async (watch) => {
      const source = body(watch)
      for await (const _ of source) {
        source.destroy(new Error('the connection broke'))
        await new Promise(setImmediate)
        expect(watch.signal.aborted).toBe(false)
        throw refused
      }
    })).rejects.toBe(refused)
  })
})

test('a file that has become shorter ends the exchange with that', async () => {
  await expect(watched(async (watch) => {
    await fileBody({ path: join(folder, 'file'), offset: 0, length: 2 * size }, watch, undefined, () => undefined).toArray().catch(() => undefined)
    watch.signal.throwIfAborted()
  })).rejects.toMatchObject({ code: 'damaged' })
})
