import { describe, expect, test } from 'vitest'
import type { StorageBackend } from '../../../engine/backend/backend.ts'
import { HoldfastError } from '../../../engine/base/errors.ts'
import { encodeConfig, standardChunker } from '../../../engine/repository/config.ts'
import { addPassword, changePassword, jobKeyOf, listKeys, removeKey } from '../../../engine/repository/keys.ts'
import { keyObject } from '../../../engine/repository/names.ts'
import { initRepository, openRepository, repositoryIdAt } from '../../../engine/repository/repository.ts'
import { cheap, codeOf, collect, context, never, newBackend, newRepository, noise } from './support.ts'

const options = { arbiter: 'cas', ...context, cost: cheap } as const

/** Puts changed bytes in an object's place. */
async function tamper(backend: StorageBackend, name: string, change: (bytes: Uint8Array) => Uint8Array | void): Promise<void> {
  const bytes = await backend.get(name, 'all', never)
  await backend.put(name, { type: 'bytes', bytes: change(bytes) ?? bytes }, {}, never)
}

async function namesUnder(backend: StorageBackend, prefix: string): Promise<string[]> {
  return (await collect(backend.list(prefix, never))).map(({ name }) => name)
}

describe('a new repository', () => {
  test('opens with its password, with the same keys and config', async () => {
    const made = await newRepository('secret')
    const opened = await openRepository(made.backend, 'secret', never)
    expect(opened).toEqual(made)
    expect(opened.config).toMatchObject({ formatVersion: 1, arbiter: 'cas', chunker: standardChunker })
    expect(await repositoryIdAt(made.backend, never)).toBe(made.config.repositoryId)
    expect(new Set(Object.values(made.keys).map((key) => Buffer.from(key).toString('hex'))).size).toBe(4)
  })

  test('takes no address that has one, and leaves that as it was', async () => {
    const made = await newRepository('secret')
    expect(await codeOf(() => initRepository(made.backend, 'other', options, never))).toBe('exists')
    expect(await namesUnder(made.backend, '')).toHaveLength(2)
    expect((await openRepository(made.backend, 'secret', never)).config).toEqual(made.config)
  })

  test('of two made at once one is made, and the other leaves no key', async () => {
    const backend = newBackend()
    const results = await Promise.allSettled(['one', 'two'].map((password) => initRepository(backend, password, options, never)))
    const reasons = results.flatMap((result) => (result.status === 'rejected' ? [result.reason as unknown] : []))
    expect(reasons).toEqual([expect.objectContaining({ code: 'exists' })])
    expect(await namesUnder(backend, 'keys/')).toHaveLength(1)
    const winner = results[0]?.status === 'fulfilled' ? 'one' : 'two'
    await openRepository(backend, winner, never)
  })

  test('is made although the reply to its last step was lost and the step repeated', async () => {
    const backend = newBackend()
    const echoing = new Proxy(backend, {
      get(target, property, receiver) {
        if (property !== 'put') return (Reflect.get(target, property, receiver) as () => unknown).bind(target)
        return async (...put: Parameters<StorageBackend['put']>) => {
          await target.put(...put)
          if (put[2].ifAbsent) throw new HoldfastError('exists', 'It exists already.')
        }
      },
    })
    await initRepository(echoing, 'secret', options, never)
    await openRepository(backend, 'secret', never)
  })

  test('opens with its password although inits with the same one broke off before', async () => {
    const backend = newBackend()
    for (let before = 0; before < 6; before++) {
      const made = await initRepository(backend, 'secret', options, never)
      const opened = await openRepository(backend, 'secret', never)
      expect(opened).toEqual(made)
      expect((await listKeys(opened, never)).filter(({ label }) => label !== undefined)).toEqual([expect.objectContaining({ name: made.keyName, current: true })])
      expect(await codeOf(() => removeKey(opened, made.keyName, never))).toBe('arguments')
      // What an init leaves that dies before its last step.
      await backend.remove('config', never)
    }
  })

  test('needs a password', async () => {
    expect(await codeOf(() => initRepository(newBackend(), '', options, never))).toBe('arguments')
  })

  test('is not begun when cancelled', async () => {
    const backend = newBackend()
    expect(await codeOf(() => initRepository(backend, 'secret', options, AbortSignal.abort()))).toBe('aborted')
    expect(await namesUnder(backend, '')).toEqual([])
  })
})

