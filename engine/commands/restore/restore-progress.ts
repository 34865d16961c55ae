import type { ByteString } from '../../base/byte-string.ts'
import { toShown } from '../../base/byte-string.ts'
import type { CommandContext } from '../context.ts'
import type { Traffic } from '../open.ts'
import type { Counters, Phase, Problem, Progress, RunSummary } from '../../protocol/progress.ts'

const reportEveryMs = 250

/** Speed is told over this stretch, so that it neither jumps nor lags. */
const speedWindowMs = 5000

interface Totals {
  found: number
  unchanged: number
  written: number
}

/** What a restore has done so far, and how it tells. */
export class RestoreProgress {
  readonly files: Totals = { found: 0, unchanged: 0, written: 0 }
  readonly bytes: Totals = { found: 0, unchanged: 0, written: 0 }
  phase: Phase = 'opening'
  currentFolder: ByteString = ''
  /** Bytes of everything that will be found, once that is known. */
  totalBytes: number | undefined
  readonly #context: CommandContext
  readonly #startedMs: number
  readonly #problems: Problem[] = []
  readonly #samples: { readonly atMs: number; readonly bytes: number }[] = []
  #problemCount = 0
  #lastMs = -Infinity
  traffic: Traffic | undefined

  constructor(context: CommandContext) {
    this.#context = context
    this.#startedMs = context.clock.now()
  }

  problem(code: Problem['code'], path: ByteString, message: string): void {
    const problem = { code, path: toShown(path), message }
    this.#problemCount += 1
    if (this.#problems.length < 100) this.#problems.push(problem)
    this.#context.events.problem(problem)
    this.#context.log.with({ file: problem.path }).write('warning', message)
  }

  /** Tells how it goes, at most four times a second; call it often. */
  report(force = false): void {
    const nowMs = this.#context.clock.monotonic()
    if (!force && nowMs - this.#lastMs < reportEveryMs) return
    this.#lastMs = nowMs
    const downloaded = this.traffic?.downloadedBytes ?? 0
    this.#samples.push({ atMs: nowMs, bytes: this.bytes.written + this.bytes.unchanged })
    while ((this.#samples[1]?.atMs ?? nowMs) < nowMs - speedWindowMs) this.#samples.shift()
    this.#context.events.progress({ ...this.#picture(downloaded), ...this.#outlook(nowMs) })
  }

  summary(outcome: RunSummary['outcome'], facts: { readonly snapshot?: string; readonly repositoryId?: string }): RunSummary {
    return {
      operation: 'restore',
      outcome: outcome === 'success' && this.#problemCount > 0 ? 'warnings' : outcome,
      startedMs: this.#startedMs,
      finishedMs: this.#context.clock.now(),
      files: counters(this.files),
      bytes: counters(this.bytes),
      uploadedBytes: 0,
      downloadedBytes: this.traffic?.downloadedBytes ?? 0,
      adoptedPacks: 0,
      problems: this.#problemCount,
      firstProblems: this.#problems,
      ...facts,
    }
  }

  #picture(downloaded: number): Progress {
    const waitingFor = this.traffic?.waitingFor
    return {
      operation: 'restore',
      phase: this.phase,
      paused: this.#context.pauseGate.paused,
      files: counters(this.files),
      bytes: counters(this.bytes),
      transferredBytes: downloaded,
      bytesPerSecond: this.#speed(),
      problems: this.#problemCount,
      ...(waitingFor ? { waitingFor } : {}),
      ...(this.currentFolder === '' ? {} : { currentPath: toShown(this.currentFolder) }),
    }
  }

  /** Bytes restored a second, lately. */
  #speed(): number {
    const first = this.#samples[0]
    const last = this.#samples.at(-1)
    return first && last && last.atMs > first.atMs ? ((last.bytes - first.bytes) * 1000) / (last.atMs - first.atMs) : 0
  }

  #outlook(nowMs: number): Pick<Progress, 'fraction' | 'etaMs'> {
    const total = this.totalBytes
    if (total === undefined || total === 0) return {}
    const done = this.bytes.written + this.bytes.unchanged
    const fraction = Math.min(1, done / total)
    const elapsedMs = nowMs - this.#firstMs(nowMs)
    const speeds = [this.#speed() / 1000, elapsedMs > 0 ? done / elapsedMs : 0].filter((speed) => speed > 0)
    if (speeds.length === 0) return { fraction }
    const left = Math.max(0, total - done)
    return { fraction, etaMs: { from: Math.floor((0.8 * left) / Math.max(...speeds)), to: Math.ceil((1.3 * left) / Math.min(...speeds)) } }
  }

  #startMs: number | undefined
  #firstMs(nowMs: number): number {
    return (this.#startMs ??= nowMs)
  }
}

function counters({ found, unchanged, written }: Totals): Counters {
  return { found, unchanged, deduplicated: 0, uploaded: written, waiting: Math.max(0, found - unchanged - written) }
}
