import { isLate, type AppPresence, type AppStatus, type Attention, type JobStatus } from '../protocol/app-status.ts'
import { visibleText } from '../protocol/visible-text.ts'

type Labels = Readonly<Record<string, string>>
interface Sample {
  readonly labels: Labels
  readonly value: number
}
interface Metric {
  readonly name: string
  readonly help: string
  readonly samples: readonly Sample[]
}

/** The lines of Prometheus' text exposition format. Times are seconds since 1970; a metric without a value has no sample. */
export function prometheusText(status: AppStatus, presence: AppPresence, attention: readonly Attention[], nowMs: number): readonly string[] {
  const needing = new Set(attention.flatMap(({ job }) => job ?? []))
  return [...appMetrics(status, presence, attention), ...jobMetrics(status.jobs, needing, nowMs), ...copyMetrics(status.jobs)].flatMap(linesOf)
}

function appMetrics({ app, writtenMs, pausedAll, othersLate }: AppStatus, presence: AppPresence, attention: readonly Attention[]): readonly Metric[] {
  const one = (name: string, help: string, value: number, labels: Labels = {}): Metric => ({ name, help, samples: [{ labels, value }] })
  return [
    one('holdfast_info', 'The version of the app; always 1.', 1, { version: app }),
    one('holdfast_up', 'Whether the app runs and has told its state within the last 15 minutes.', flag(presence === 'running')),
    one('holdfast_status_timestamp_seconds', 'When the app told this state.', seconds(writtenMs)),
    one('holdfast_paused', 'Whether everything is paused.', flag(pausedAll)),
    one('holdfast_attention', 'How many things need attention.', attention.length),
    one('holdfast_other_machines_late', 'Backups of other machines, in the same repositories, that have not come for too long.', othersLate.length),
  ]
}

function jobMetrics(jobs: readonly JobStatus[], needing: ReadonlySet<string>, nowMs: number): readonly Metric[] {
  const of = (name: string, help: string, value: (job: JobStatus) => number | undefined): Metric =>
    ({ name: `holdfast_job_${name}`, help, samples: jobs.flatMap((job) => sampleOf({ job: job.name }, value(job))) })
  return [
    of('attention', 'Whether something about the job needs attention.', ({ name }) => flag(needing.has(name))),
    of('late', 'Whether no backup has come for too long.', (job) => flag(isLate(job, nowMs))),
    of('held', 'Whether an unusual backup waits for somebody to say that it is fine.', ({ heldSince }) => flag(heldSince !== undefined)),
    of('running', 'Whether it backs up now.', ({ state }) => flag(state !== 'idle' && state !== 'queued')),
    of('last_success_timestamp_seconds', 'When the last complete backup ended.', ({ lastSuccess }) => lastSuccess && seconds(lastSuccess.finishedMs)),
    of('next_run_timestamp_seconds', 'When it is due next.', ({ waits }) => (waits?.untilMs === undefined ? undefined : seconds(waits.untilMs))),
    of('last_run_timestamp_seconds', 'When the last run ended.', ({ lastRun }) => lastRun && seconds(lastRun.finishedMs)),
    of('last_run_success', 'Whether the last run was complete, with or without warnings.', ({ lastRun }) => lastRun && flag(['success', 'unchanged', 'warnings'].includes(lastRun.outcome))),
    of('last_run_duration_seconds', 'How long the last run took.', ({ lastRun }) => lastRun && seconds(Math.max(0, lastRun.finishedMs - lastRun.startedMs))),
    of('last_run_files', 'Files that the last run found.', ({ lastRun }) => lastRun?.files),
    of('last_run_bytes', 'Size of what the last run found.', ({ lastRun }) => lastRun?.bytes),
    of('last_run_uploaded_bytes', 'What the last run sent to the storage.', ({ lastRun }) => lastRun?.uploadedBytes),
    of('last_run_problems', 'Files that the last run could not store wholly, and other warnings.', ({ lastRun }) => lastRun?.problems),
    of('revision', 'Number of the newest snapshot that the job has made.', ({ lastSuccess }) => revisionOf(lastSuccess?.snapshot)),
  ]
}

function copyMetrics(jobs: readonly JobStatus[]): readonly Metric[] {
  const copies = jobs.flatMap((job) => job.copies.map((copy) => ({ labels: { job: job.name, destination: copy.destination }, copy })))
  return [
    { name: 'holdfast_copy_complete_timestamp_seconds', help: 'When the copy had all that there was to copy.', samples: copies.flatMap(({ labels, copy }) => sampleOf(labels, copy.completeMs === undefined ? undefined : seconds(copy.completeMs))) },
    { name: 'holdfast_copy_snapshots', help: 'Snapshots of the repository that the copy has.', samples: copies.flatMap(({ labels, copy }) => sampleOf(labels, copy.snapshots)) },
  ]
}

function linesOf({ name, help, samples }: Metric): readonly string[] {
  if (samples.length === 0) return []
  return [`# HELP ${name} ${help}`, `# TYPE ${name} gauge`, ...samples.map(({ labels, value }) => `${name}${labelText(labels)} ${String(value)}`)]
}

function labelText(labels: Labels): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${escaped(value)}"`)
  return pairs.length === 0 ? '' : `{${pairs.join(',')}}`
}

/** What a person could not see is spelled out first: the format knows no escapes for it. */
function escaped(value: string): string {
  return visibleText(value).replaceAll('\\', '\\\\').replaceAll('"', '\\"')
}

function sampleOf(labels: Labels, value: number | undefined): readonly Sample[] {
  return value === undefined ? [] : [{ labels, value }]
}

/** `docs@12` → 12 */
function revisionOf(snapshot: string | undefined): number | undefined {
  const digits = snapshot?.match(/@(\d+)$/)?.[1]
  return digits === undefined ? undefined : Number(digits)
}

const seconds = (ms: number): number => ms / 1000
const flag = (is: boolean): number => (is ? 1 : 0)
