import type { ByteString } from '../../base/byte-string.ts'
import { toShown } from '../../base/byte-string.ts'
import type { CommandContext } from '../context.ts'
import { Meter, type Work } from '../../progress/meter.ts'
import type { Loss, LossKind } from '../../target/dress.ts'
import { writeWords } from './write-errors.ts'
import { lossCounts, lossWords } from './losses.ts'
import type { Counters, Phase, Problem, RunSummary } from '../../protocol/progress.ts'

interface Totals {
  found: number
  unchanged: number
  written: number
}

/** What a restore has done so far, and how it tells, from before its storage is open until it is disposed. */
export class RestoreProgress implements Disposable {
  readonly meter: Meter
  readonly files: Totals = { found: 0, unchanged: 0, written: 0 }
  readonly bytes: Totals = { found: 0, unchanged: 0, written: 0 }
  currentFolder: ByteString = ''
  /** Bytes of everything that will be found, once that is known. */
  totalBytes: number | undefined
  /** The first entry that the system let nobody write, as it is shown. */
  refused: string | undefined
  readonly #context: CommandContext
  readonly #startedMs: number
  readonly #problems: Problem[] = []
  readonly #losses = new Map<LossKind, number>()
  #problemCount = 0
  #phase: Phase = 'opening'

  /** @param operation what the run is called where it is part of another command. */
  constructor(context: CommandContext, operation: 'restore' | 'drill' = 'restore') {
    this.#context = context
    this.#startedMs = context.clock.now()
    this.meter = new Meter(operation, context)
    this.meter.show(() => this.#work())
  }

  phase(phase: Phase): void {
    this.#phase = phase
    this.meter.tell()
  }

  problem(code: Problem['code'], path: ByteString, message: string): void {
    const problem = { code, path: toShown(path), message }
    this.#problemCount += 1
    if (this.#problems.length < 100) this.#problems.push(problem)
    this.#context.events.problem(problem)
    this.#context.log.with({ file: problem.path }).write('warning', message)
  }

  /** @param code of the system, or `damaged` where its content cannot be had; @param fallback said of codes that have no words */
  notWritten(path: ByteString, code: string, fallback: string): void {
    if (code === 'EACCES' || code === 'EPERM') this.refused ??= toShown(path)
    this.problem(code === 'damaged' ? 'damaged' : 'not-restored', path, writeWords(code, fallback))
  }

  /** What the target did not take of an entry that it has now: told for each, and counted by kind. */
  losses(path: ByteString, losses: readonly Loss[]): void {
    for (const loss of losses) {
      this.#losses.set(loss.kind, (this.#losses.get(loss.kind) ?? 0) + 1)
      this.problem('metadata', path, lossWords(loss))
    }
  }

  /** Something moved; call it often. */
  report(): void {
    this.meter.changed()
  }

  [Symbol.dispose](): void {
    this.meter[Symbol.dispose]()
  }

  summary(outcome: RunSummary['outcome'], facts: { readonly snapshot?: string; readonly repositoryId?: string }): RunSummary {
    return {
      operation: 'restore',
      outcome: outcome === 'success' && this.#problemCount > 0 ? 'warnings' : outcome,
      startedMs: this.#startedMs,
      finishedMs: this.#context.clock.now(),
      files: counters(this.files),
      bytes: counters(this.bytes),
      uploadedBytes: this.meter.traffic.uploadedBytes,
      downloadedBytes: this.meter.traffic.downloadedBytes,
      adoptedPacks: 0,
      problems: this.#problemCount,
      firstProblems: this.#problems,
      ...(this.#losses.size > 0 ? { details: { lost: lossCounts(this.#losses) } } : {}),
      ...facts,
    }
  }

  #work(): Work {
    return {
      phase: this.#phase,
      files: counters(this.files),
      bytes: counters(this.bytes),
      problems: this.#problemCount,
      done: this.bytes.written + this.bytes.unchanged,
      total: this.totalBytes,
      ...(this.currentFolder === '' ? {} : { currentPath: toShown(this.currentFolder) }),
    }
  }
}

function counters({ found, unchanged, written }: Totals): Counters {
  return { found, unchanged, deduplicated: 0, uploaded: written, waiting: Math.max(0, found - unchanged - written) }
}
