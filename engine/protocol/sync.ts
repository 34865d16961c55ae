import * as v from 'valibot'
import { count, text } from './schemas.ts'

const ids = v.array(text)

/** What whoever started a sync asks of its `details`: engine/commands/sync.ts has them all. */
const syncDetails = v.object({
  plan: v.array(v.object({ skipped: v.object({ held: count, own: count }) })),
  done: v.array(v.object({ copied: v.array(v.object({ source: text })), held: ids, failed: ids, removed: ids })),
})

/** What a sync did, in snapshots. */
export interface SyncFigures {
  /** Of the source, that are at the destination now. */
  readonly there: number
  readonly copied: number
  /** Forgotten at the destination, as they were at the source. */
  readonly removed: number
  /** Not copied, because they could not be read at the source. */
  readonly failed: number
}

/** By the `details` of a sync's summary; undefined for what is none. */
export function parseSyncFigures(value: unknown): SyncFigures | undefined {
  const parsed = v.safeParse(syncDetails, value)
  if (!parsed.success) return undefined
  const { plan, done } = parsed.output
  const sum = <T>(all: readonly T[], of: (one: T) => number): number => all.reduce((total, one) => total + of(one), 0)
  const copied = sum(done, (group) => group.copied.length)
  return {
    there: sum(plan, ({ skipped }) => skipped.held + skipped.own) + sum(done, (group) => group.held.length) + copied,
    copied,
    removed: sum(done, (group) => group.removed.length),
    failed: sum(done, (group) => group.failed.length),
  }
}
