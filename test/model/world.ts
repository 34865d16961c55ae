import { HoldfastError, hasCode } from '../../engine/base/errors.ts'
import type { BackendTraits, Body, ByteRange, ObjectInfo, PutOptions, StorageBackend } from '../../engine/backend/backend.ts'
import { shortHash } from './store.ts'
import type { ModelStore } from './store.ts'

/** What the storage may do with a request: answer, do it and lose the reply, or (creations) answer with a conflict. */
export type Fault = 'none' | 'lost' | 'conflict'

export type Operation = 'put' | 'create' | 'get' | 'stat' | 'list' | 'remove'

export interface Request {
  readonly actor: string
  readonly operation: Operation
  readonly name: string
  /** Takes effect on the storage, at one instant, and then answers. */
  serve(fault: Fault): void
}

/** What a step of an actor read and wrote: its request, and those that took effect at once after it. */
export type Footprint = readonly { readonly operation: Operation, readonly name: string }[]

/** Whether two steps of two actors come to the same in either order. Two that write never do: what is stored between them is to be looked at. */
export function areIndependent(a: Footprint, b: Footprint): boolean {
  return !a.some((one) => b.some((other) => isWrite(one) ? isWrite(other) || reads(other, one.name) : isWrite(other) && reads(one, other.name)))
}

function isWrite({ operation }: Footprint[number]): boolean {
  return operation === 'put' || operation === 'create' || operation === 'remove'
}

function reads({ operation, name }: Footprint[number], written: string): boolean {
  return operation === 'list' ? written.startsWith(name) : written === name
}

export interface ActorState {
  readonly name: string
  readonly pending: Request[]
  /** Hash of everything this actor was told so far: its code is deterministic, so this is its local state. */
  trace: string
  /** Its requests take effect at once: a stretch of its work that another cannot come between. */
  atOnce: boolean
  result: { readonly type: 'running' } | { readonly type: 'done', readonly value: unknown } | { readonly type: 'failed', readonly error: unknown }
}

/** Runs work whose requests nobody comes between; its start is one yield point. */
export type AtOnce = <T>(work: () => Promise<T>) => Promise<T>

export interface WorldOptions {
  /** Requests that take effect at once and are no yield points: none, reads of objects (which do not change), or all. */
  readonly immediate: 'none' | 'reads' | 'all'
  /** Names on one page of a listing, and between two pages anything may happen. Default: all on one. */
  readonly page?: number
  readonly nowMs: () => number
  /** Called after every request that changed something. Throws what it finds violated. */
  readonly afterChange: (request: Request) => void
}

/** A storage shared by actors whose requests wait until the scheduler serves them. */
export class World {
  readonly store: ModelStore
  readonly actors: ActorState[] = []
  readonly #options: WorldOptions
  #violation: Error | undefined
  #footprint: { readonly operation: Operation, readonly name: string }[] = []

  constructor(store: ModelStore, options: WorldOptions) {
    this.store = store
    this.#options = options
  }

  get violation(): Error | undefined {
    return this.#violation
  }

  /** A backend for somebody who is no actor of the world's schedule. */
  backend(name: string): StorageBackend {
    return this.#backendOf({ name, pending: [], trace: '', atOnce: false, result: { type: 'running' } })
  }

  /** Starts an actor; it runs up to its first request at the next settle(). */
  start(name: string, run: (backend: StorageBackend, atOnce: AtOnce) => Promise<unknown>): void {
    const actor: ActorState = { name, pending: [], trace: '', atOnce: false, result: { type: 'running' } }
    this.actors.push(actor)
    const backend = this.#backendOf(actor)
    const atOnce: AtOnce = async (work) => {
      await backend.stat('config', new AbortController().signal).catch(() => undefined)
      actor.atOnce = true
      try {
        return await work()
      } finally {
        actor.atOnce = false
      }
    }
    void Promise.resolve().then(() => run(backend, atOnce)).then(
      (value) => { actor.result = { type: 'done', value } },
      (error: unknown) => { actor.result = { type: 'failed', error } },
    )
  }

  /** Lets every actor run until it waits for the storage. */
  async settle(): Promise<void> {
    await new Promise((resolve) => { setImmediate(resolve) })
  }

  pending(): Request[] {
    return this.actors.flatMap((actor) => actor.pending)
  }

  async serve(request: Request, fault: Fault = 'none'): Promise<Footprint> {
    this.#footprint = []
    request.serve(fault)
    await this.settle()
    return this.#footprint
  }

  fingerprint(): string {
    const actors = this.actors.map((actor) => `${actor.name}:${actor.result.type}:${actor.trace}:${actor.pending.map((request) => request.operation + request.name).join(',')}`)
    return shortHash(`${this.store.fingerprint()}\n${actors.join('\n')}`)
  }

