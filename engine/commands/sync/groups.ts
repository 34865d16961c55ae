import { isPinned, readAnnotations, scopeOf } from '../../repository/protocol/annotations.ts'
import type { SnapshotRef } from '../../repository/protocol/names.ts'
import { forgetSnapshot } from '../../repository/protocol/forget.ts'
import { hasCode } from '../../base/errors.ts'
import { forEachParallel } from '../../base/parallel.ts'
import type { SyncJob } from '../../protocol/job.ts'
import type { CommandContext } from '../context.ts'
import type { Ends } from './ends.ts'
import type { HeldReader } from './held.ts'
import { concernsSnapshot, Lane } from './lane.ts'
import { LaneQueues } from './lane-queues.ts'
import { placedError, placeWords } from './placed.ts'
import { whyAllStay, type Staying } from './plan.ts'
import { jobKeyOfGroup, type FoundGroup, type FoundPlan, type FoundSnapshot, type FoundVanished } from './read-plan.ts'
import type { SaidOfSnapshots } from './said.ts'
import { SnapshotCopy, type Copied, type CopyParts } from './snapshot-copy.ts'
import type { SyncRunProgress } from './sync-progress.ts'

/** What was done of a group; grows while it is worked on. Ids are `JOB@REV`. */
export interface GroupResult {
  readonly group: string
  readonly origin: string
  /** Of the source, and what they are called at the destination. */
  readonly copied: { readonly source: string; readonly destination: string }[]
  /** Another sync was first. */
  readonly held: string[]
  /** Forgotten at the source while the sync was at work. */
  readonly forgotten: string[]
  readonly failed: string[]
  /** Of the destination. */
  readonly removed: string[]
  /** Of the destination: says now what is said at the source. */
  readonly annotated: string[]
  /** Of the destination: was to be removed, and stays all the same. */
  readonly stayed: Staying[]
}

export interface GroupsParts {
  readonly job: SyncJob
  readonly context: CommandContext
  readonly ends: Ends
  readonly held: HeldReader
  readonly progress: SyncRunProgress
}

/** Carries a plan out: several groups at once, the snapshots of each one after the other. What a snapshot of the source lacks holds up no other. */
export class Groups {
  readonly #parts: GroupsParts
  readonly results: GroupResult[] = []
  adoptedPacks = 0

  constructor(parts: GroupsParts) {
    this.#parts = parts
  }

  /** Errors: those of both storages, with the group and snapshot in their words; what is done is in `results`. */
  async run({ groups, said }: FoundPlan): Promise<void> {
    const { job, context } = this.#parts
    const queues = new LaneQueues(groups, job.parallelGroups)
    const { numbers } = queues
    await forEachParallel(numbers, numbers.length, context.signal, async (number, signal) => {
      let group = queues.next(number)
      await using lane = await Lane.open({ ...this.#parts, context: { ...context, signal }, number, lanes: numbers.length })
      for (; group; group = queues.next(number)) {
        await this.#group(lane, group, said, signal)
        this.#parts.progress.groupsDone++
      }
    })
  }

  async #group(lane: Lane, group: FoundGroup, said: SaidOfSnapshots, signal: AbortSignal): Promise<void> {
    const result: GroupResult = { group: group.name, origin: group.group.repository, copied: [], held: [], forgotten: [], failed: [], removed: [], annotated: [], stayed: [] }
    this.results.push(result)
    for (const snapshot of group.copy) {
      lane.log.at({ group: group.name, snapshot: snapshot.id })
      try {
        const ref = await this.#snapshot(lane, group, snapshot, result, signal)
        if (ref) await said.carry({ from: snapshot.ref, to: ref }, signal)
      } catch (error) {
        throw placedError(await lane.fail(error), { group: group.name, snapshot: snapshot.id })
      }
    }
    lane.log.at({ group: group.name })
    for (const copy of group.annotate) {
      await lane.gate()
      if (await said.carry(copy, signal)) result.annotated.push(copy.id)
    }
    const because = whyAllStay(group, { failed: result.failed.length, arrived: result.copied.length + result.held.length })
    if (because) result.stayed.push(...group.remove.map(({ id }) => ({ id, because })))
    else for (const vanished of group.remove) await this.#remove(lane, vanished, result, signal)
    lane.log.at({})
  }

  /** @returns the copy, where it was made. */
  async #snapshot(lane: Lane, group: FoundGroup, snapshot: FoundSnapshot, result: GroupResult, signal: AbortSignal): Promise<SnapshotRef | undefined> {
    const { ends, held, progress } = this.#parts
    const underway = progress.begin({ group: group.name, snapshot: snapshot.id, files: snapshot.files, totalBytes: snapshot.bytes })
    const jobKey = jobKeyOfGroup(ends.destination.repository, group.group)
    try {
      const copied = await this.#try({ lane, ends, memory: ends.destination.memory, held, jobKey, snapshot, underway, signal })
      switch (copied.type) {
        case 'copied':
          result.copied.push({ source: snapshot.id, destination: copied.id })
          progress.copied++
          lane.log.write('info', `copied as ${copied.id}`)
          return copied.ref
        case 'held':
          result.held.push(snapshot.id)
          break
        case 'forgotten':
          result.forgotten.push(snapshot.id)
          lane.log.write('info', 'it was forgotten at the source meanwhile, and is passed over')
      }
    } catch (error) {
      if (!concernsSnapshot(error) || lane.machine.failure !== undefined) throw error
      result.failed.push(snapshot.id)
      const path = placeWords({ group: group.name, snapshot: snapshot.id })
      progress.problem({ code: 'not-synced', path, message: `It cannot be read whole at the source, and was not copied: ${error.message}` })
      lane.log.write('warning', `not copied: ${error.message}`)
    } finally {
      progress.end(underway)
    }
    return undefined
  }

  /** A prune at the source moves what is read; so where something is not found, it is looked for once more with a fresh look at the source. */
  async #try(parts: CopyParts): Promise<Copied> {
    try {
      return await this.#once(parts)
    } catch (error) {
      if (!concernsSnapshot(error) || parts.lane.machine.failure !== undefined) throw error
      parts.lane.log.write('info', `it is looked for again at the source: ${error.message}`)
      await parts.lane.lookAgain()
      return this.#once(parts)
    }
  }

  async #once(parts: CopyParts): Promise<Copied> {
    const copy = new SnapshotCopy(parts)
    try {
      return await copy.run()
    } finally {
      this.adoptedPacks += copy.adoptedPacks
    }
  }

  async #remove(lane: Lane, { id, ref }: FoundVanished, result: GroupResult, signal: AbortSignal): Promise<void> {
    const { destination } = this.#parts.ends
    await lane.gate()
    // Somebody may have pinned it since the plan was made.
    if (isPinned(await readAnnotations(destination.repository, scopeOf(ref), new Map(), signal), ref)) {
      result.stayed.push({ id, because: 'pinned' })
      return
    }
    try {
      await forgetSnapshot(destination.repository, ref, signal)
    } catch (error) {
      // Another sync was first, and its record is gone: nothing is left to forget.
      if (!hasCode(error, 'not-found')) throw error
    }
    destination.memory.seen(ref, { type: 'deleted' })
    result.removed.push(id)
    lane.log.write('info', `forgot ${id}, which was forgotten at the source`)
  }
}
