import type { Handlers } from '../api/dispatch.ts'
import type { Ask } from '../authority/ask.ts'
import { reportEndQuestion, reportQuestion } from '../authority/report-questions.ts'
import type { JobStore } from '../jobs/store.ts'
import { expectAddress, type Reports } from './reports.ts'

export interface ReportHandlerPorts {
  readonly store: Pick<JobStore, 'get'>
  readonly reports: Pick<Reports, 'set' | 'view'>
  readonly ask: Ask
}

export function reportHandlers({ store, reports, ask }: ReportHandlerPorts): Pick<Handlers, 'report.set'> {
  return {
    async 'report.set'({ jobId, report }) {
      const { config } = store.get(jobId)
      const before = reports.view(jobId)
      if (report) await ask(reportQuestion(config.name, expectAddress(report.address).origin, before?.origin))
      else if (before) await ask(reportEndQuestion(config.name, before.origin))
      // While somebody was asked, the job may have gone.
      store.get(jobId)
      await reports.set(jobId, report ?? undefined)
    },
  }
}
