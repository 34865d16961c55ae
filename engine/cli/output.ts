import type { LogLine } from '../base/log.ts'
import type { RunEvents } from '../commands/context.ts'
import type { WireError } from '../protocol/errors.ts'
import { visibleJson, visibleText } from '../protocol/visible-text.ts'

/** What a command prints, for a person or as one JSON event a line. */
export interface Output extends RunEvents {
  log(line: LogLine): void
  /** One entry of a listing, with the lines that show it. */
  record(json: Readonly<Record<string, unknown>>, ...lines: readonly string[]): void
  /** The last word of a success. `json` gets `"type":"summary"`. */
  summary(json: Readonly<Record<string, unknown>>, text: readonly string[]): void
  /** The last word of a failure; `summary` where the run had begun. */
  error(error: WireError, advice: string | undefined, summary?: Readonly<Record<string, unknown>>): void
  /** Nobody reads standard output any more (`| head`). */
  readonly closed: boolean
}

/**
 * The one way to standard output and standard error. Whatever a line holds (names, a storage's words), it stays one line and shows all its
 * characters; only `control` moves the cursor. A reader that went away is no error: what follows is dropped.
 */
export class StandardOutput {
  #closed = false

  constructor() {
    process.stdout.on('error', () => { this.#closed = true })
    process.stderr.on('error', () => undefined)
  }

  get closed(): boolean {
    return this.#closed
  }

  write(line: string): void {
    if (!this.#closed) process.stdout.write(`${visibleText(line)}\n`)
  }

  json(value: unknown): void {
    if (!this.#closed) process.stdout.write(`${visibleJson(value)}\n`)
  }

  /** Lines to standard error, after the terminal has obeyed `control` (our own, never text from outside). */
  note(lines: readonly string[], control = ''): void {
    process.stderr.write(control + lines.map((line) => `${visibleText(line)}\n`).join(''))
  }

  /** Resolves when all lines have left this process. */
  flush(): Promise<void> {
    return new Promise((resolve) => {
      if (this.#closed) resolve()
      else process.stdout.write('', () => { resolve() })
    })
  }
}
