import type { Handlers } from '../api/dispatch.ts'
import { reportEndQuestion, reportQuestion } from '../authority/report-questions.ts'
import { mailHandlers, type MailHandlerPorts } from '../mail/handlers.ts'
import { expectAddress, type Reports } from './reports.ts'

export interface ReportHandlerPorts extends MailHandlerPorts {
  readonly reports: Pick<Reports, 'set' | 'view'>
}

export function reportHandlers(ports: ReportHandlerPorts): Pick<Handlers, 'report.set' | 'mail.set' | 'mail.test' | 'mail.choose'> {
  const { store, reports, ask } = ports
  return {
    ...mailHandlers(ports),
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
