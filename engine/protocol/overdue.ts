/** What is known of one backup: enough that it was. */
export interface SeenBackup {
  readonly job: string
  readonly host: string
  /** ms since 1970 */
  readonly finishedMs: number
}

/** A job on a host of which nothing new has come for too long. */
export interface Overdue {
  readonly job: string
  readonly host: string
  readonly lastMs: number
  /** Whole days since then. */
  readonly days: number
  /** How far its backups are apart as a rule, in ms. Absent: there are too few to tell. */
  readonly usualMs?: number
}

export interface OverdueLimits {
  /** This machine's jobs, and all others, may be silent for so many days. */
  readonly ownDays: number
  readonly otherDays: number
}

const standardLimits: OverdueLimits = { ownDays: 7, otherDays: 14 }

const dayMs = 24 * 3_600_000

/** The rhythm shows in these; so a job that is backed up more often from now on is soon measured by that. */
const rhythmBackups = 11
/** One that comes once a month is not late after two weeks. */
const rhythms = 3

/**
 * The jobs whose newest backup is too old, by host and job: older than the limit, and than three times what usually lies between two. Backups that claim to
 * be from the future (a clock was wrong) count as of now.
 */
export function overdue(backups: readonly SeenBackup[], ownHost: string, nowMs: number, limits: OverdueLimits = standardLimits): Overdue[] {
  const late = [...grouped(backups)].flatMap((group): Overdue[] => {
    const [first] = group
    if (!first) return []
    const times = group.map(({ finishedMs }) => Math.min(finishedMs, nowMs)).sort((a, b) => b - a)
    const lastMs = times[0] ?? nowMs
    const usualMs = rhythmOf(times.slice(0, rhythmBackups))
    const silentMs = nowMs - lastMs
    if (silentMs <= silenceMs(first.host === ownHost ? limits.ownDays : limits.otherDays, usualMs)) return []
    return [{ job: first.job, host: first.host, lastMs, days: Math.floor(silentMs / dayMs), ...(usualMs === undefined ? {} : { usualMs }) }]
  })
  return late.sort((a, b) => (a.host === b.host ? (a.job < b.job ? -1 : 1) : a.host < b.host ? -1 : 1))
}

/** When a job of this machine becomes late unless something newer comes, ms since 1970. @param finished ends of its complete backups; where there are none, when it was made */
export function lateFromMs(finished: readonly number[], nowMs: number, { ownDays }: OverdueLimits = standardLimits): number {
  const times = finished.map((time) => Math.min(time, nowMs)).sort((a, b) => b - a)
  return (times[0] ?? nowMs) + silenceMs(ownDays, rhythmOf(times.slice(0, rhythmBackups)))
}

/** How long a job may be silent. */
function silenceMs(days: number, usualMs: number | undefined): number {
  return Math.max(days * dayMs, rhythms * (usualMs ?? 0))
}

/** The middle of the times between neighbours. */
function rhythmOf(newestFirst: readonly number[]): number | undefined {
  const between = newestFirst.slice(1).map((time, at) => (newestFirst[at] ?? time) - time).sort((a, b) => a - b)
  return between.length < 2 ? undefined : between[Math.floor(between.length / 2)]
}

/** By host and job. The app's main process has no Map.groupBy. */
function grouped(backups: readonly SeenBackup[]): Iterable<readonly SeenBackup[]> {
  const groups = new Map<string, SeenBackup[]>()
  for (const one of backups) {
    const key = `${one.host}\0${one.job}`
    const group = groups.get(key)
    if (group) group.push(one)
    else groups.set(key, [one])
  }
  return groups.values()
}
