import type { LogLine } from '../base/log.ts'
import type { WireError } from '../protocol/errors.ts'
import type { Problem, Progress, TransferEvent } from '../protocol/progress.ts'
import type { Output, StandardOutput } from './output.ts'
import { problemLine, progressBlock, progressLine } from './progress.ts'

/** A run that is over before this needs no block on the terminal. */
const blockAfterMs = 200
/** How often the line in a log file is written. */
const lineIntervalMs = 10_000
/** News of what is waited for need not wait that long, but a storage that stumbles again and again fills no log. */
const newsIntervalMs = 2_000

/** Problems shown while a run goes on; the summary counts the rest. */
const shownProblems = 20

/**
 * For people: results on standard output; progress, problems and errors on standard error. On a terminal progress is one
 * block that is rewritten in place, elsewhere a line now and then.
 */
export class TerminalOutput implements Output {
  readonly #out: StandardOutput
  readonly #verbose: boolean
  readonly #isTerminal = process.stderr.isTTY
  readonly #transfers = new Map<number, TransferEvent>()
  #blockLines = 0
  readonly #startedMs = performance.now()
  #lastMs = performance.now()
  #phase: string | undefined
  #waitingFor: string | undefined
  #lastNewsMs = -Infinity
  #problems = 0

  constructor(out: StandardOutput, verbose: boolean) {
    this.#out = out
    this.#verbose = verbose
  }

  get closed(): boolean {
    return this.#out.closed
  }

  progress(progress: Progress): void {
    const now = performance.now()
    const isNews = progress.waitingFor?.code !== this.#waitingFor && now - this.#lastNewsMs >= newsIntervalMs
    if (this.#isTerminal) {
      if (now - this.#startedMs < blockAfterMs && !isNews) return
      this.#rewrite(progressBlock(progress, [...this.#transfers.values()], process.stderr.columns))
    } else {
      const phaseEnded = this.#phase !== undefined && this.#phase !== progress.phase && now - this.#lastMs > 1000
      this.#phase = progress.phase
      if (now - this.#lastMs < lineIntervalMs && !phaseEnded && !isNews) return
      this.#out.note([progressLine(progress)])
    }
    if (isNews) this.#lastNewsMs = now
    this.#waitingFor = progress.waitingFor?.code
    this.#lastMs = now
  }

  transfer(transfer: TransferEvent): void {
    if (transfer.state === 'done' || transfer.state === 'failed') this.#transfers.delete(transfer.id)
    else this.#transfers.set(transfer.id, transfer)
  }

  problem(problem: Problem): void {
    this.#problems += 1
    // The log, which `--verbose` shows, has each with the same words.
    if (this.#verbose) return
    if (this.#problems <= shownProblems) this.#note(`warning: ${problemLine(problem)}`)
    if (this.#problems === shownProblems + 1) this.#note('warning: there are more; --verbose shows all.')
  }

  log(line: LogLine): void {
    if (this.#verbose) this.#note(logLine(line))
    // What concerns one file comes as a problem too.
    else if ((line.level === 'error' || line.level === 'warning') && line.context.file === undefined) this.#note(`${line.level}: ${placeOf(line)}${line.message}`)
  }

  record(_json: Readonly<Record<string, unknown>>, ...lines: readonly string[]): void {
    for (const line of lines) this.#out.write(line)
  }

  summary(_json: Readonly<Record<string, unknown>>, text: readonly string[]): void {
    this.#rewrite([])
    for (const line of text) this.#out.write(line)
  }

  error(error: WireError, advice: string | undefined): void {
    this.#note(`holdfast: ${error.message}`)
    const cause = error.cause?.message
    if (cause !== undefined && !error.message.includes(cause)) this.#note(`  because: ${cause}`)
    if (advice !== undefined) this.#note(`  ${advice}`)
  }

  /** A line that stays, above the block. */
  #note(line: string): void {
    this.#rewrite([])
    this.#out.note([line])
  }

  #rewrite(lines: readonly string[]): void {
    if (!this.#isTerminal || (this.#blockLines === 0 && lines.length === 0)) return
    const back = this.#blockLines > 0 ? `\u001b[${String(this.#blockLines)}A\r\u001b[J` : ''
    this.#out.note(lines, back)
    this.#blockLines = lines.length
  }
}

/** Of a sync, which works at several at once. */
function placeOf({ context: { group, snapshot, pack } }: LogLine): string {
  return group === undefined ? '' : `${[group, snapshot, pack && `pack ${pack}`].filter((part) => part !== undefined).join(' › ')}: `
}

function logLine(line: LogLine): string {
  const { job, operation, group, snapshot, file, pack, object, attempt } = line.context
  const where = [job, operation, group, snapshot, file, pack, object, attempt === undefined ? undefined : `try ${String(attempt)}`].filter((part) => part !== undefined)
  return `${new Date(line.time).toISOString()} ${line.level} ${where.length > 0 ? `[${where.join(' › ')}] ` : ''}${line.message}`
}
