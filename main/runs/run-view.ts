import { parseCareDetails } from '../../engine/protocol/care.ts'
import type { WireError } from '../../engine/protocol/errors.ts'
import { noCounters, type RunSummary } from '../../engine/protocol/progress.ts'
import { parseSyncFigures } from '../../engine/protocol/sync.ts'
import type { CareFigures, Operation, RunView, SyncFigures, ThroughputView } from '../api/contract.ts'
import { assertNever } from '../system/never.ts'
import type { EngineExit } from '../supervisor/engine.ts'

export interface RunFacts {
  readonly id: string
  readonly jobId: string
  readonly operation: Operation
  readonly trigger: RunView['trigger']
  readonly startedMs: number
  readonly finishedMs: number
  /** The user asked for the end. */
  readonly stopped: boolean
  /** As counted by main, for runs that end without a summary. */
  readonly problems: number
  readonly throughput?: ThroughputView | undefined
}

/** Whether a backup has made a snapshot, or found that none was needed. */
export function isComplete({ outcome }: Pick<RunView, 'outcome'>): boolean {
  return outcome === 'success' || outcome === 'unchanged' || outcome === 'warnings'
}

/** How a run appears in the history. */
export function runViewOf(facts: RunFacts, exit: EngineExit): RunView {
  const { summary, outcome, error } = interpret(facts.stopped, exit)
  return {
    id: facts.id,
    jobId: facts.jobId,
    operation: facts.operation,
    trigger: facts.trigger,
    outcome,
    startedMs: facts.startedMs,
    finishedMs: facts.finishedMs,
    files: summary?.files ?? noCounters,
    bytes: summary?.bytes ?? noCounters,
    uploadedBytes: summary?.uploadedBytes ?? 0,
    downloadedBytes: summary?.downloadedBytes ?? 0,
    adoptedPacks: summary?.adoptedPacks ?? 0,
    ...(summary?.verifiedBytes === undefined ? {} : { verifiedBytes: summary.verifiedBytes }),
    problems: Math.max(summary?.problems ?? 0, facts.problems),
    ...(summary?.notes === undefined ? {} : { notes: summary.notes }),
    restarts: exit.restarts,
    ...(summary?.snapshot !== undefined && { snapshot: summary.snapshot }),
    ...(summary?.unusual && { unusual: summary.unusual }),
    ...(summary?.space && { space: summary.space }),
    ...(error && { error }),
    ...(facts.throughput && { throughput: facts.throughput }),
    ...careOf(summary),
    ...copyOf(summary),
  }
}

function careOf(summary: RunSummary | undefined): { readonly care?: CareFigures } {
  const details = summary?.operation === 'care' ? parseCareDetails(summary.details) : undefined
  if (!details) return {}
  const { forgotten, prune, freedBytes, affectedCount, drill, drilledFiles, unreadPacks, oldestVerifiedMs } = details
  return { care: { forgotten: forgotten.length, prune, freedBytes, affectedCount, drill, drilledFiles, unreadPacks, ...(oldestVerifiedMs !== undefined && { oldestVerifiedMs }) } }
}

function copyOf(summary: RunSummary | undefined): { readonly copy?: SyncFigures } {
  const copy = summary?.operation === 'sync' ? parseSyncFigures(summary.details) : undefined
  return copy ? { copy } : {}
}

interface Interpretation {
  readonly summary?: RunSummary | undefined
  readonly outcome: RunView['outcome']
  readonly error?: WireError
}

function interpret(stopped: boolean, exit: EngineExit): Interpretation {
  switch (exit.type) {
    case 'finished': {
      const { summary } = exit
      const cutShort = summary.outcome === 'partial' || summary.outcome === 'failed'
      return { summary, outcome: stopped && cutShort ? 'stopped' : summary.outcome }
    }
    case 'failed': {
      const { summary, error } = exit
      if (stopped || error.code === 'aborted') return { summary, outcome: 'stopped' }
      return { summary, error, outcome: summary?.outcome === 'partial' ? 'partial' : 'failed' }
    }
    case 'crashed':
      if (stopped) return { outcome: 'stopped' }
      return { outcome: 'failed', error: crashError(exit.detail) }
    default:
      return assertNever(exit)
  }
}

function crashError(detail: string): WireError {
  return { code: 'crashed', message: `The engine process broke off: ${detail}.`, retryable: true }
}

/** The end of a run that never got an engine: it was taken off the queue, or the app ended under it. */
export function runViewWithoutEngine(facts: RunFacts, interrupted: boolean): RunView {
  const exit: EngineExit = { type: 'crashed', reason: 'exit', detail: 'Holdfast was ended while it ran', restarts: 0 }
  return runViewOf({ ...facts, stopped: !interrupted }, exit)
}
