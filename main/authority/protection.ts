import type { Conditions, JobConfig, Retention, Schedule } from '../api/contract.ts'
import { keepsFewer } from '../api/retention.ts'
import { timesAWeek } from '../api/schedule.ts'
import { isStricter } from '../runs/conditions.ts'

/** One way in which a changed job protects less than before. */
export type Loss =
  | { readonly type: 'source'; readonly path: string }
  | { readonly type: 'pattern'; readonly pattern: string }
  | { readonly type: 'preset'; readonly preset: JobConfig['excludes']['presets'][number] }
  | { readonly type: 'largerThan'; readonly bytes: number }
  | { readonly type: 'oneFileSystem' }
  | { readonly type: 'schedule'; readonly schedule: Schedule }
  | { readonly type: 'conditions'; readonly conditions: Conditions }
  | { readonly type: 'crawl'; readonly bytesPerSecond: number }
  | { readonly type: 'retention'; readonly retention: Retention }

/** Bytes a second below which a backup of some size does not end in days. */
const crawlBytesPerSecond = 50_000

/** Whether an upload limit, new or lower than before, all but stops backups. */
export function isCrawl(limit: number | null | undefined, before: number | undefined): limit is number {
  return typeof limit === 'number' && limit < crawlBytesPerSecond && limit < (before ?? Infinity)
}

/** What a job would no longer back up, or less often. Patterns in another order count as new: the last one that fits decides. */
export function lossesOf(old: JobConfig, changed: JobConfig): readonly Loss[] {
  const { excludes: before } = old
  const { excludes: after } = changed
  const samePatterns = before.patterns.join('\n') === after.patterns.join('\n')
  const isRemoval = isSubsequence(after.patterns, before.patterns) && !before.patterns.some((one) => one.startsWith('!'))
  const limitFell = after.largerThanBytes !== undefined && after.largerThanBytes < (before.largerThanBytes ?? Infinity)
  const limit = changed.uploadBytesPerSecond
  return [
    ...old.sources.filter((path) => !changed.sources.includes(path)).map((path) => ({ type: 'source', path }) as const),
    ...(samePatterns || isRemoval ? [] : after.patterns.map((pattern) => ({ type: 'pattern', pattern }) as const)),
    ...after.presets.filter((one) => !before.presets.includes(one)).map((preset) => ({ type: 'preset', preset }) as const),
    ...(limitFell ? [{ type: 'largerThan', bytes: after.largerThanBytes ?? 0 } as const] : []),
    ...(after.oneFileSystem && !before.oneFileSystem ? [{ type: 'oneFileSystem' } as const] : []),
    ...(isCrawl(limit, old.uploadBytesPerSecond) ? [{ type: 'crawl', bytesPerSecond: limit } as const] : []),
    ...retentionLoss(old.retention, changed.retention),
    ...(runsLess(old.schedule, changed.schedule) ? [{ type: 'schedule', schedule: changed.schedule } as const] : []),
    ...(changed.conditions && isStricter(old.conditions, changed.conditions) ? [{ type: 'conditions', conditions: changed.conditions } as const] : []),
  ]
}

/** Weeks are not all alike: what differs by a hair is the same. */
function runsLess(before: Schedule, after: Schedule): boolean {
  return timesAWeek(after) < timesAWeek(before) * 0.98
}

/** Snapshots may go that stayed before. For a new job `before` is what is usual. */
export function retentionLoss(before: Retention | undefined, after: Retention | undefined): readonly Loss[] {
  return after && keepsFewer(before, after) ? [{ type: 'retention', retention: after }] : []
}

function isSubsequence(part: readonly string[], whole: readonly string[]): boolean {
  let at = 0
  for (const one of whole) if (one === part[at]) at += 1
  return at === part.length
}
