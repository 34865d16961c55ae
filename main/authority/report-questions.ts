import * as m from '../text/compiled/messages.js'
import type { Question } from './questions.ts'
import { shownText } from './shown.ts'

/** @param before what was told until now */
export function reportQuestion(name: string, origin: string, before: string | undefined): Question {
  return {
    title: m.ask_report_title({ origin: shownText(origin), name: shownText(name) }),
    detail: [
      m.ask_report_detail(),
      ...(before === undefined ? [] : [before === origin ? m.ask_report_detail2() : m.ask_report_detail3({ before: shownText(before) })]),
      m.ask_report_detail4(),
    ].join('\n'),
    yes: m.ask_report_yes(),
  }
}

/** Whoever relies on being told might not notice. */
export function reportEndQuestion(name: string, origin: string): Question {
  return {
    title: m.ask_reportEnd_title({ origin: shownText(origin), name: shownText(name) }),
    detail: m.ask_reportEnd_detail(),
    yes: m.ask_reportEnd_yes(),
  }
}
