import type { Note, RunSummary } from '../protocol/progress.ts'
import type { SpaceOutlook } from '../protocol/space.ts'
import { formatBytes, formatCount, formatDuration, formatPlural } from './format.ts'

const outcomeWords = {
  success: 'done',
  unchanged: 'done, nothing had changed',
  warnings: 'done, with warnings',
  partial: 'not finished; what was stored is used by the next run',
  failed: 'failed',
} as const

/** The end of a run for a person: a few lines. */
export function summaryText(summary: RunSummary): string[] {
  const duration = formatDuration(summary.finishedMs - summary.startedMs)
  const snapshot = summary.snapshot === undefined ? '' : ` · ${summary.operation === 'backup' ? 'snapshot ' : ''}${summary.snapshot}`
  return [
    `${summary.operation}: ${outcomeWords[summary.outcome]}${snapshot} · ${duration}`,
    ...countLines(summary),
    ...(summary.notes ?? []).map(noteLine),
    ...(summary.problems > 0 ? [`  ${formatPlural(summary.problems, 'warning')}`] : []),
  ]
}

function noteLine({ count, message, path }: Note): string {
  return `  note: ${message} ${count === 1 ? path : `${formatCount(count)} times, first ${path}`}`
}

/** What the destination has left, and for how long where that can be told. */
function spaceLine({ freeBytes, fullMs }: SpaceOutlook, nowMs: number): string {
  const days = fullMs === undefined ? undefined : Math.max(0, Math.round((fullMs - nowMs) / 86_400_000))
  const until = days === undefined ? '' : days === 0 ? '; it is as good as full' : `; at this rate it is full in about ${formatPlural(days, 'day')}`
  return `  ${formatBytes(freeBytes)} left at the destination${until}`
}

function countLines(summary: RunSummary): string[] {
  const { files, bytes } = summary
  switch (summary.operation) {
    case 'backup':
      return [
        `  ${formatPlural(files.found, 'file')}, ${formatBytes(bytes.found)}: ${formatCount(files.unchanged)} unchanged, ${formatCount(files.deduplicated)} already stored, ${formatCount(files.uploaded)} stored`,
        `  ${formatBytes(summary.uploadedBytes)} sent${summary.adoptedPacks > 0 ? `, ${formatPlural(summary.adoptedPacks, 'pack')} of an interrupted run taken over` : ''}`,
        ...(summary.verifiedBytes ? [`  ${formatBytes(summary.verifiedBytes)} of the repository read back and verified`] : []),
        ...(summary.space ? [spaceLine(summary.space, summary.finishedMs)] : []),
      ]
    case 'restore':
      return [
        `  ${formatPlural(files.found, 'file')}, ${formatBytes(bytes.found)}: ${formatCount(files.uploaded)} written, ${formatCount(files.unchanged)} left as they were`,
        `  ${formatBytes(summary.downloadedBytes)} received`,
      ]
    case 'sync':
      return [
        `  ${formatPlural(files.found, 'file')}, ${formatBytes(bytes.found)} in the snapshots`,
        `  ${formatBytes(summary.downloadedBytes)} received, ${formatBytes(summary.uploadedBytes)} sent${summary.adoptedPacks > 0 ? `, ${formatPlural(summary.adoptedPacks, 'pack')} of an interrupted run taken over` : ''}`,
      ]
    default:
      return []
  }
}
