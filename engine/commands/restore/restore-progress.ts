import type { ByteString } from '../../base/byte-string.ts'
import { toShown } from '../../base/byte-string.ts'
import { HoldfastError } from '../../base/errors.ts'
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
  /** What is restored now: its snapshot, and where below its root it begins. */
  part: { readonly snapshot: string; readonly below: ByteString } | undefined
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

  /** @param source path in the part of what is not restored */
  problem(code: Problem['code'], path: ByteString, message: string, source?: ByteString): void {
    const problem: Problem = { code, path: toShown(path), message, ...(source !== undefined && this.part && { from: fromOf(this.part, source) }) }
    this.#problemCount += 1
    if (this.#problems.length < 100) this.#problems.push(problem)
    this.#context.events.problem(problem)
    this.#context.log.with({ file: problem.path }).write('warning', message)
  }

  /** @param code of the system, or `damaged` where its content cannot be had; @param fallback said of codes that have no words */
  notWritten(path: ByteString, code: string, fallback: string, source: ByteString): void {
    if (code === 'EACCES' || code === 'EPERM') this.refused ??= toShown(path)
    this.problem(code === 'damaged' ? 'damaged' : 'not-restored', path, writeWords(code, fallback), source)
  }

  /** Warnings are for what is missing beside the rest; where there is no rest, the restore has failed. @param target as it is shown. Errors: denied. */
  expectSomething(target: string): void {
    if (this.refused === undefined || this.files.written > 0 || this.files.unchanged > 0) return
    throw new HoldfastError('denied', `Nothing could be restored: you may not write ${this.refused} in ${target}. Choose another folder.`, { data: { place: 'target' } })
  }

  /** What the target did not take of an entry that it has now: told for each, and counted by kind. */
  losses(path: ByteString, losses: readonly Loss[]): void {
    for (const loss of losses) {
      this.#losses.set(loss.kind, (this.#losses.get(loss.kind) ?? 0) + 1)
      this.problem('metadata', path, lossWords(loss))
    }
  }

  /** A file that an earlier part of the restore has brought already. */
  sameAgain(bytes: number): void {
    for (const [totals, more] of [[this.files, 1], [this.bytes, bytes]] as const) {
      totals.found += more
      totals.unchanged += more
    }
    this.report()
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

function fromOf({ snapshot, below }: NonNullable<RestoreProgress['part']>, source: ByteString): Problem['from'] & object {
  return { snapshot, pathBytes: Buffer.from(below === '' ? source : `${below}/${source}`, 'latin1').toString('base64') }
}

function counters({ found, unchanged, written }: Totals): Counters {
  return { found, unchanged, deduplicated: 0, uploaded: written, waiting: Math.max(0, found - unchanged - written) }
}
