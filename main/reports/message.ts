import type { ReportKind, RunView } from '../api/contract.ts'
import { isComplete } from '../runs/run-view.ts'

/** What is told of a backup: that it has begun, or how it ended. */
export interface Told {
  readonly job: string
  /** This computer, as the job's snapshots call it. */
  readonly host: string
  readonly startedMs: number
  /** Absent: it has begun. */
  readonly ended?: RunView
}

export interface ReportRequest {
  readonly url: string
  readonly type: string
  readonly body: string
}

type Event = 'start' | 'success' | 'failure'

/**
 * The request that tells it. `ping`: as healthchecks.io and those that do as it does, `/start` and `/fail` behind the address, and a line for people.
 * `json`: one object. Neither holds a path, a message or an address: those of files and storages are nobody's business there.
 */
export function reportRequest(kind: ReportKind, address: string, told: Told): ReportRequest {
  const event = eventOf(told)
  if (kind === 'json') return { url: address, type: 'application/json', body: JSON.stringify({ event, ...factsOf(told) }) }
  const url = new URL(address)
  url.pathname = `${url.pathname.replace(/\/$/, '')}${suffixes[event]}`
  return { url: url.href, type: 'text/plain; charset=utf-8', body: lineOf(told) }
}

const suffixes: Readonly<Record<Event, string>> = { start: '/start', success: '', failure: '/fail' }

function eventOf({ ended }: Told): Event {
  if (!ended) return 'start'
  return isComplete(ended) ? 'success' : 'failure'
}

function factsOf({ job, host, startedMs, ended }: Told): Readonly<Record<string, unknown>> {
  if (!ended) return { job, host, startedMs }
  const { outcome, finishedMs, files, bytes, uploadedBytes, problems, error, snapshot } = ended
  return {
    job, host, startedMs, finishedMs, outcome, files: files.found, bytes: bytes.found, uploadedBytes, problems,
    ...(error && { error: error.code }), ...(snapshot !== undefined && { snapshot }),
  }
}

const outcomes: Readonly<Record<RunView['outcome'], string>> = {
  success: 'backed up', unchanged: 'nothing had changed', warnings: 'backed up with warnings', partial: 'not finished', failed: 'failed', stopped: 'stopped by hand',
}

/** How a run ended, in words; of an error its code alone. */
export function outcomeWords({ outcome, error }: Pick<RunView, 'outcome' | 'error'>): string {
  return `${outcomes[outcome]}${error ? ` (${error.code})` : ''}`
}

function lineOf({ job, host, ended }: Told): string {
  const head = `Holdfast backup "${job}" on ${host}`
  if (!ended) return `${head}: started`
  const { startedMs, finishedMs, files, bytes, uploadedBytes, problems } = ended
  const seconds = Math.max(0, Math.round((finishedMs - startedMs) / 1000))
  return `${head}: ${outcomeWords(ended)}, ${files.found} files, ${bytes.found} bytes, ${uploadedBytes} bytes sent, ${problems} warnings, ${seconds} s`
}
