import type { MailServer, MailWhen } from '../api/mail-views.ts'
import { mailAddressOf } from '../api/mail-address.ts'
import type { Handlers } from '../api/dispatch.ts'
import { MainError } from '../api/errors.ts'
import type { Ask } from '../authority/ask.ts'
import { mailEndQuestion, mailLessQuestion, mailQuestion } from '../authority/mail-questions.ts'
import type { JobStore } from '../jobs/store.ts'
import { MailError } from './send.ts'
import type { Mail } from './mail.ts'

export interface MailHandlerPorts {
  readonly store: Pick<JobStore, 'get'>
  readonly mail: Pick<Mail, 'server' | 'setServer' | 'removeServer' | 'choose' | 'when' | 'test' | 'password'>
  readonly ask: Ask
}

export function mailHandlers({ store, mail, ask }: MailHandlerPorts): Pick<Handlers, 'mail.set' | 'mail.test' | 'mail.choose'> {
  return {
    async 'mail.set'({ server, password }) {
      if (server) {
        // Before anybody is asked: without a password it could not be set anyway.
        if (server.user !== undefined && password === undefined && (mail.password === undefined || !isSame(server, mail.server))) throw new MainError('arguments', 'The server asks for a password.', { field: 'password' })
        await ask(mailQuestion(server, mail.server))
        await mail.setServer(server, password)
      } else if (mail.server) {
        await ask(mailEndQuestion(mail.server))
        await mail.removeServer()
      }
    },
    async 'mail.test'() {
      try {
        return await mail.test()
      } catch (error) {
        if (error instanceof MailError) return { reason: error.reason, refused: [] }
        throw error
      }
    },
    async 'mail.choose'({ jobId, when }) {
      const { config } = store.get(jobId)
      const before = mail.when(jobId)
      if (before !== undefined && isLess(when, before)) await ask(mailLessQuestion(config.name, when === null))
      // While somebody was asked, the job may have gone.
      store.get(jobId)
      await mail.choose(jobId, when ?? undefined)
    },
  }
}

function isSame(server: MailServer, other: MailServer | undefined): boolean {
  return other !== undefined && mailAddressOf(server) === mailAddressOf(other)
}

const weights: Readonly<Record<MailWhen, number>> = { weekly: 1, failure: 2, warning: 3, always: 4 }

function isLess(when: MailWhen | null, before: MailWhen): boolean {
  return when === null || weights[when] < weights[before]
}
