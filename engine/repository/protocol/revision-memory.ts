import type { KnownRevision } from '../../protocol/known.ts'
import type { SnapshotRef } from './names.ts'
import type { Decision } from './records.ts'

/** What a machine keeps of a repository outside of it, so that an older state cannot pass for the newest (rule R11). */
export interface RevisionMemory {
  /** The newest revisions seen, of one job or of all. */
  known(jobKey?: string): readonly KnownRevision[]
  /** Highest revision of the job that was ever seen or announced; 0 for none. */
  floor(jobKey: string): number
  /** A decision was read, or made. */
  seen(ref: SnapshotRef, decision: Decision | { readonly type: 'deleted' | 'expired' }): void
}
