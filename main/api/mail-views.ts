/** `tls`: from the first byte on; `starttls`: before anything is said that matters. Without either nothing is sent. */
export type MailSecurity = 'tls' | 'starttls'

/** `failure`: it did not end well; `warning`: also with warnings; `always`: each run; `weekly`: one message a week about all of them. */
export type MailWhen = 'failure' | 'warning' | 'always' | 'weekly'

/** The server that takes messages, and who gets them. */
export interface MailServer {
  readonly host: string
  readonly port: number
  readonly security: MailSecurity
  /** Absent: the server asks for none. */
  readonly user?: string
  readonly from: string
  /** At least one. */
  readonly to: readonly string[]
}

/**
 * Why a message was not sent: `offline`, `timeout`, `certificate` (it is not trusted), `no-tls` (the server offers none), `credentials`, `sender` and `recipient`
 * (refused), `refused` (the message), `lost` (the password cannot be opened), `unsure` (the connection broke while it was sent: it may have arrived).
 */
export type MailReason = 'offline' | 'timeout' | 'certificate' | 'no-tls' | 'credentials' | 'sender' | 'recipient' | 'refused' | 'lost' | 'unsure'

export interface MailView {
  readonly server: MailServer
  /** The last message was not sent, or not yet. */
  readonly failed?: { readonly atMs: number; readonly reason: MailReason; readonly givenUp: boolean }
  /** By the ids of jobs. */
  readonly jobs: Readonly<Record<string, MailWhen>>
}