describe('opening', () => {
  test('an address without a repository says so', async () => {
    expect(await codeOf(() => openRepository(newBackend(), 'secret', never))).toBe('not-a-repository')
  })

  test('a wrong password is told from damage', async () => {
    const { backend } = await newRepository('secret')
    expect(await codeOf(() => openRepository(backend, 'Secret', never))).toBe('password')
  })

  test('every flipped byte and every truncation of the config is found', async () => {
    const { backend } = await newRepository('secret')
    const bytes = await backend.get('config', 'all', never)
    for (let at = 0; at < bytes.length; at += at < 24 ? 1 : 7) {
      await tamper(backend, 'config', () => bytes.map((byte, index) => (index === at ? byte ^ 4 : byte)))
      expect(['damaged', 'version'], `byte ${at}`).toContain(await codeOf(() => openRepository(backend, 'secret', never)))
      await tamper(backend, 'config', () => bytes.slice(0, at))
      expect(await codeOf(() => openRepository(backend, 'secret', never)), `cut at ${at}`).toBe('damaged')
    }
  })

  test('a newer format is refused by name, before any password is asked', async () => {
    const { backend } = await newRepository('secret')
    await tamper(backend, 'config', (bytes) => { bytes[3] = 2 })
    expect(await codeOf(() => openRepository(backend, 'wrong', never))).toBe('version')
  })

  test('a config far too large is not read', async () => {
    const { backend } = await newRepository('secret')
    await tamper(backend, 'config', (bytes) => Buffer.concat([bytes, Buffer.alloc(1_000_000)]))
    await expect(openRepository(backend, 'secret', never)).rejects.toThrow(/larger than any config/)
  })

  test('chunk sizes that no program writes are refused even when sealed', async () => {
    const { backend, keys, config } = await newRepository('secret')
    for (const chunker of [{ minBytes: 1, averageBytes: 1024, maxBytes: 4096 }, { minBytes: 256, averageBytes: 1000, maxBytes: 4096 }, { minBytes: 256, averageBytes: 1024, maxBytes: 2 ** 30 }]) {
      await tamper(backend, 'config', () => encodeConfig(keys, { ...config, chunker }))
      expect(await codeOf(() => openRepository(backend, 'secret', never))).toBe('damaged')
    }
  })

  test('the config of another repository does not fit these keys', async () => {
    const one = await newRepository('secret')
    const two = await newRepository('secret')
    await tamper(one.backend, 'config', () => encodeConfig(two.keys, two.config))
    expect(await codeOf(() => openRepository(one.backend, 'secret', never))).toBe('damaged')
  })

  test('without any key nothing can be said about the password', async () => {
    const { backend, keyName } = await newRepository('secret')
    await backend.remove(keyObject(keyName), never)
    expect(await codeOf(() => openRepository(backend, 'secret', never))).toBe('damaged')
  })
})

