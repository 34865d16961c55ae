import { readFile, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { createStream } from 'rotating-file-stream'
import type { RotatingFileStream } from 'rotating-file-stream'
import type { LogContextWire } from '../../engine/protocol/messages.ts'
import { visibleJson } from '../../engine/protocol/visible-text.ts'
import { lineText, parseLine } from '../logs/line.ts'
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

/** A log of which parts can be read again. */
export interface Logs extends LogWriter {
  readonly folder: string
  linesOf(run: string): Promise<readonly string[]>
  /** Resolves when what was written so far can be read. */
  flushed(): Promise<void>
  close(): Promise<void>
}

/** For an app that found no place for a log: what it has to say is said elsewhere. */
export const noLogs: Logs = { folder: '', write: () => undefined, linesOf: async () => [], flushed: async () => undefined, close: async () => undefined }

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

  flushed(): Promise<void> {
    return this.#flushed
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
  const parsed = parseLine(line)
  return parsed?.run === run ? [lineText(parsed)] : []
}
