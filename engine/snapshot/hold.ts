import type { UnusualReason } from '../protocol/changes.ts'

/** What a hold needs to know of a snapshot. */
export interface HoldCandidate {
  /** `JOB@REV` */
  readonly id: string
  readonly job: string
  readonly host: string
  readonly revision: number
  /** Id of the repository that it was synced from, see RetentionCandidate. */
  readonly syncedFrom?: string
  /** When it was finished, ms since 1970. */
  readonly finishedMs: number
  /** Why the run that made it was unusual. Absent: it was not. */
  readonly unusual?: readonly UnusualReason[]
  /** Somebody has said that it is as it should be. */
  readonly fine: boolean
}

/** A job on a host whose snapshots stay until somebody says that what happened is fine. */
export interface Hold<Candidate extends HoldCandidate = HoldCandidate> {
  readonly job: string
  readonly host: string
  /** The first of its unusual snapshots that nobody has said to be fine, and all of these. */
  readonly since: Candidate
  readonly unusual: readonly Candidate[]
}

/**
 * The jobs that are held. A source that was suddenly empty or on another disk lost nothing, since its last version was kept: that is over by itself once it is
 * there again.
 */
export function holdsOf<Candidate extends HoldCandidate>(snapshots: readonly Candidate[]): readonly Hold<Candidate>[] {
  const groups = Map.groupBy(snapshots, groupOf)
  return [...groups.values()].flatMap((group) => {
    const unusual = group.toSorted((a, b) => a.revision - b.revision).filter((each, at, all) => stands(each, all.slice(at + 1)))
    const [since] = unusual
    return since ? [{ job: since.job, host: since.host, since, unusual }] : []
  })
}

function groupOf({ job, host, syncedFrom = '' }: Pick<HoldCandidate, 'job' | 'host' | 'syncedFrom'>): string {
  return `${job}\0${host}\0${syncedFrom}`
}

function stands({ unusual, fine }: HoldCandidate, later: readonly HoldCandidate[]): boolean {
  if (fine || !unusual) return false
  return unusual.some(({ code }) => code !== 'source-changed') || !later.some((each) => !each.unusual?.some(({ code }) => code === 'source-changed'))
}

/** Whether a hold keeps a snapshot: what is as old as the first unusual one, or is unusual itself. */
export function heldBy(snapshot: Pick<HoldCandidate, 'id' | 'job' | 'host' | 'revision' | 'syncedFrom'>, holds: readonly Hold[]): Hold | undefined {
  return holds.find(({ since, unusual }) => groupOf(since) === groupOf(snapshot)
    && (snapshot.revision <= since.revision || unusual.some(({ id }) => id === snapshot.id)))
}
