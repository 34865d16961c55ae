import { parseDrillDetails, type DrillProof } from '../protocol/drill.ts'
import type { RunSummary } from '../protocol/progress.ts'
import { formatBytes, formatPlural, formatTime } from './format.ts'

const resultWords = { passed: 'passed', warnings: 'passed, with warnings', failed: 'FAILED' } as const

/** What a drill came to. */
export function drillLines(summary: RunSummary): string[] {
  const details = parseDrillDetails(summary.details)
  if (!details) return []
  if (!details.proof) return ['  there is nothing to restore']
  const { files, bytes, compared, failed, snapshots } = details.proof
  return [
    `  ${formatPlural(files, 'file')}, ${formatBytes(bytes)} of ${snapshots.join(', ')} restored and compared, ${String(compared)} of them with their sources too`,
    ...(failed > 0 ? [`  ${formatPlural(failed, 'path')} cannot be restored as stored: run a check`] : []),
    `  seed ${details.seed}`,
  ]
}

/** One line. */
export function drillLine({ finishedMs, host, result, files, bytes }: DrillProof): string {
  return `last restore drill: ${formatTime(finishedMs)} on ${host}, ${formatPlural(files, 'file')}, ${formatBytes(bytes)}: ${resultWords[result]}`
}

export const drillHeader = ['FINISHED', 'HOST', 'RESULT', 'FILES', 'SIZE', 'COMPARED', 'FAILED', 'SNAPSHOTS'] as const

export function drillRow({ finishedMs, host, result, files, bytes, compared, failed, snapshots }: DrillProof): string[] {
  return [formatTime(finishedMs), host, resultWords[result], String(files), formatBytes(bytes), String(compared), String(failed), snapshots.join(' ')]
}
