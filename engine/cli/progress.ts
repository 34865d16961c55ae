import type { Counters, Problem, Progress, TransferEvent } from '../protocol/progress.ts'
import { visibleText } from '../protocol/visible-text.ts'
import { formatBytes, formatCount, formatDuration } from './format.ts'

/** Transfers shown at once; the sum in the first line covers all. */
const shownTransfers = 8

/** What a terminal shows of a running job: a few lines, none wider than `columns`. */
export function progressBlock(progress: Progress, transfers: readonly TransferEvent[], columns: number): string[] {
  const lines = [
    progressLine(progress),
    `  files  ${countersText(progress, progress.files, formatCount)}`,
    `  bytes  ${countersText(progress, progress.bytes, formatBytes)}`,
    ...(progress.currentPath === undefined ? [] : [`  at     ${visibleText(progress.currentPath)}`]),
    ...transfers.slice(0, shownTransfers).map(transferLine),
    ...(transfers.length > shownTransfers ? [`    and ${String(transfers.length - shownTransfers)} more transfers`] : []),
  ]
  return lines.map((line) => (line.length < columns ? line : `${line.slice(0, Math.max(1, columns - 2))}…`))
}

/** All in one line: operation, share, speed, what is waited for, the time that remains. */
export function progressLine(progress: Progress): string {
  const { fraction, etaMs, waitingFor, continuedFraction } = progress
  const parts = [
    `${progress.operation}: ${progress.paused ? 'paused' : progress.phase}`,
    fraction === undefined ? undefined : `${(Math.min(1, fraction) * 100).toFixed(1)} %`,
    continuedFraction === undefined ? undefined : `continuing at ${String(Math.floor(continuedFraction * 100))} %`,
    `${formatBytes(progress.transferredBytes)} transferred`,
    `${formatBytes(progress.bytesPerSecond)}/s`,
    etaMs === undefined || etaMs.to < 1000 ? undefined : `${formatDuration(etaMs.from)} to ${formatDuration(etaMs.to)} left`,
    waitingFor === undefined ? undefined : waitingWords[waitingFor.code],
    progress.problems > 0 ? `${formatCount(progress.problems)} warnings` : undefined,
  ]
  return parts.filter((part) => part !== undefined).join(' · ')
}

const waitingWords = {
  offline: 'waiting for the storage: it cannot be reached',
  throttled: 'waiting: the storage asks for patience',
  unavailable: 'waiting: the storage has trouble',
  permit: 'waiting for other jobs with this account',
} as const

function countersText(progress: Progress, counters: Counters, format: (value: number) => string): string {
  const stored = progress.operation === 'backup' ? 'stored' : 'written'
  const parts: readonly (readonly [string, number])[] = [
    ['found', counters.found],
    ['unchanged', counters.unchanged],
    ['deduplicated', counters.deduplicated],
    [stored, counters.uploaded],
    ['waiting', counters.waiting],
  ]
  return parts.map(([name, value]) => `${format(value)} ${name}`).join(' · ')
}

function transferLine(transfer: TransferEvent): string {
  const arrow = transfer.direction === 'up' ? '↑' : '↓'
  const amount = transfer.totalBytes > 0 ? `${formatBytes(transfer.bytes)} of ${formatBytes(transfer.totalBytes)}` : formatBytes(transfer.bytes)
  const attempt = transfer.attempt > 1 ? ` · try ${String(transfer.attempt)}` : ''
  return `    ${arrow} ${transfer.name}  ${amount} · ${formatBytes(transfer.bytesPerSecond)}/s${attempt}`
}

export function problemLine(problem: Problem): string {
  return `${problem.path}: ${problem.message}`
}
