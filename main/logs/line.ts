import * as v from 'valibot'
import type { LogLevel } from '../api/log-views.ts'
import { visibleText } from '../../engine/protocol/visible-text.ts'

export interface ParsedLine {
  readonly timeMs: number
  readonly level: LogLevel
  readonly message: string
  readonly job: string | undefined
  readonly run: string | undefined
  /** What else is known of it, without job and run. */
  readonly context: readonly string[]
}

const levels = ['debug', 'info', 'warning', 'error'] as const satisfies readonly LogLevel[]
const schema = v.object({
  time: v.string(), level: v.picklist(levels), message: v.string(),
  context: v.objectWithRest({ job: v.optional(v.string()), run: v.optional(v.string()) }, v.union([v.string(), v.number(), v.boolean()])),
})

/** Undefined for what is no line of the log. */
export function parseLine(text: string): ParsedLine | undefined {
  const parsed = v.safeParse(schema, parseJson(text))
  if (!parsed.success) return undefined
  const { time, level, message, context: { job, run, ...rest } } = parsed.output
  const timeMs = Date.parse(time)
  return Number.isNaN(timeMs) ? undefined : { timeMs, level, message, job, run, context: Object.values(rest).map(String) }
}

/** As text for people: one line, nothing hidden. */
export function lineText({ timeMs, level, message, job, context }: ParsedLine): string {
  const path = [...(job === undefined ? [] : [job]), ...context].join(' › ')
  return visibleText(`${new Date(timeMs).toISOString()} ${level.padEnd(7)} ${path}: ${message}`)
}

/** How much a level weighs. */
export function weightOf(level: LogLevel): number {
  return levels.indexOf(level)
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
