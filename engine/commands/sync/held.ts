import { hasCode } from '../../base/errors.ts'
import type { Log } from '../../base/log.ts'
import { fetchIfThere } from '../../repository/fetch.ts'
import { forEachAtOnce, listAll } from '../../repository/protocol/listing.ts'
import { deletedName, parseSessionName, parseSnapshotName, snapshotName, type SnapshotRef } from '../../repository/protocol/names.ts'
import { openDeletedFlag, type Decision } from '../../repository/protocol/records.ts'
import { DecisionCache, readDecision } from '../../repository/protocol/snapshots.ts'
import type { RevisionMemory } from '../../repository/protocol/revision-memory.ts'
import type { Repository } from '../../repository/repository.ts'
import type { Manifest } from '../../snapshot/manifest.ts'
import type { Origin } from '../../snapshot/origin.ts'
import { groupOf, type Held } from './plan.ts'

/** From afar each takes a round trip. */
const readsAtOnce = 8

export interface HeldSnapshot extends Held {
  readonly ref: SnapshotRef
  /** Of those that are held. */
  readonly manifest?: Manifest
}

export interface HeldOptions {
  readonly repository: Repository
  readonly memory: RevisionMemory
  readonly log: Log
}

/** Which snapshots of other repositories a destination has, or had. What was read once is not read again. */
export class HeldReader {
  readonly #options: HeldOptions
  readonly #decisions = new DecisionCache()
  readonly #flags = new Map<string, Origin | undefined>()

  constructor(options: HeldOptions) {
    this.#options = options
  }

  /** Of one synced group, by its job key, or of all. What cannot be read is told and passed over: it may come twice. Errors: those of the storage. */
  async read(signal: AbortSignal, jobKey?: string): Promise<readonly HeldSnapshot[]> {
    const { repository, log } = this.#options
    const scope = jobKey === undefined ? '' : `${jobKey}/`
    const held: HeldSnapshot[] = []
    const deleted = await this.#flagged(`deleted/${scope}`, signal)
    const expired = await this.#flagged(`expired/${scope}`, signal)
    await forEachAtOnce(deleted, readsAtOnce, async (ref) => {
      const origin = await this.#flag(ref, signal)
      if (origin) held.push({ origin, state: 'forgotten', ref })
    })
    // One that a prune had given up may lack something: it counts as not there.
    const passed = new Set([...deleted, ...expired].map(snapshotName))
    const infos = await listAll(repository.backend, `snapshots/${scope}`, signal)
    await forEachAtOnce(infos.filter(({ name }) => !passed.has(name)), readsAtOnce, async (info) => {
      try {
        const ref = parseSnapshotName(info.name)
        const decision = this.#decisions.find(info) ?? await readDecision(repository, ref, signal)
        if (!decision) return
        this.#decisions.keep(info, decision)
        const one = heldOf(ref, decision)
        if (one?.state === 'held') this.#options.memory.seen(ref, decision)
        if (one) held.push(one)
      } catch (error) {
        if (!hasCode(error, 'damaged', 'version')) throw error
        log.write('warning', `${info.name} at the destination cannot be read: ${error.message}`)
      }
    })
    return held
  }

  async #flagged(prefix: string, signal: AbortSignal): Promise<readonly SnapshotRef[]> {
    const { backend, config } = this.#options.repository
    return config.arbiter === 'flags' ? (await listAll(backend, prefix, signal)).map(({ name }) => parseSessionName(name)) : []
  }

  async #flag(ref: SnapshotRef, signal: AbortSignal): Promise<Origin | undefined> {
    const { repository } = this.#options
    const name = deletedName(ref)
    if (this.#flags.has(name)) return this.#flags.get(name)
    const flag = await fetchIfThere(() => repository.backend.get(name, 'all', signal), (bytes) => readFlag(repository, ref, bytes))
    this.#flags.set(name, flag?.origin)
    return flag?.origin
  }
}

/** A damaged flag says all the same that the snapshot is forgotten, but not which it was. */
function readFlag(repository: Repository, ref: SnapshotRef, bytes: Uint8Array): ReturnType<typeof openDeletedFlag> {
  try {
    return openDeletedFlag(repository.keys, ref, bytes)
  } catch (error) {
    if (hasCode(error, 'damaged', 'version')) return {}
    throw error
  }
}

function heldOf(ref: SnapshotRef, decision: Decision): HeldSnapshot | undefined {
  if (decision.type === 'manifest') {
    const { manifest, manifest: { origin } } = decision
    return origin && { origin, state: 'held', ref, manifest, group: groupOf({ ...manifest, origin }) }
  }
  return decision.type === 'deleted' && decision.origin ? { origin: decision.origin, state: 'forgotten', ref } : undefined
}
