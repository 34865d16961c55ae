import { hostname } from 'node:os'
import type { EngineJob } from '../protocol/job.ts'

/** Whose snapshots are this machine's: the name that the job gives it, or the system's. */
export function hostOf({ host }: Pick<EngineJob, 'host'>): string {
  return host ?? (hostname().slice(0, 255) || 'unknown')
}
