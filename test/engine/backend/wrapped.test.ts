import { randomUUID } from 'node:crypto'
import { afterAll, expect } from 'vitest'
import type { StorageBackend } from '../../../engine/backend/backend.ts'
import { TokenBucket } from '../../../engine/backend/flow/bandwidth.ts'
import { faultRule, withFaults, type FaultyBackend } from '../../../engine/backend/wrappers/faulty/faulty.ts'
import { withLimits } from '../../../engine/backend/wrappers/limits.ts'
import { withLog } from '../../../engine/backend/wrappers/log.ts'
import { openMemory } from '../../../engine/backend/memory/memory.ts'
import { Transfers } from '../../../engine/backend/flow/transfers.ts'
import { withRetry } from '../../../engine/backend/wrappers/retry.ts'
import { systemClock } from '../../../engine/base/clock.ts'
import { createLog } from '../../../engine/base/log.ts'
import { backendContract, type ContractStorage } from '../../suites/backend-contract.ts'

/** Retries wait no time here: the contract is about what comes out, retry.test.ts about when. */
const hurried = { ...systemClock, sleep: async () => undefined }

function over(wrap: (inner: StorageBackend) => StorageBackend): () => Promise<ContractStorage> {
  return async () => {
    const name = randomUUID()
    return { open: async () => wrap(openMemory(name)), async [Symbol.asyncDispose]() { /* ends with the process */ } }
  }
}

const limited = (inner: StorageBackend): StorageBackend => withLimits(inner, {
  transfers: new Transfers({ concurrency: 4, clock: systemClock }),
  bandwidth: { up: new TokenBucket(systemClock, 1e9), down: new TokenBucket(systemClock, 1e9) },
})

backendContract('limits and log over memory', over((inner) => limited(withLog(inner, createLog(() => undefined, Date.now)))))

const faulty: FaultyBackend[] = []
const rules = [
  faultRule('any', 'before', { probability: 0.2, code: 'unavailable' }),
  faultRule('any', 'after', { probability: 0.2 }),
  faultRule('put', 'during', { probability: 0.1 }),
  faultRule('list', 'during', { probability: 0.3 }),
  faultRule('any', 'before', { probability: 0.1, code: 'throttled', retryAfterMs: 5 }),
]
backendContract('retry and limits over a storage that fails half of the time', over((inner) => {
  const broken = withFaults(inner, { seed: 20, rules })
  faulty.push(broken)
  return withRetry(limited(broken), { clock: hurried, patienceMs: 60_000 })
}))

afterAll(() => {
  for (const [index] of rules.entries()) expect(faulty.some((one) => (one.happened[index] ?? 0) > 0), `rule ${index} struck`).toBe(true)
})
