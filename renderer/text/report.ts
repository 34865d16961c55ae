import * as m from '../../main/text/compiled/messages.js'
import type { ReportAddressProblem } from '../../main/api/report-address.ts'
import type { ReportKind, ReportView } from '../state/bridge.ts'
import { formatMoment } from './format.ts'

/** Telling an address of the backups of a job. */
export const reportText = {
  menu: m.report_menu(),
  title: (job: string) => m.report_title({ job }),
  text: m.report_text(),
  now: (origin: string) => m.report_now({ origin }),
  kind: m.report_kind(),
  kinds: { ping: m.report_kinds_ping(), json: m.report_kinds_json() } satisfies Record<ReportKind, string>,
  hints: {
    ping: m.report_hints_ping(),
    json: m.report_hints_json(),
  } satisfies Record<ReportKind, string>,
  address: m.report_address(),
  placeholder: m.report_placeholder(),
  addressHint: m.report_addressHint(),
  errors: {
    'no-address': m.report_errors_noAddress(),
    'readable': m.report_errors_readable(),
    'credentials': m.report_errors_credentials(),
  } satisfies Record<ReportAddressProblem, string>,
  save: m.report_save(),
  end: m.report_end(),
  saved: (origin: string) => m.report_saved({ origin }),
  ended: m.report_ended(),
  label: m.report_label(),
} as const

/** Why the last message did not arrive, and since when. */
export function reportFailure({ failed }: Pick<ReportView, 'failed'>, now: number): string | undefined {
  return failed && m.report_failure({ at: formatMoment(failed.atMs, now), reason: reasonWords(failed.reason) })
}

function reasonWords(reason: string): string {
  switch (reason) {
    case 'offline':
      return m.report_reason_offline()
    case 'timeout':
      return m.report_reason_timeout()
    case 'lost':
      return m.report_reason_lost()
    default:
      return m.report_reason({ reason })
  }
}
