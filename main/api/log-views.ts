export type LogLevel = 'debug' | 'info' | 'warning' | 'error'

/** Where a line of the log begins: it stays good while files are rotated, until the line's own file is removed. */
export type LogPosition = string

/** What is looked for; what is absent restricts nothing. */
export interface LogFilter {
  /** This one and what weighs more. */
  readonly level?: LogLevel
  /** Name of a job; `null`: lines that belong to none. */
  readonly job?: string | null
  readonly runId?: string
  /** Part of what a line shows, in capitals or not. */
  readonly text?: string
  /** ms since 1970 */
  readonly fromMs?: number
  readonly toMs?: number
}

/** A line, as it is shown: nothing in it that cannot be seen. */
export interface LogRow {
  readonly at: LogPosition
  /** ms since 1970 */
  readonly timeMs: number
  readonly level: LogLevel
  readonly job?: string
  /** What it was about: operation, file, pack, attempt, joined by ` › `. */
  readonly context: string
  readonly message: string
}

export interface LogPage {
  /** Newest first. */
  readonly rows: readonly LogRow[]
  /** Where to look on, `before` of the next request; absent: nothing older is left. There may be no rows and more to look through. */
  readonly older?: LogPosition
  /** Behind the newest line there is, `after` of a later request; absent where `before` was asked for, or there is none. */
  readonly newest?: LogPosition
  /** With `after`: it was not reached. There is more between these rows and the ones that are known. */
  readonly missed?: true
}

/** A report for support that has been put together. */
export interface SupportView {
  readonly files: readonly { readonly name: string; readonly bytes: number }[]
}

/** A part of one of its files. */
export interface SupportPage {
  readonly text: string
  /** Where the next part begins; absent at the end. */
  readonly next?: number
}