describe('passwords', () => {
  test('come and go; the master key stays', async () => {
    const made = await newRepository('first')
    const name = await addPassword(made, { password: 'second', label: 'laptop' }, { ...context, cost: cheap }, never)
    const second = await openRepository(made.backend, 'second', never)
    expect(second.keys).toEqual(made.keys)
    expect(second.keyName).toBe(name)
    expect(await listKeys(second, never)).toEqual(expect.arrayContaining([
      { name, label: 'laptop', createdMs: expect.any(Number) as number, current: true },
      expect.objectContaining({ name: made.keyName, label: '', current: false }),
    ]))
    await removeKey(second, made.keyName, never)
    expect(await codeOf(() => openRepository(made.backend, 'first', never))).toBe('password')
    await openRepository(made.backend, 'second', never)
  })

  test('changing one rewrites only the key object', async () => {
    const made = await newRepository('old')
    const config = await made.backend.get('config', 'all', never)
    await changePassword(made, { password: 'new', label: '' }, { ...context, cost: cheap }, never)
    expect(await codeOf(() => openRepository(made.backend, 'old', never))).toBe('password')
    expect((await openRepository(made.backend, 'new', never)).keys).toEqual(made.keys)
    expect(await made.backend.get('config', 'all', never)).toEqual(config)
    expect(await namesUnder(made.backend, 'keys/')).toHaveLength(1)
  })

  test('the last key stays, also beside keys that nobody can read', async () => {
    const made = await newRepository('only')
    await made.backend.put(keyObject('0'.repeat(32)), { type: 'bytes', bytes: noise('junk', 300) }, {}, never)
    expect(await codeOf(() => removeKey(made, made.keyName, never))).toBe('arguments')
    expect(await codeOf(() => removeKey(made, 'f'.repeat(32), never))).toBe('not-found')
    await openRepository(made.backend, 'only', never)
    await removeKey(made, '0'.repeat(32), never)
  })

  test('damaged, foreign, oversized and newer keys do not keep a good one from opening', async () => {
    const made = await newRepository('good')
    const good = await made.backend.get(keyObject(made.keyName), 'all', never)
    const put = (name: string, bytes: Uint8Array): Promise<void> => made.backend.put(keyObject(name.repeat(32)), { type: 'bytes', bytes }, {}, never)
    await put('0', noise('junk', 300))
    await put('1', good)
    await put('2', Buffer.alloc(1_000_000))
    await put('3', good.map((byte, index) => (index === 3 ? 9 : byte)))
    await put('4', new Uint8Array(0))
    const opened = await openRepository(made.backend, 'good', never)
    expect(opened.keyName).toBe(made.keyName)
    expect((await listKeys(opened, never)).filter(({ label }) => label !== undefined).map(({ name }) => name)).toEqual([made.keyName])
  })

  test('a forged key that asks for gigabytes is passed over', async () => {
    const made = await newRepository('good')
    await tamper(made.backend, keyObject(made.keyName), (bytes) => Buffer.from(Buffer.from(bytes).toString('latin1').replace('"N":1024', '"N":16777216'), 'latin1'))
    expect(await codeOf(() => openRepository(made.backend, 'good', never))).toBe('damaged')
  })

  test('a key object far too large is not read', async () => {
    const made = await newRepository('good')
    await tamper(made.backend, keyObject(made.keyName), (bytes) => Buffer.concat([bytes, Buffer.alloc(20_000, ' ')]))
    expect(await codeOf(() => openRepository(made.backend, 'good', never))).toBe('damaged')
    await tamper(made.backend, keyObject(made.keyName), (bytes) => bytes.subarray(0, bytes.length - 19_000))
    await openRepository(made.backend, 'good', never)
  })

  test('every flipped byte of a key is noticed', async () => {
    const made = await newRepository('good')
    const good = await made.backend.get(keyObject(made.keyName), 'all', never)
    for (let at = 0; at < good.length; at += 5) {
      await tamper(made.backend, keyObject(made.keyName), () => good.map((byte, index) => (index === at ? byte ^ 1 : byte)))
      const opened = await openRepository(made.backend, 'good', never).catch((error: unknown) => error)
      if (opened instanceof HoldfastError) expect(['password', 'damaged'], `byte ${at}`).toContain(opened.code)
      else expect(await listKeys(made, never), `byte ${at}`).toEqual([{ name: made.keyName, current: true }])
    }
  })

  test('there cannot be too many', async () => {
    const made = await newRepository('good')
    for (let index = 0; index < 63; index++) await made.backend.put(keyObject(index.toString(16).padStart(32, '0')), { type: 'bytes', bytes: new Uint8Array(1) }, {}, never)
    expect(await codeOf(() => addPassword(made, { password: 'more', label: '' }, { ...context, cost: cheap }, never))).toBe('arguments')
  })
})

test('a job has one name per repository, which does not show its own', async () => {
  const { keys } = await newRepository()
  expect(jobKeyOf(keys, 'documents')).toMatch(/^[0-9a-f]{32}$/)
  expect(jobKeyOf(keys, 'documents')).toBe(jobKeyOf(keys, 'documents'))
  expect(jobKeyOf(keys, 'documents')).not.toBe(jobKeyOf(keys, 'documents2'))
  expect(jobKeyOf((await newRepository()).keys, 'documents')).not.toBe(jobKeyOf(keys, 'documents'))
})
