import type { RunView } from '../api/contract.ts'
import type { MailWhen } from '../api/mail-views.ts'
import { outcomeWords } from '../reports/message.ts'
import { visibleText } from '../../engine/protocol/visible-text.ts'

/** Of a job, what a message says. */
export interface JobRuns {
  readonly job: string
  /** This computer, as the job's snapshots call it. */
  readonly host: string
  /** Newest first. */
  readonly runs: readonly RunView[]
}

interface Written {
  readonly subject: string
  readonly text: string
}

/** Whether somebody wants to hear of this run at once. */
export function isTold(when: MailWhen, { outcome }: RunView): boolean {
  switch (when) {
    case 'always':
      return true
    case 'warning':
      return outcome === 'warnings' || outcome === 'failed' || outcome === 'partial'
    case 'failure':
      return outcome === 'failed' || outcome === 'partial'
    case 'weekly':
      return false
  }
}

/** How a run ended. Holds no path, no message and no address: those of files and storages are nobody's business in a mailbox. */
export function runMessage(job: string, host: string, run: RunView): Written {
  return {
    subject: visibleText(`Holdfast: “${job}” on ${host}: ${outcomeWords(run)}`),
    text: [visibleText(`The backup “${job}” on ${host}: ${outcomeWords(run)}.`), '', ...figures(run), '', adviceOf(run), ''].join('\n'),
  }
}

/** A week of some jobs. One that did not run at all is told too: that is what matters most. */
export function weekMessage(jobs: readonly JobRuns[], sinceMs: number, nowMs: number): Written {
  const bad = jobs.filter(({ runs }) => !runs.some(isGood)).length
  return {
    subject: bad === 0 ? 'Holdfast: the week’s backups are well' : `Holdfast: ${bad} of ${jobs.length} ${jobs.length === 1 ? 'backup' : 'backups'} without success this week`,
    text: [`Backups from ${moment(sinceMs)} to ${moment(nowMs)}:`, '', ...jobs.map(weekLine), '', 'This message comes once a week. Holdfast: the job, “Tell somebody…”, changes that.', ''].join('\n'),
  }
}

export const testMessage: Written = {
  subject: 'Holdfast: a test message',
  text: 'This message was sent by hand, to try it. Messages about backups will come like this one.\n',
}

function weekLine({ job, host, runs }: JobRuns): string {
  const good = runs.filter(isGood).length
  const [last] = runs
  const head = visibleText(`- “${job}” on ${host}`)
  return last ? `${head}: ${good} of ${runs.length} ${runs.length === 1 ? 'run' : 'runs'} well; the last one, ${moment(last.finishedMs)}: ${outcomeWords(last)}` : `${head}: no run at all`
}

function isGood({ outcome }: RunView): boolean {
  return outcome === 'success' || outcome === 'unchanged' || outcome === 'warnings'
}

function figures({ startedMs, finishedMs, files, bytes, uploadedBytes, problems }: RunView): readonly string[] {
  return [
    `Started:   ${moment(startedMs)}`, `Ended:     ${moment(finishedMs)}`, `Files:     ${files.found}`, `Bytes:     ${bytes.found}`, `Sent:      ${uploadedBytes} bytes`, `Warnings:  ${problems}`,
  ]
}

function adviceOf(run: RunView): string {
  if (run.outcome === 'failed' || run.outcome === 'partial') return 'Open Holdfast on this computer: the page of the job says why, and what to do.'
  return run.problems > 0 ? 'Open Holdfast on this computer: the page of the job says which files it is about.' : 'There is nothing to do.'
}

/** As the computer's clock has it, with its offset: who reads it may be elsewhere. */
function moment(ms: number): string {
  const offset = -new Date(ms).getTimezoneOffset()
  const sign = offset < 0 ? '-' : '+'
  const two = (value: number): string => String(Math.trunc(Math.abs(value))).padStart(2, '0')
  return `${new Date(ms + offset * 60_000).toISOString().slice(0, 16).replace('T', ' ')} ${sign}${two(offset / 60)}:${two(offset % 60)}`
}
