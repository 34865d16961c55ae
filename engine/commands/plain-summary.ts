import type { Counters, Operation, RunSummary } from '../protocol/progress.ts'
import type { Traffic } from './open.ts'

const none: Counters = { found: 0, unchanged: 0, deduplicated: 0, uploaded: 0, waiting: 0 }

/** The summary of a command that handles no files. */
export function plainSummary(operation: Operation, startedMs: number, finishedMs: number, traffic: Traffic | undefined, facts: Pick<RunSummary, 'repositoryId' | 'details'>): RunSummary {
  return {
    operation,
    outcome: 'success',
    startedMs,
    finishedMs,
    files: none,
    bytes: none,
    uploadedBytes: traffic?.uploadedBytes ?? 0,
    downloadedBytes: traffic?.downloadedBytes ?? 0,
    adoptedPacks: 0,
    problems: 0,
    firstProblems: [],
    ...facts,
  }
}
