import type { FoundGroup } from './read-plan.ts'

type Work = Pick<FoundGroup, 'copy' | 'remove' | 'annotate'>

/** Whether there is anything to do. */
export function hasWork({ copy, remove, annotate }: Work): boolean {
  return copy.length + remove.length + annotate.length > 0
}

/**
 * Which lane works on which group. Each lane has a spool and a catalog of its own, so a group goes to the same lane in each run of the same groups: what an interrupted run had sealed
 * of it lies there. A lane without groups of its own takes those of the others.
 */
export class LaneQueues<Group extends Work> {
  /** Lanes that have something to do from the beginning. */
  readonly numbers: readonly number[]
  readonly #queues: readonly Group[][]

  /** @param groups all of the plan, also those without work @param lanes at most */
  constructor(groups: readonly Group[], lanes: number) {
    this.#queues = Array.from({ length: lanes }, (_, number) => groups.filter((group, at) => at % lanes === number && hasWork(group)))
    const count = Math.min(lanes, this.#queues.reduce((sum, queue) => sum + queue.length, 0))
    const byWork = [...this.#queues.keys()].sort((a, b) => Number(this.#isEmpty(a)) - Number(this.#isEmpty(b)))
    this.numbers = byWork.slice(0, count)
  }

  /** Undefined: nothing is left for anybody. */
  next(lane: number): Group | undefined {
    return this.#queues[lane]?.shift() ?? this.#queues.toSorted((a, b) => b.length - a.length)[0]?.pop()
  }

  #isEmpty(lane: number): boolean {
    return this.#queues[lane]?.length === 0
  }
}
