import * as m from '../text/compiled/messages.js'
import type { Question } from './questions.ts'
import { shownText } from './shown.ts'

/** A disk that backups go to by turns from now on. @param jobs all that go there */
export function rotationQuestion(jobs: readonly string[], disk: string): Question {
  return { title: m.ask_rotation_title({ disk: shownText(disk), jobs: shownText(jobs.join(', ')) }), detail: m.ask_rotation_detail(), yes: m.ask_rotation_yes() }
}

export function rotationEndQuestion(jobs: readonly string[], disk: string): Question {
  return { title: m.ask_rotationEnd_title({ disk: shownText(disk), jobs: shownText(jobs.join(', ')) }), detail: m.ask_rotationEnd_detail(), yes: m.ask_rotationEnd_yes() }
}
