import { hostname } from 'node:os'
import type { JobStore } from '../jobs/store.ts'
import { Mail } from '../mail/mail.ts'
import { openMailFile } from '../mail/store.ts'
import { keptRuns, type RunHistory } from '../runs/history.ts'
import type { SecretStore } from '../settings/secrets.ts'
import type { AppPaths } from '../system/paths.ts'
import type { Timers } from '../system/timers.ts'
import { openReportsFile, Reports } from './reports.ts'

export interface ReportingPorts {
  readonly paths: Pick<AppPaths, 'reports' | 'mail'>
  readonly store: Pick<JobStore, 'all'>
  readonly history: Pick<RunHistory, 'page'>
  readonly secrets: SecretStore
  readonly timers: Timers
  readonly log: (level: 'warning', message: string) => void
  readonly onChange: () => void
  /** Certificates that mail servers are trusted by, in place of the system's; undefined: those. */
  readonly trusted: string | undefined
}

/** Whoever is told of backups: addresses, and people by e-mail. */
export function openReporting({ paths, store, history, trusted, ...ports }: ReportingPorts) {
  const now = (): number => ports.timers.now()
  const common = { ...ports, host: hostname() }
  const reports = new Reports({ ...common, file: openReportsFile(paths.reports, now) })
  const mail = new Mail({ ...common, file: openMailFile(paths.mail, now), jobs: () => store.all, runs: (jobId) => history.page(jobId, keptRuns).runs, ...(trusted !== undefined && { send: { trusted } }) })
  return { reports, mail }
}
