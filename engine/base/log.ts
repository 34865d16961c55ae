import type { LogContextWire } from '../protocol/messages.ts'

/** Where a line belongs: job › operation › file or pack › attempt, carried across process borders (requirement B3). */
export type LogContext = LogContextWire

export type LogLevel = 'debug' | 'info' | 'warning' | 'error'

export interface LogLine {
  readonly time: number
  readonly level: LogLevel
  readonly message: string
  readonly context: LogContext
}

/** A logger that adds its context to every line. Secrets never belong in a message or context. */
export interface Log {
  with(context: LogContext): Log
  write(level: LogLevel, message: string): void
}

/** @param sink gets every line; it must not throw. */
export function createLog(sink: (line: LogLine) => void, now: () => number, context: LogContext = {}): Log {
  return {
    with: (more) => createLog(sink, now, { ...context, ...more }),
    write: (level, message) => { sink({ time: now(), level, message, context }) },
  }
}
