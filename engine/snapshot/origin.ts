import { hash } from 'node:crypto'
import * as v from 'valibot'

/** Where a snapshot was made that a sync has brought here. It goes along with every further sync. */
export interface Origin {
  /** Id of the repository that it was committed to first, 32 hex digits. */
  readonly repository: string
  /** Its job there, as people know it. */
  readonly job: string
  /** Its revision there, as it stands behind the `@` of its id: a number, in flags mode with `-<32 hex>` behind it. */
  readonly revision: string
  /** Nonce of the session that made it: the same revision of a repository that was put back is another snapshot. */
  readonly nonce: string
}

/** A host's job in the repository where its snapshots are made: what a sync copies as one. */
export interface OriginGroup {
  readonly repository: string
  readonly host: string
  readonly job: string
}

/** One for each group. */
export function groupKey({ repository, host, job }: OriginGroup): string {
  return `${repository}\0${host}\0${job}`
}

const hex32 = v.pipe(v.string(), v.regex(/^[0-9a-f]{32}$/))

export const originSchema = v.strictObject({
  repository: hex32,
  job: v.pipe(v.string(), v.minLength(1), v.maxLength(4096)),
  revision: v.pipe(v.string(), v.regex(/^[1-9][0-9]{0,14}(?:-[0-9a-f]{32})?$/)),
  nonce: hex32,
})

const tagDigits = 12

/**
 * The job name under which a group's snapshots are committed where they are synced to: no backup's, since those have no `~`, and the same
 * whichever way a snapshot has come.
 */
export function syncedJobName(group: OriginGroup): string {
  return `${group.job}~${hash('sha256', `holdfast 1 origin\0${groupKey(group)}`).slice(0, tagDigits)}`
}

/** Its number at the origin; there it says which came last. */
export function originRevision({ revision }: Pick<Origin, 'revision'>): number {
  return Number.parseInt(revision, 10)
}

/** One snapshot, wherever its copies are. */
export function originKey({ repository, job, revision, nonce }: Origin): string {
  return `${repository} ${revision} ${nonce} ${job}`
}
