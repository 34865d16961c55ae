import { noCounters, type Operation, type RunSummary } from '../protocol/progress.ts'
import type { Traffic } from '../progress/traffic.ts'

type Facts = Pick<RunSummary, 'outcome' | 'adoptedPacks' | 'problems' | 'firstProblems' | 'repositoryId' | 'details'>

/** The summary of a command that handles no files: a success without problems, but for what `facts` say. */
export function plainSummary(operation: Operation, startedMs: number, finishedMs: number, traffic: Traffic | undefined, facts: Partial<Facts>): RunSummary {
  return {
    operation,
    outcome: 'success',
    startedMs,
    finishedMs,
    files: noCounters,
    bytes: noCounters,
    uploadedBytes: traffic?.uploadedBytes ?? 0,
    downloadedBytes: traffic?.downloadedBytes ?? 0,
    adoptedPacks: 0,
    problems: 0,
    firstProblems: [],
    ...facts,
  }
}
