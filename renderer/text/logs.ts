import type { LogLevel } from '../state/bridge.ts'
import { formatCount, formatThings } from './format.ts'

export type LogSpan = 'any' | 'hour' | 'day' | 'week' | 'between'

/** The page that shows the log. */
export const logWords = {
  title: 'Log',
  subtitle: 'What Holdfast has done, the newest first',
  show: 'Show log',
  showRun: 'Show log of this run',
  copy: (lines: number) => (lines === 0 ? 'Copy' : `Copy ${formatThings(lines, 'line', 'lines')}`),
  copied: (lines: number) => `${formatThings(lines, 'line', 'lines')} copied`,
  job: 'Job',
  allJobs: 'All jobs',
  noJob: 'Holdfast itself',
  level: 'Show',
  levels: { debug: 'Everything', info: 'All but details', warning: 'Warnings and errors', error: 'Errors only' } satisfies Record<LogLevel, string>,
  levelNames: { debug: 'Detail', info: 'Info', warning: 'Warning', error: 'Error' } satisfies Record<LogLevel, string>,
  time: 'When',
  times: { any: 'At any time', hour: 'In the last hour', day: 'In the last 24 hours', week: 'In the last 7 days', between: 'Between…' } satisfies Record<LogSpan, string>,
  from: 'From',
  to: 'To',
  text: 'Search',
  placeholder: 'Part of a line',
  run: 'Only one run',
  allRuns: 'Show all runs',
  follow: 'New lines as they come',
  list: 'Lines of the log, the newest first',
  found: (count: number, more: boolean) => (more ? `The newest ${formatCount(count)} lines` : formatThings(count, 'line', 'lines')),
  busy: 'Looking through the log…',
  older: 'Show older lines',
  full: 'Older lines are not shown here. Narrow what is looked for, or open the log folder.',
  end: 'The log begins here. Older lines were removed to save space.',
  empty: 'The log is empty',
  emptyText: 'Once Holdfast has something to tell, it is here.',
  nothing: 'No line is like that',
  nothingText: 'Show more levels, another job or another time, or search for something else.',
  everything: 'Show everything',
  hint: 'Arrow keys choose a line, with Shift several; Ctrl+C copies them.',
} as const
