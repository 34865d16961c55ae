import type { Destination, LogLevel, RunView } from '../api/contract.ts'
import { parseLine, type ParsedLine } from '../logs/line.ts'
import type { JobRecord } from '../jobs/store.ts'
import type { CopyRecord } from '../repositories/copies.ts'
import type { Settings } from '../settings/settings.ts'
import type { Redactor } from './redact.ts'

/** What is known of the computer and the program; nothing of it names anybody. */
export type Facts = Readonly<Record<string, string | number | boolean>>

/** What a report tells, before anything is taken out. */
export interface ReportSource {
  readonly facts: Facts
  readonly settings: Settings
  readonly jobs: readonly JobRecord[]
  readonly copies: readonly CopyRecord[]
  /** Of a job, newest first. */
  readonly runs: (jobId: string) => readonly RunView[]
}

/** Of settings only what is named here: what is added later is told once somebody has thought about it. */
export function settingsJson({ facts, settings }: ReportSource): string {
  const { theme, notifications, parallelJobs, defaultConcurrency, uploadBytesPerSecond, downloadBytesPerSecond, limitTimes, pause } = settings
  return json({ facts, settings: { theme, notifications, parallelJobs, defaultConcurrency, uploadBytesPerSecond, downloadBytesPerSecond, limitTimes, paused: pause !== undefined } })
}

export function jobsJson({ jobs, copies, runs }: ReportSource, redactor: Redactor): string {
  return json({
    jobs: jobs.map(({ id, config, host, repository, scheduledSinceMs }) => ({
      id,
      name: redactor.name('job', config.name),
      ...(host !== undefined && { host: redactor.value(host) }),
      sources: config.sources.map((path) => redactor.name('folder', path)),
      destination: destinationOf(config.destination, redactor),
      repository: repository.id,
      schedule: config.schedule,
      scheduledSince: moment(scheduledSinceMs),
      excludes: { ...config.excludes, patterns: config.excludes.patterns.map((pattern) => redactor.name('name', pattern)) },
      concurrency: config.concurrency,
      uploadBytesPerSecond: config.uploadBytesPerSecond,
      retention: config.retention,
      conditions: config.conditions && { ...config.conditions, ...(config.conditions.networks && { networks: { rule: config.conditions.networks.rule, names: config.conditions.networks.names.map((name) => redactor.value(name)) } }) },
      runs: runs(id).map((run) => runOf(run, redactor)),
    })),
    copies: copies.map(({ id, repository, destination, removeVanished, addedMs }) => ({ id, repository, destination: destinationOf(destination, redactor), removeVanished, added: moment(addedMs) })),
  })
}

function destinationOf(destination: Destination, redactor: Redactor): object {
  if (destination.type === 'folder') return { type: 'folder', path: redactor.name('folder', destination.path) }
  // What a value is about is told, what it is is not: it may be an address, an account or a bucket.
  return { type: destination.provider, values: Object.fromEntries(Object.entries(destination.values).map(([name, value]) => [name, redactor.value(value)])) }
}

function runOf({ id, operation, trigger, outcome, startedMs, finishedMs, files, bytes, uploadedBytes, downloadedBytes, problems, restarts, error }: RunView, redactor: Redactor): object {
  return {
    id, operation, trigger, outcome, started: moment(startedMs), finished: moment(finishedMs), files, bytes, uploadedBytes, downloadedBytes, problems, restarts,
    ...(error && { error: { code: error.code, message: redactor.text(error.message) } }),
  }
}

/** Keys of a line's context whose values are words of ours; all others name something of somebody's. */
const plainContext = new Set(['operation', 'attempt', 'run'])

/** A line of the log without what is nobody's business. Undefined for what is none. */
export function lineJson(text: string, redactor: Redactor): string | undefined {
  const line = parseLine(text)
  if (!line) return undefined
  return `${JSON.stringify({ time: moment(line.timeMs), level: line.level satisfies LogLevel, ...contextOf(line, text, redactor), message: redactor.text(line.message) })}\n`
}

function contextOf({ job, run }: ParsedLine, text: string, redactor: Redactor): object {
  const { context } = JSON.parse(text) as { readonly context: Readonly<Record<string, string | number | boolean>> }
  const told = Object.entries(context).filter(([key]) => key !== 'job' && key !== 'run').map(([key, value]) => [key, typeof value !== 'string' ? value : plainContext.has(key) || isId(value) ? redactor.text(value) : redactor.name('name', value)])
  return { ...(job !== undefined && { job: redactor.name('job', job) }), ...(run !== undefined && { run: redactor.text(run) }), ...(Object.fromEntries(told) as object) }
}

/** Of a pack or an object: hexadecimal digits, with the folder of the repository that it lies in. */
function isId(value: string): boolean {
  return /^(?:(?:packs?|index|snapshots|keys|data|objects)\/)*[0-9a-f]{2,}(?:\/[0-9a-f]{2,})*$/.test(value)
}

export const readmeText = (keepsNames: boolean): string => [
  'A report of Holdfast for whoever helps with a problem.',
  '',
  'system.json  version of Holdfast and of this computer\'s system, settings',
  'jobs.json    jobs as they are set up, and how their last runs ended',
  'log.jsonl    the newest part of the log, oldest line first',
  '',
  'Passwords, keys, tokens and recovery words are not in it. Addresses, names of computers and accounts',
  keepsNames ? 'are replaced by marks such as ‹host 1›. Names of folders, files and jobs are in it, as was chosen.' : 'and names of folders, files and jobs are replaced by marks such as ‹folder 1›:',
  ...(keepsNames ? [] : ['the same thing has the same mark everywhere.']),
  '',
].join('\n')

function json(value: unknown): string {
  return `${JSON.stringify(value, undefined, 2)}\n`
}

function moment(ms: number): string {
  return Number.isFinite(ms) && Math.abs(ms) < 8.64e15 ? new Date(ms).toISOString() : ''
}
