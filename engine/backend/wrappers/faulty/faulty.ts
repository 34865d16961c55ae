import { appendFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { abortError, throwIfAborted } from '../../../base/abort.ts'
import { systemClock, type Clock } from '../../../base/clock.ts'
import { asHoldfastError, HoldfastError } from '../../../base/errors.ts'
import type { BackendTraits, Body, ByteRange, ObjectInfo, Pace, PutOptions, StorageBackend } from '../../backend.ts'
import { TokenBucket } from '../../flow/bandwidth.ts'
import { BackendWrapper } from '../wrapper.ts'
import type { FaultPlan, FaultKind, FaultRule, FaultyOperation } from './plan.ts'

export { faultRule, parseFaultPlan, type FaultPlan, type FaultRule } from './plan.ts'

/** Kind and version, in clear, before every object of a repository. */
const headerBytes = 4

/**
 * Makes a storage fail as planned (requirement A9), the same way for the same seed and order of operations. Only for tests;
 * people reach it as `faulty+<address>`.
 */
export function withFaults(backend: StorageBackend, plan: FaultPlan, clock: Clock = systemClock): FaultyBackend {
  return new FaultyBackend(backend, plan, clock)
}

function traitsOf({ traits }: StorageBackend, { maxConnections = Infinity, largestPut = Infinity, anyOrder }: FaultPlan): BackendTraits {
  return {
    ...traits, maxConnections: Math.min(traits.maxConnections, maxConnections), largestPut: Math.min(traits.largestPut, largestPut),
    listing: anyOrder ? { order: 'any', cost: 'folder' } : traits.listing,
  }
}

export class FaultyBackend extends BackendWrapper {
  readonly #plan: FaultPlan
  readonly #clock: Clock
  readonly #random: () => number
  readonly #matched: number[]
  readonly #happened: number[]
  readonly #putMs = new Map<string, number>()

  constructor(inner: StorageBackend, plan: FaultPlan, clock: Clock) {
    super(inner, traitsOf(inner, plan))
    this.#plan = plan
    this.#clock = clock
    this.#random = seededRandom(plan.seed)
    this.#matched = plan.rules.map(() => 0)
    this.#happened = plan.rules.map(() => 0)
  }

  /** How often each rule of the plan struck. Tests assert on it: a fault that never happened proves nothing. */
  get happened(): readonly number[] {
    return this.#happened
  }

  override async put(name: string, body: Body, options: PutOptions, signal: AbortSignal): Promise<void> {
    await this.#run('put', name, signal, async (faults) => {
      const stored = await this.#bodyWith(faults, body)
      const broken = faults.find((rule) => rule.kind === 'during')
      if (broken) await this.#putHalf(name, stored, options, broken, signal)
      else await this.inner.put(name, stored, { ...options, ...optionalPace(this.#slow(faults, options.pace, signal)) }, signal)
      this.#putMs.set(name, this.#clock.monotonic())
    })
  }

  override get(name: string, range: ByteRange | 'all', signal: AbortSignal, pace?: Pace): Promise<Uint8Array> {
    return this.#run('get', name, signal, async (faults) => {
      const bytes = await this.inner.get(name, range, signal, this.#slow(faults, pace, signal))
      const broken = faults.find((rule) => rule.kind === 'during')
      if (broken) throw planned(broken)
      if (faults.some((rule) => rule.kind === 'truncate')) {
        if (range !== 'all') throw new HoldfastError('damaged', `${name} ends before the bytes that were asked for.`)
        return bytes.slice(0, bytes.length >> 1)
      }
      return faults.some((rule) => rule.kind === 'flip') ? this.#flipped(bytes) : bytes
    })
  }

  override stat(name: string, signal: AbortSignal): Promise<ObjectInfo> {
    return this.#run('stat', name, signal, () => this.inner.stat(name, signal))
  }

  override remove(name: string, signal: AbortSignal): Promise<void> {
    return this.#run('remove', name, signal, () => this.inner.remove(name, signal))
  }

  override async *list(prefix: string, signal: AbortSignal): AsyncIterable<ObjectInfo> {
    const faults = await this.#before('list', prefix, signal)
    const hideMs = faults.find((rule) => rule.kind === 'late')?.ms
    const ends = faults.find((rule) => rule.kind === 'during' || rule.kind === 'truncate')
    for await (const info of this.#inSomeOrder(this.inner.list(prefix, signal))) {
      const putMs = this.#putMs.get(info.name)
      if (hideMs !== undefined && putMs !== undefined && this.#clock.monotonic() - putMs < hideMs) continue
      yield info
      if (ends) break
    }
    if (ends?.kind === 'during') throw planned(ends)
    after(faults)
  }

  async *#inSomeOrder(list: AsyncIterable<ObjectInfo>): AsyncIterable<ObjectInfo> {
    const infos: ObjectInfo[] = []
    for await (const info of list) {
      if (this.#plan.anyOrder) infos.unshift(info)
      else yield info
    }
    yield* infos
  }

  async #run<T>(operation: FaultyOperation, name: string, signal: AbortSignal, work: (faults: readonly FaultRule[]) => Promise<T>): Promise<T> {
    const faults = await this.#before(operation, name, signal)
    const result = await work(faults)
    after(faults)
    return result
  }

  /** Chooses what strikes this operation and does what comes before it. */
  async #before(operation: FaultyOperation, name: string, signal: AbortSignal): Promise<readonly FaultRule[]> {
    throwIfAborted(signal)
    const faults = this.#plan.rules.filter((rule, index) => this.#strikes(rule, index, operation, name))
    for (const rule of faults) {
      if (rule.kind === 'delay') await this.#clock.sleep(rule.ms, signal)
      if (rule.kind === 'hang') await untilAborted(signal)
      if (rule.kind === 'crash-before') crash()
      if (rule.kind === 'before') throw planned(rule)
    }
    return faults
  }

  #strikes(rule: FaultRule, index: number, operation: FaultyOperation, name: string): boolean {
    if ((rule.operation !== 'any' && rule.operation !== operation) || !appliesTo(rule.kind, operation) || !name.startsWith(rule.prefix)) return false
    const matched = (this.#matched[index] ?? 0) + 1
    const happened = this.#happened[index] ?? 0
    this.#matched[index] = matched
    if (matched <= rule.skip || happened >= rule.times || this.#random() >= rule.probability) return false
    this.#happened[index] = happened + 1
    if (this.#plan.report !== undefined) appendFileSync(this.#plan.report, `${index} ${rule.kind} ${operation} ${name}\n`)
    return true
  }

  /** Cuts the connection once half of the body went through; what the storage then keeps is its own affair. */
  async #putHalf(name: string, body: Body, options: PutOptions, rule: FaultRule, signal: AbortSignal): Promise<never> {
    const cut = new AbortController()
    const half = (body.type === 'bytes' ? body.bytes.length : body.size) / 2
    let sent = 0
    const pace: Pace = (bytes) => {
      sent += bytes
      if (sent > half) cut.abort(planned(rule))
      return options.pace?.(bytes)
    }
    await this.inner.put(name, body, { ...options, pace }, AbortSignal.any([signal, cut.signal])).catch((error: unknown) => {
      throw cut.signal.aborted ? planned(rule) : asHoldfastError(error)
    })
    throw planned(rule)
  }

  async #bodyWith(faults: readonly FaultRule[], body: Body): Promise<Body> {
    const truncate = faults.some((rule) => rule.kind === 'truncate')
    if (!truncate && !faults.some((rule) => rule.kind === 'flip')) return body
    const bytes = body.type === 'bytes' ? body.bytes : await readFile(body.path)
    return { type: 'bytes', bytes: truncate ? bytes.slice(0, bytes.length >> 1) : this.#flipped(bytes) }
  }

  #flipped(bytes: Uint8Array): Uint8Array {
    const wrong = Uint8Array.from(bytes)
    // Not in the header of an object: a version that nobody knows is heeded, not healed.
    const from = Math.max(0, Math.min(headerBytes, wrong.length - 1))
    const place = from + Math.floor(this.#random() * (wrong.length - from))
    if (wrong.length > 0) wrong[place] = (wrong[place] ?? 0) ^ (1 << Math.floor(this.#random() * 8))
    return wrong
  }

  #slow(faults: readonly FaultRule[], pace: Pace | undefined, signal: AbortSignal): Pace | undefined {
    const rule = faults.find((one) => one.kind === 'slow')
    if (!rule) return pace
    const bucket = new TokenBucket(this.#clock, rule.bytesPerSecond)
    return async (bytes) => {
      await bucket.take(bytes, signal)
      await pace?.(bytes)
    }
  }
}

/** Kinds that mean nothing for an operation must not count as having happened. */
function appliesTo(kind: FaultKind, operation: FaultyOperation): boolean {
  switch (kind) {
    case 'flip':
    case 'slow':
      return operation === 'put' || operation === 'get'
    case 'during':
    case 'truncate':
      return operation === 'put' || operation === 'get' || operation === 'list'
    case 'late':
      return operation === 'list'
    default:
      return true
  }
}

function after(faults: readonly FaultRule[]): void {
  for (const rule of faults) {
    if (rule.kind === 'crash-after') crash()
    if (rule.kind === 'after') throw planned(rule)
  }
}

function planned(rule: FaultRule): HoldfastError {
  const data = rule.retryAfterMs > 0 ? { retryAfterMs: rule.retryAfterMs, planned: true } : { planned: true }
  return new HoldfastError(rule.code, `A planned fault (${rule.kind} ${rule.operation}).`, { data })
}

function optionalPace(pace: Pace | undefined): { readonly pace?: Pace } {
  return pace ? { pace } : {}
}

async function untilAborted(signal: AbortSignal): Promise<never> {
  await new Promise<void>((resolve) => {
    // A waiting promise alone does not keep a process alive.
    const keepAlive = setInterval(() => undefined, 60_000)
    signal.addEventListener('abort', () => {
      clearInterval(keepAlive)
      resolve()
    }, { once: true })
  })
  throw abortError(signal)
}

function crash(): never {
  process.kill(process.pid, 'SIGKILL')
  throw new HoldfastError('internal', 'unreachable')
}

/** mulberry32: small, and the same everywhere. */
function seededRandom(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}
