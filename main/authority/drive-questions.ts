import type { Question } from './questions.ts'
import { shownText } from './shown.ts'

/** A disk that a person has clicked on in the window. */
export function driveQuestion(name: string, folder: string): Question {
  return {
    title: `Keep backups on “${shownText(name)}”?`,
    detail: `They go into the folder ${shownText(folder)}, encrypted. Nothing else on this disk is touched.`,
    yes: 'Use this disk',
  }
}