  #backendOf(actor: ActorState): StorageBackend {
    const ask = <T>(operation: Operation, name: string, effect: () => T, digest: (value: T) => string): Promise<T> =>
      this.#ask(actor, operation, name, effect, digest)
    const store = this.store
    const { nowMs: now, page = Infinity } = this.#options
    const traits: BackendTraits = { maxConnections: 64, exclusiveCreate: true, resumable: false, distance: 'near', listing: { order: 'ascending', cost: 'prefix' }, largestPut: Number.MAX_SAFE_INTEGER, account: 'model' }
    return {
      label: `model of ${actor.name}`,
      traits,
      put: (name: string, body: Body, options: PutOptions) => {
        const bytes = bytesOf(body)
        return ask(options.ifAbsent ? 'create' : 'put', name, () => { store.put(name, bytes, options.ifAbsent === true, now()) }, () => '')
      },
      get: async (name: string, range: ByteRange | 'all') => {
        const { bytes } = await ask('get', name, () => store.get(name), (found) => found.tag)
        return range === 'all' ? bytes : bytes.subarray(range.offset, range.offset + range.length)
      },
      stat: (name: string) => ask('stat', name, () => {
        const { bytes, modifiedMs } = store.get(name)
        return { name, size: bytes.length, modifiedMs }
      }, () => 'there'),
      async *list(prefix: string) {
        for (let after = ''; ;) {
          const from = after
          const infos: ObjectInfo[] = await ask('list', prefix, () => store.list(prefix, from, page), (found) => found.map(told).join(','))
          yield* infos
          const last = infos.at(-1)
          if (last === undefined || infos.length < page) return
          after = last.name
        }
      },
      remove: (name: string) => ask('remove', name, () => { store.remove(name) }, () => ''),
      [Symbol.asyncDispose]: () => Promise.resolve(),
    }
  }

  #ask<T>(actor: ActorState, operation: Operation, name: string, effect: () => T, digest: (value: T) => string): Promise<T> {
    return new Promise((resolve, reject) => {
      const record = (outcome: string): void => {
        actor.trace = shortHash(`${actor.trace}|${operation} ${name} ${outcome}`)
      }
      const request: Request = {
        actor: actor.name, operation, name,
        serve: (fault) => {
          actor.pending.splice(actor.pending.indexOf(request), 1)
          this.#footprint.push({ operation, name })
          if (fault === 'conflict') return void (record('409'), reject(new HoldfastError('exists', `${name}: conflict`)))
          try {
            const value = effect()
            this.#check(request)
            if (fault === 'lost') return void (record('lost'), reject(new HoldfastError('unavailable', `${name}: reply lost`)))
            record(`ok ${digest(value)}`)
            resolve(value)
          } catch (error) {
            if (fault === 'lost') return void (record('lost'), reject(new HoldfastError('unavailable', `${name}: reply lost`)))
            record(error instanceof HoldfastError ? error.code : 'error')
            reject(error instanceof Error ? error : new Error(String(error)))
          }
        },
      }
      actor.pending.push(request)
      const { immediate } = this.#options
      if (immediate === 'all' || actor.atOnce || (immediate === 'reads' && operation === 'get')) request.serve('none')
    })
  }

  #check(request: Request): void {
    if (request.operation === 'get' || request.operation === 'list' || request.operation === 'stat') return
    try {
      this.#options.afterChange(request)
    } catch (error) {
      this.#violation ??= error instanceof Error ? error : new Error(String(error))
    }
  }
}

function bytesOf(body: Body): Uint8Array {
  if (body.type === 'bytes') return body.bytes
  throw new Error('the model stores bytes only')
}

/** Repeats what may be repeated, as the real retry wrapper does, without waiting. */
export function retrying(backend: StorageBackend): StorageBackend {
  const again = async <T>(work: () => Promise<T>): Promise<T> => {
    for (let attempt = 0; ; attempt++) {
      try {
        return await work()
      } catch (error) {
        if (attempt === 3 || !hasCode(error, 'unavailable')) throw error
      }
    }
  }
  return {
    ...backend,
    put: (name, body, options, signal) => (options.once ? backend.put(name, body, options, signal) : again(() => backend.put(name, body, options, signal))),
    get: (name, range, signal) => again(() => backend.get(name, range, signal)),
    stat: (name, signal) => again(() => backend.stat(name, signal)),
    remove: (name, signal) => again(() => backend.remove(name, signal)),
    list: (prefix, signal) => backend.list(prefix, signal),
  }
}

/** What a listing tells that anybody acts upon: sealed objects are of random lengths, packs of this model are not. */
function told({ name, size }: ObjectInfo): string {
  return name.startsWith('packs/') ? `${name}:${size}` : name
}
