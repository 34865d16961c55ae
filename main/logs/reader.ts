import type { LogFilter, LogPage, LogPosition, LogRow } from '../api/log-views.ts'
import type { Request } from '../api/contract.ts'
import { visibleText } from '../../engine/protocol/visible-text.ts'
import { linesBackwards, mostLineBytes, type FoundLine } from './backwards.ts'
import { openLogs, type OpenLog } from './files.ts'
import { lineText, parseLine, weightOf, type ParsedLine } from './line.ts'

/** Of the log, what its reader needs. */
export interface ReadableLogs {
  readonly folder: string
  /** Resolves when what was written so far can be read. */
  flushed(): Promise<void>
}

/** A request looks through no more than this, found or not. */
const mostReadBytes = 4 << 20
const mostShown = 4000
/** Lines of an engine carry its own time, which may lie a little before that of the line above. */
const disorderMs = 10 * 60_000

interface Place {
  readonly file: string
  readonly at: number
}

/** Reads the log's files, the newest line first, in bounded pieces and one request after the other: whoever asks too much waits, and holds nothing up. */
export class LogReader {
  readonly #logs: ReadableLogs
  #turn: Promise<unknown> = Promise.resolve()

  constructor(logs: ReadableLogs) {
    this.#logs = logs
  }

  page(request: Request<'logs.page'>): Promise<LogPage> {
    return this.#next(async (files) => new Search(request).run(files))
  }

  /** The whole lines that begin at these positions, as text, in the order of the positions. One that is gone is left out. */
  lines(positions: readonly LogPosition[]): Promise<readonly string[]> {
    return this.#next(async (files) => {
      const found = await Promise.all(positions.map((position) => lineAt(files, placeOf(position))))
      return found.flatMap((line) => (line ? [lineText(line)] : []))
    })
  }

  #next<T>(read: (files: readonly OpenLog[]) => Promise<T>): Promise<T> {
    const done = this.#turn.then(async () => {
      await this.#logs.flushed()
      await using opened = await openLogs(this.#logs.folder)
      return await read(opened.files)
    })
    this.#turn = done.catch(() => undefined)
    return done
  }
}

/** One request's way back through the files. */
class Search {
  readonly #filter: LogFilter
  readonly #before: Place | undefined
  readonly #after: Place | undefined
  readonly #limit: number
  readonly #rows: LogRow[] = []
  #newest: LogPosition | undefined
  #read = 0

  constructor({ filter, before, after, limit }: Request<'logs.page'>) {
    this.#filter = { ...filter, ...(filter.text !== undefined && { text: filter.text.toLowerCase() }) }
    this.#before = before === undefined ? undefined : placeOf(before)
    this.#after = after === undefined ? undefined : placeOf(after)
    this.#limit = limit
  }

  async run(files: readonly OpenLog[]): Promise<LogPage> {
    const first = this.#before ? files.findIndex(({ id }) => id === this.#before?.file) : 0
    // Where that file is gone, everything older is.
    if (first < 0) return { rows: [] }
    for (const file of files.slice(first)) {
      const end = file.id === this.#before?.file ? Math.min(this.#before.at, file.size) : file.size
      for await (const line of linesBackwards(file.handle, end)) {
        const ended = this.#take(file.id, line)
        if (ended) return this.#page(ended)
      }
      if (file.id === this.#after?.file) return this.#page({})
    }
    return this.#page(this.#after ? { missed: true } : {})
  }

  /** What the page ends with, where it ends. */
  #take(file: string, line: FoundLine): Pick<LogPage, 'older' | 'missed'> | undefined {
    this.#newest ??= `${file}-${line.end}`
    if (file === this.#after?.file && line.at < this.#after.at) return {}
    this.#read += line.end - line.at
    const parsed = parseLine(line.text)
    if (parsed && this.#isBefore(parsed)) return {}
    if (parsed && matches(parsed, this.#filter)) this.#rows.push(rowOf(parsed, `${file}-${line.at}`))
    if (this.#rows.length < this.#limit && this.#read < mostReadBytes) return undefined
    return { older: `${file}-${line.at}`, ...(this.#after && { missed: true }) }
  }

  #isBefore({ timeMs }: ParsedLine): boolean {
    return this.#filter.fromMs !== undefined && timeMs < this.#filter.fromMs - disorderMs
  }

  #page(end: Pick<LogPage, 'older' | 'missed'>): LogPage {
    return { rows: this.#rows, ...end, ...(this.#newest !== undefined && !this.#before && { newest: this.#newest }) }
  }
}

function matches(line: ParsedLine, { level, job, runId, text, fromMs, toMs }: LogFilter): boolean {
  if (level !== undefined && weightOf(line.level) < weightOf(level)) return false
  if (job !== undefined && line.job !== (job ?? undefined)) return false
  if (runId !== undefined && line.run !== runId) return false
  if ((fromMs !== undefined && line.timeMs < fromMs) || (toMs !== undefined && line.timeMs > toMs)) return false
  return text === undefined || `${line.job ?? ''} › ${line.context.join(' › ')}: ${line.message}`.toLowerCase().includes(text)
}

function rowOf({ timeMs, level, job, context, message }: ParsedLine, at: LogPosition): LogRow {
  return { at, timeMs, level, ...(job !== undefined && { job: shown(job) }), context: shown(context.join(' › ')), message: shown(message) }
}

function shown(text: string): string {
  const visible = visibleText(text.slice(0, mostShown))
  return text.length > mostShown || visible.length > mostShown ? `${visible.slice(0, mostShown)}…` : visible
}

/** @param position as its schema has it */
function placeOf(position: LogPosition): Place {
  const [file = '', at] = position.split('-')
  return { file, at: Number(at) }
}

async function lineAt(files: readonly OpenLog[], { file, at }: Place): Promise<ParsedLine | undefined> {
  const found = files.find(({ id }) => id === file)
  if (!found || at >= found.size) return undefined
  const parts: Buffer[] = []
  for (let read = 0; read < mostLineBytes;) {
    const { bytesRead, buffer } = await found.handle.read(Buffer.alloc(8192), 0, 8192, at + read)
    const end = buffer.subarray(0, bytesRead).indexOf(10)
    parts.push(buffer.subarray(0, end < 0 ? bytesRead : end))
    if (end >= 0 || bytesRead === 0) break
    read += bytesRead
  }
  return parseLine(Buffer.concat(parts).toString('utf8'))
}
