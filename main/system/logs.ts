import { readFile, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { createStream } from 'rotating-file-stream'
import type { RotatingFileStream } from 'rotating-file-stream'
import * as v from 'valibot'
import type { LogContextWire } from '../../engine/protocol/messages.ts'
import { visibleJson, visibleText } from '../../engine/protocol/visible-text.ts'
import { closeFile, ensureClosed } from './private-folder.ts'

/** One line of the log, with its whole context: as if main and its engines had one call stack (B3). */
export interface LogLine {
  readonly time: number
  readonly level: 'debug' | 'info' | 'warning' | 'error'
  readonly message: string
  readonly context: LogContextWire & { readonly run?: string }
}

export interface LogWriter {
  write(line: LogLine): void
}

const fileName = 'holdfast.jsonl'

const lineSchema = v.object({ time: v.string(), level: v.string(), message: v.string(), context: v.looseObject({ run: v.optional(v.string()) }) })

/** A log of which parts can be read again. */
export interface Logs extends LogWriter {
  readonly folder: string
  linesOf(run: string): Promise<readonly string[]>
  close(): Promise<void>
}

/** For an app that found no place for a log: what it has to say is said elsewhere. */
export const noLogs: Logs = { folder: '', write: () => undefined, linesOf: async () => [], close: async () => undefined }

/** The log in rotating files of JSON lines: eight of at most 5 MB. Never throws: a full disk must not end a backup's supervision. */
export class LogFiles implements Logs {
  readonly folder: string
  readonly #stream: RotatingFileStream
  #flushed: Promise<void> = Promise.resolve()

  constructor(folder: string) {
    this.folder = folder
    ensureClosed(folder)
    closeFile(join(folder, fileName))
    const nameOf = (_time: Date | number | null, index?: number): string => (index === undefined ? fileName : `holdfast.${index}.jsonl`)
    this.#stream = createStream(nameOf, { path: folder, size: '5M', rotate: 8, mode: 0o600 })
    this.#stream.on('error', () => undefined)
    this.#stream.on('warning', () => undefined)
  }

  write({ time, level, message, context }: LogLine): void {
    const text = visibleJson({ time: new Date(time).toISOString(), level, message, context })
    this.#flushed = new Promise((resolve) => { this.#stream.write(`${text}\n`, () => { resolve() }) })
  }

  /** Lines of one run as text for people, oldest first. */
  async linesOf(run: string): Promise<readonly string[]> {
    await this.#flushed
    const names = (await readdir(this.folder)).filter((name) => name.endsWith('.jsonl')).sort(byAge)
    const lines: string[] = []
    for (const name of names) {
      const text = await readFile(join(this.folder, name), 'utf8').catch(() => '')
      for (const line of text.split('\n')) if (line.includes(run)) lines.push(...shown(line, run))
    }
    return lines
  }

  async close(): Promise<void> {
    await new Promise<void>((resolve) => { this.#stream.end(() => { resolve() }) })
  }
}

/** Rotated files with a higher number are older; the one without is the newest. */
function byAge(a: string, b: string): number {
  const age = (name: string): number => Number(/\.(\d+)\./.exec(name)?.[1] ?? 0)
  return age(b) - age(a)
}

function shown(line: string, run: string): string[] {
  const parsed = v.safeParse(lineSchema, parseJson(line))
  if (!parsed.success || parsed.output.context.run !== run) return []
  const { time, level, message, context } = parsed.output
  const { run: _run, ...rest } = context
  const path = Object.values(rest).map(String).join(' › ')
  return [visibleText(`${time} ${level.padEnd(7)} ${path}: ${message}`)]
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
