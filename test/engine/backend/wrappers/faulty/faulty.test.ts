import { spawnSync } from 'node:child_process'
import { randomBytes, randomUUID } from 'node:crypto'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import type { StorageBackend } from '../../../../../engine/backend/backend.ts'
import { faultRule, parseFaultPlan, withFaults, type FaultRule, type FaultyBackend } from '../../../../../engine/backend/wrappers/faulty/faulty.ts'
import { openMemory } from '../../../../../engine/backend/memory/memory.ts'
import { fixedCredentials } from '../../../../../engine/backend/credentials.ts'
import { openBackend } from '../../../../../engine/backend/open.ts'
import { bytesOf, codeOf, names } from '../../../../suites/backend-contract.ts'
import { FakeClock } from '../../fake-clock.ts'

const never = new AbortController().signal

function broken(...rules: FaultRule[]): { faulty: FaultyBackend; memory: StorageBackend; clock: FakeClock } {
  const clock = new FakeClock()
  const memory = openMemory(randomUUID(), clock)
  return { faulty: withFaults(memory, { seed: 3, rules }, clock), memory, clock }
}

test('before: nothing happened; after: it happened; during a put: nothing is visible', async () => {
  for (const [kind, visible] of [['before', []], ['during', []], ['after', ['x']]] as const) {
    const { faulty, memory } = broken(faultRule('put', kind, { code: 'unavailable', retryAfterMs: 9 }))
    await expect(faulty.put('x', { type: 'bytes', bytes: randomBytes(500_000) }, {}, never)).rejects.toMatchObject({ code: 'unavailable', data: { retryAfterMs: 9 } })
    expect(await names(memory, '')).toEqual(visible)
    expect(faulty.happened).toEqual([1])
  }
})

test('truncate and flip lie without an error', async () => {
  const bytes = randomBytes(1000)
  const stored = broken(faultRule('put', 'truncate', { times: 1 }), faultRule('put', 'flip', { skip: 1 }))
  await stored.faulty.put('half', { type: 'bytes', bytes }, {}, never)
  await stored.faulty.put('wrong', { type: 'bytes', bytes }, {}, never)
  expect(await stored.memory.get('half', 'all', never)).toHaveLength(500)
  expect(wrongBits(await stored.memory.get('wrong', 'all', never), bytes)).toBe(1)
  const read = broken(faultRule('get', 'truncate', { times: 1 }), faultRule('get', 'flip', { skip: 1 }))
  await read.memory.put('x', { type: 'bytes', bytes }, {}, never)
  expect(await read.faulty.get('x', 'all', never)).toHaveLength(500)
  expect(wrongBits(await read.faulty.get('x', { offset: 0, length: 1000 }, never), bytes)).toBe(1)
})

function wrongBits(left: Uint8Array, right: Uint8Array): number {
  return left.reduce((sum, byte, index) => sum + (byte ^ (right[index] ?? 0)).toString(2).replaceAll('0', '').length, 0)
}

test('delay, slow and hang take their time, and all end at once when aborted', async () => {
  const { faulty, memory, clock } = broken(faultRule('stat', 'delay', { ms: 5000 }), faultRule('put', 'slow', { bytesPerSecond: 100_000 }), faultRule('remove', 'hang'))
  await memory.put('x', bytesOf('x'), {}, never)
  const done: string[] = []
  void faulty.stat('x', never).then(() => done.push('stat'))
  void faulty.put('y', { type: 'bytes', bytes: randomBytes(1_000_000) }, {}, never).then(() => done.push('put'))
  const controller = new AbortController()
  const removal = codeOf(faulty.remove('x', controller.signal))
  await clock.advance(4900)
  expect(done).toEqual([])
  await clock.advance(200)
  expect(done).toEqual(['stat'])
  await clock.advance(5000)
  expect(done).toEqual(['stat', 'put'])
  controller.abort()
  expect(await removal).toBe('aborted')
})

test('late: what was just put is listed only after a while', async () => {
  const { faulty, clock } = broken(faultRule('list', 'late', { ms: 2000 }))
  await faulty.put('x', bytesOf('x'), {}, never)
  expect(await names(faulty, '')).toEqual([])
  await clock.advance(2001)
  expect(await names(faulty, '')).toEqual(['x'])
})

test('rules choose by operation, prefix, skip and times', async () => {
  const { faulty } = broken(faultRule('put', 'before', { prefix: 'packs/', skip: 1, times: 2 }))
  const codes: string[] = []
  for (const name of ['index/1', 'packs/1', 'packs/2', 'packs/3', 'packs/4']) codes.push(await codeOf(faulty.put(name, bytesOf('x'), {}, never)))
  expect(codes).toEqual(['done', 'done', 'offline', 'offline', 'done'])
  expect(faulty.happened).toEqual([2])
})

test('the same seed strikes the same operations', async () => {
  const run = async (seed: number): Promise<string[]> => {
    const faulty = withFaults(openMemory(randomUUID()), { seed, rules: [faultRule('put', 'before', { probability: 0.5 })] })
    return Promise.all(Array.from({ length: 40 }, (_, index) => codeOf(faulty.put(`x${index}`, bytesOf('x'), {}, never))))
  }
  expect(await run(5)).toEqual(await run(5))
  expect(await run(5)).not.toEqual(await run(6))
})

test('a plan comes from an address, and a report tells another process what struck', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-faults-'))
  const report = join(folder, 'report')
  const url = `faulty+${folder}?fault.seed=4&fault.report=${report}&fault.rule=put,before,prefix=packs/,code=full,times=1`
  const backend = await openBackend(url, { credentials: fixedCredentials({}), signal: never })
  expect(await codeOf(backend.put('packs/a', bytesOf('x'), {}, never))).toBe('full')
  expect(await codeOf(backend.put('packs/a', bytesOf('x'), {}, never))).toBe('done')
  expect(await readFile(report, 'utf8')).toBe('0 before put packs/a\n')
  await rm(folder, { recursive: true })
})

test.each(['rule=', 'rule=put', 'rule=fly,before', 'rule=put,explode', 'rule=put,before,times=x', 'rule=put,before,what=1', 'rule=put,before,code=odd', 'order=up', 'largest=x', 'seed=x', 'sed=1'])('%s is refused', (text) => {
  expect(() => parseFaultPlan(new URLSearchParams(text))).toThrow('faulty+')
})

test('crash-after kills the process once the object is there', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-crash-'))
  const program = `
    const { openBackend } = await import(${JSON.stringify(new URL('../../../../../engine/backend/open.ts', import.meta.url).href)})
    const { fixedCredentials } = await import(${JSON.stringify(new URL('../../../../../engine/backend/credentials.ts', import.meta.url).href)})
    const backend = await openBackend('faulty+${folder}?fault.rule=put,crash-after,skip=1', { credentials: fixedCredentials({}), signal: new AbortController().signal })
    for (const name of ['a', 'b', 'c']) await backend.put(name, { type: 'bytes', bytes: Buffer.from(name) }, {}, new AbortController().signal)`
  const result = spawnSync(process.execPath, ['--input-type=module', '-e', program], { encoding: 'utf8' })
  expect(result.signal, result.stderr).toBe('SIGKILL')
  expect(await names(await openBackend(folder, { credentials: fixedCredentials({}), signal: never }), '')).toEqual(['a', 'b'])
  await rm(folder, { recursive: true })
})
