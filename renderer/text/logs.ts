import * as m from '../../main/text/compiled/messages.js'
import type { LogLevel } from '../state/bridge.ts'
import { formatCount } from './format.ts'

export type LogSpan = 'any' | 'hour' | 'day' | 'week' | 'between'

/** The page that shows the log. */
export const logWords = {
  title: m.logs_title(),
  subtitle: m.logs_subtitle(),
  show: m.logs_show(),
  showRun: m.logs_showRun(),
  copy: (lines: number) => (lines === 0 ? m.logs_copy() : m.logs_copy2({ lines })),
  copied: (lines: number) => m.logs_copied({ lines }),
  job: m.logs_job(),
  allJobs: m.logs_allJobs(),
  noJob: m.logs_noJob(),
  level: m.logs_level(),
  levels: { debug: m.logs_levels_debug(), info: m.logs_levels_info(), warning: m.logs_levels_warning(), error: m.logs_levels_error() } satisfies Record<LogLevel, string>,
  levelNames: { debug: m.logs_levelNames_debug(), info: m.logs_levelNames_info(), warning: m.logs_levelNames_warning(), error: m.logs_levelNames_error() } satisfies Record<LogLevel, string>,
  time: m.logs_time(),
  times: { any: m.logs_times_any(), hour: m.logs_times_hour(), day: m.logs_times_day(), week: m.logs_times_week(), between: m.logs_times_between() } satisfies Record<LogSpan, string>,
  from: m.logs_from(),
  to: m.logs_to(),
  text: m.logs_text(),
  placeholder: m.logs_placeholder(),
  run: m.logs_run(),
  allRuns: m.logs_allRuns(),
  follow: m.logs_follow(),
  list: m.logs_list(),
  found: (count: number, more: boolean) => (more ? m.logs_found({ count: formatCount(count) }) : m.logs_found2({ count })),
  busy: m.logs_busy(),
  older: m.logs_older(),
  full: m.logs_full(),
  end: m.logs_end(),
  empty: m.logs_empty(),
  emptyText: m.logs_emptyText(),
  nothing: m.logs_nothing(),
  nothingText: m.logs_nothingText(),
  everything: m.logs_everything(),
  hint: m.logs_hint(),
} as const
