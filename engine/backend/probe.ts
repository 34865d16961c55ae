import { randomBytes } from 'node:crypto'
import { hasCode } from '../base/errors.ts'
import type { StorageBackend } from './backend.ts'
import { tryWithRights } from './rights.ts'

/** What a storage was seen to do. */
export interface Probe {
  /** Of creations of one name, one after the other and at once, exactly one succeeds. */
  readonly exclusiveCreate: boolean
  /** A list shows what was just written. */
  readonly listsAtOnce: boolean
}

/** With the two beside them as many as go to a storage at once (flow/transfers.ts). */
const triesAtOnce = 6

/**
 * Tries the storage with objects of random names below `probe/`, which are removed again where that is allowed. An adapter that cannot
 * create exclusively gets no creations, only the list. Errors: as put, list and remove; `denied` tells that nothing can be written.
 */
export async function probeBackend(backend: StorageBackend, signal: AbortSignal): Promise<Probe> {
  const folder = `probe/${randomBytes(16).toString('hex')}`
  const [inTurn, atOnce, listed] = ['a', 'b', 'c'].map((each) => `${folder}-${each}`) as [string, string, string]
  const exclusive = backend.traits.exclusiveCreate
  try {
    // Side by side: from afar each request is a tenth of a second.
    const [listsAtOnce, one, other] = await all([
      isListed(backend, listed, signal), exclusive && oneWins(backend, inTurn, 2, 'in turn', signal), exclusive && oneWins(backend, atOnce, triesAtOnce, 'at once', signal),
    ])
    return { exclusiveCreate: one && other, listsAtOnce }
  } finally {
    await Promise.all([...(exclusive ? [inTurn, atOnce] : []), listed].map((name) => tryWithRights(() => backend.remove(name, signal))))
  }
}

/** Removes what probes left that died or may not remove. Repeatable. */
export async function clearProbes(backend: StorageBackend, minimumAgeMs: number, nowMs: number, signal: AbortSignal): Promise<void> {
  for await (const { name, modifiedMs } of backend.list('probe/', signal)) {
    if (nowMs - modifiedMs >= minimumAgeMs) await tryWithRights(() => backend.remove(name, signal))
  }
}

/** Waits for all also where one fails: what it wrote is cleared away afterwards. */
async function all<const T extends readonly unknown[]>(tries: T): Promise<{ -readonly [P in keyof T]: Awaited<T[P]> }> {
  await Promise.allSettled(tries)
  return await Promise.all(tries)
}

async function oneWins(backend: StorageBackend, name: string, tries: number, order: 'in turn' | 'at once', signal: AbortSignal): Promise<boolean> {
  const won: boolean[] = []
  const create = async (): Promise<void> => { won.push(await createsExclusively(backend, name, signal)) }
  try {
    if (order === 'at once') await Promise.all(Array.from({ length: tries }, create))
    else for (let number = 0; number < tries; number++) await create()
  } catch (error) {
    if (hasCode(error, 'unsupported')) return false
    throw error
  }
  return won.filter(Boolean).length === 1
}

/** Each try has bytes of its own, so that another's success is never taken for its own. */
async function createsExclusively(backend: StorageBackend, name: string, signal: AbortSignal): Promise<boolean> {
  try {
    await backend.put(name, { type: 'bytes', bytes: randomBytes(16) }, { ifAbsent: true }, signal)
    return true
  } catch (error) {
    if (hasCode(error, 'exists')) return false
    throw error
  }
}

async function isListed(backend: StorageBackend, name: string, signal: AbortSignal): Promise<boolean> {
  await backend.put(name, { type: 'bytes', bytes: randomBytes(16) }, {}, signal)
  let listed = false
  for await (const info of backend.list('probe/', signal)) listed ||= info.name === name
  return listed
}
