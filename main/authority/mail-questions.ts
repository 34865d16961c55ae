import type { MailServer } from '../api/mail-views.ts'
import type { Question } from './questions.ts'
import { shownText } from './shown.ts'

/** @param before what was used until now */
export function mailQuestion({ host, port, from, to }: MailServer, before: MailServer | undefined): Question {
  return {
    title: `Send messages about backups by way of ${shownText(host)}?`,
    detail: [
      `They go to ${shownText(to.join(', '))}, from ${shownText(from)}, by way of port ${port} of this server, which is given the password that you have entered.`,
      'They say the names of jobs and of this computer, how backups ended, times, and numbers of files and bytes. No names of files, no contents.',
      ...(before === undefined ? [] : [`Until now they went to ${shownText(before.to.join(', '))} by way of ${shownText(before.host)}.`]),
      'Go on only if you have entered this yourself.',
    ].join('\n'),
    yes: 'Send them',
  }
}

/** Whoever relies on being told might not notice. */
export function mailEndQuestion({ to }: MailServer): Question {
  return {
    title: `No longer send messages to ${shownText(to.join(', '))}?`,
    detail: 'Nobody is told there any more that a backup failed. Holdfast forgets the server and its password.',
    yes: 'Send none',
  }
}

export function mailLessQuestion(name: string, none: boolean): Question {
  return {
    title: none ? `No longer send messages about “${shownText(name)}”?` : `Send fewer messages about “${shownText(name)}”?`,
    detail: none ? 'Nobody is told by e-mail any more that its backup failed.' : 'What is told now at once is told later, or not at all.',
    yes: none ? 'Send none' : 'Send fewer',
  }
}
