import type { ReportAddressProblem } from '../../main/api/report-address.ts'
import type { ReportKind, ReportView } from '../state/bridge.ts'
import { formatMoment } from './format.ts'

/** Telling an address of the backups of a job. */
export const reportText = {
  menu: 'Tell an address…',
  title: (job: string) => `Tell an address of the backups of “${job}”`,
  text: 'When a backup begins and how it ended is sent there: names of the job and of this computer, times and numbers. No names of files, no contents.',
  now: (origin: string) => `Told now: ${origin}/…`,
  kind: 'How',
  kinds: { ping: 'Health check', json: 'JSON' } satisfies Record<ReportKind, string>,
  hints: {
    ping: 'For healthchecks.io and services like it: /start and /fail are added to the address.',
    json: 'One JSON object for each start and end, sent with POST.',
  } satisfies Record<ReportKind, string>,
  address: 'Address',
  placeholder: 'https://hc-ping.com/…',
  addressHint: 'It is kept like a password and not shown again.',
  errors: {
    'no-address': 'Enter an address that begins with https://.',
    'readable': 'Enter an address that begins with https://: what is sent by http:// can be read and changed on the way.',
    'credentials': 'Enter the address without a user name and password in it.',
  } satisfies Record<ReportAddressProblem, string>,
  save: 'Tell it…',
  end: 'Tell it no longer…',
  saved: (origin: string) => `${origin} is told from the next backup on`,
  ended: 'Nobody is told any more',
  label: 'Told',
} as const

/** Why the last message did not arrive, and since when. */
export function reportFailure({ failed }: Pick<ReportView, 'failed'>, now: number): string | undefined {
  return failed && `Could not be told, ${formatMoment(failed.atMs, now)}: ${reasonWords(failed.reason)}`
}

function reasonWords(reason: string): string {
  switch (reason) {
    case 'offline':
      return 'it could not be reached'
    case 'timeout':
      return 'it did not answer'
    case 'lost':
      return 'the address could not be opened; enter it again'
    default:
      return `it answered with status ${reason}`
  }
}
