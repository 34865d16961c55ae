import type { MailReason, MailSecurity, MailServer, MailView, MailWhen } from '../state/bridge.ts'
import { formatMoment } from './format.ts'

/** Messages about backups by e-mail. */
export const mailWords = {
  title: 'E-mail',
  hint: 'Holdfast can write to you when a backup fails. Which job tells what is chosen on the job’s page.',
  none: 'No mail server is set up.',
  setUp: 'Set up e-mail…',
  change: 'Change…',
  end: 'Send none any more…',
  ended: 'No messages are sent any more',
  now: ({ to, host }: MailServer) => `To ${to.join(', ')}, by way of ${host}`,
  test: 'Send a test message',
  tested: (to: string) => `The mail server took a test message for ${to}`,
  testRefused: (refused: readonly string[]) => `The mail server did not take it for ${refused.join(', ')}`,
  dialog: 'Messages by e-mail',
  text: 'They say how backups ended, with times and numbers; no names of files, no contents. They are sent over an encrypted connection only.',
  host: 'Mail server',
  hostPlaceholder: 'smtp.example.org',
  port: 'Port',
  security: 'Encryption',
  securities: { starttls: 'STARTTLS', tls: 'TLS' } satisfies Record<MailSecurity, string>,
  user: 'User name',
  userHint: 'Leave it empty where the server asks for none.',
  password: 'Password',
  passwordHint: 'It is kept like the passwords of repositories. Some services want an app password here.',
  passwordKept: 'Leave it empty to keep the one that is stored.',
  from: 'From',
  to: 'To',
  toHint: 'Several with commas between them.',
  save: 'Save…',
  saved: 'Messages go this way from now on',
  errors: {
    host: 'Enter the name of the mail server, without port.', port: 'Enter a number from 1 to 65535.', address: 'Enter one e-mail address, such as mia@example.org.',
    addresses: 'Enter one to ten e-mail addresses.', password: 'Enter the password.',
  },
  choose: 'E-mail',
  chooseHint: 'When a message about this job is sent.',
  whens: { none: 'Never', failure: 'When it fails', warning: 'When it fails or has warnings', always: 'After each run', weekly: 'Once a week, about all such jobs' } satisfies Record<MailWhen | 'none', string>,
  chosen: 'Saved',
  label: 'E-mail',
  address: 'A web address',
  first: 'Set up a mail server in the settings first.',
  toSettings: 'Open settings',
} as const

/** Why the last message was not sent, and since when. */
export function mailFailure({ failed }: Pick<MailView, 'failed'>, now: number): string | undefined {
  if (!failed) return undefined
  return `The last message was not sent, ${formatMoment(failed.atMs, now)}: ${mailReasons[failed.reason]}.${failed.givenUp ? '' : ' It is tried again.'}`
}

export const mailReasons: Readonly<Record<MailReason, string>> = {
  'offline': 'the mail server could not be reached; check its name and port, and the network',
  'timeout': 'the mail server did not answer in time; the port or the kind of encryption may be another one',
  'certificate': 'the certificate of the mail server is not trusted, or belongs to another name',
  'no-tls': 'the mail server offers no encryption at this port; try TLS with port 465',
  'credentials': 'the mail server refused the user name or the password',
  'sender': 'the mail server does not take messages from this address',
  'recipient': 'the mail server does not take messages for the recipient',
  'refused': 'the mail server refused the message',
  'lost': 'the password could not be opened; enter it again',
  'unsure': 'the connection broke while it was sent, so it may have arrived',
}
