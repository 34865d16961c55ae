import type { LogLine } from '../base/log.ts'
import type { WireError } from '../protocol/errors.ts'
import type { Problem, Progress, TransferEvent } from '../protocol/progress.ts'
import type { Output, StandardOutput } from './output.ts'

/** For programs: the exact bytes in base64 where what is shown is not just them, as names need not be UTF-8; else nothing. */
export function exactBytes<Key extends string>(key: Key, bytes: Uint8Array, shown: string): Partial<Record<Key, string>> {
  const exact = Buffer.from(bytes)
  return exact.equals(Buffer.from(shown)) ? {} : ({ [key]: exact.toString('base64') } as Record<Key, string>)
}

/** One JSON event a line; the last is `summary` or `error`. */
export class JsonOutput implements Output {
  readonly #out: StandardOutput
  readonly #verbose: boolean
  readonly #active = new Set<number>()

  constructor(out: StandardOutput, verbose: boolean) {
    this.#out = out
    this.#verbose = verbose
  }

  get closed(): boolean {
    return this.#out.closed
  }

  progress(progress: Progress): void {
    this.#print({ type: 'progress', ...progress })
  }

  /** The beginning and the end of each transfer; in between, the sum in `progress` tells enough. */
  transfer(transfer: TransferEvent): void {
    const ended = transfer.state === 'done' || transfer.state === 'failed'
    if (!ended && this.#active.has(transfer.id)) return
    if (ended) this.#active.delete(transfer.id)
    else this.#active.add(transfer.id)
    this.#print({ type: 'transfer', ...transfer })
  }

  problem(problem: Problem): void {
    this.#print({ type: 'problem', ...problem })
  }

  log(line: LogLine): void {
    // What concerns one file comes as a problem too.
    if (!this.#verbose && (line.level === 'debug' || line.context.file !== undefined)) return
    this.#print({ type: 'log', ...line })
  }

  record(json: Readonly<Record<string, unknown>>): void {
    this.#print(json)
  }

  summary(json: Readonly<Record<string, unknown>>): void {
    this.#print({ type: 'summary', ...json })
  }

  error(error: WireError, advice: string | undefined, summary?: Readonly<Record<string, unknown>>): void {
    const { code, message, ...rest } = error
    this.#print({ type: 'error', code, message, ...rest, ...(advice === undefined ? {} : { advice }), ...(summary ? { summary } : {}) })
  }

  #print(event: Readonly<Record<string, unknown>>): void {
    this.#out.json(event)
  }
}
