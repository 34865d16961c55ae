import type { Question } from './questions.ts'
import { shownText } from './shown.ts'

/** @param before what was told until now */
export function reportQuestion(name: string, origin: string, before: string | undefined): Question {
  return {
    title: `Tell ${shownText(origin)} of the backups of “${shownText(name)}”?`,
    detail: [
      'It is sent the start and the end of each backup: the names of the job and of this computer, how it ended, times, and numbers of files and bytes. No names of files, no contents.',
      ...(before === undefined ? [] : [before === origin ? 'The address that was told until now is told no longer.' : `${shownText(before)} is told no longer.`]),
      'Go on only if you have entered this address yourself.',
    ].join('\n'),
    yes: 'Tell it',
  }
}

/** Whoever relies on being told might not notice. */
export function reportEndQuestion(name: string, origin: string): Question {
  return {
    title: `No longer tell ${shownText(origin)} of the backups of “${shownText(name)}”?`,
    detail: 'Nobody is told there any more that a backup failed. Holdfast forgets the address.',
    yes: 'Tell it no longer',
  }
}
