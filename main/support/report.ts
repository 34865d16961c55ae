import { randomUUID } from 'node:crypto'
import { mkdir, open, realpath, rename, rm, stat, writeFile, type FileHandle } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import type { SupportPage, SupportView } from '../api/log-views.ts'
import { MainError } from '../api/errors.ts'
import { linesBackwards } from '../logs/backwards.ts'
import { openLogs } from '../logs/files.ts'
import type { ReadableLogs } from '../logs/reader.ts'
import { ownFile } from '../system/private-folder.ts'
import { jobsJson, lineJson, readmeText, settingsJson, type ReportSource } from './contents.ts'
import { Redactor, type Known } from './redact.ts'
import { writeZip } from './zip.ts'

export interface SupportPorts {
  /** Where reports are put together: a folder that is this user's alone, and is emptied. */
  readonly folder: string
  readonly logs: ReadableLogs
  readonly source: () => ReportSource
  readonly known: () => Known
  readonly now: () => number
  /** How much of the log is told, in bytes of its files. */
  readonly mostLogBytes?: number
}

const defaultLogBytes = 8 << 20
const pageBytes = 64 << 10
const names = ['read-me.txt', 'system.json', 'jobs.json', 'log.jsonl'] as const

/**
 * A report for support: first put together, so that what is shown before it is saved is exactly what will be in it. There is one at a time; nothing of it is kept
 * once it is discarded.
 */
export class SupportReports {
  readonly #ports: SupportPorts
  #turn: Promise<unknown> = Promise.resolve()
  #made = false

  constructor(ports: SupportPorts) {
    this.#ports = ports
  }

  /** Puts one together in place of the one before. @param keepsNames names of folders, files and jobs are in it */
  make(keepsNames: boolean): Promise<SupportView> {
    return this.#next(async () => {
      const { folder, source, known } = this.#ports
      await this.#empty()
      await mkdir(folder, { recursive: true, mode: 0o700 })
      const redactor = new Redactor(known(), keepsNames)
      const told = source()
      await this.#put('jobs.json', jobsJson(told, redactor))
      await this.#put('system.json', settingsJson(told))
      await this.#put('read-me.txt', readmeText(keepsNames))
      await this.#putLog(redactor)
      this.#made = true
      return { files: await Promise.all(names.map(async (name) => ({ name, bytes: (await stat(join(folder, name))).size }))) }
    })
  }

  /** Part of a file of it, from this byte on. Errors: `not-found` where there is none. */
  read(name: string, from: number): Promise<SupportPage> {
    return this.#next(async () => {
      const known = this.#expect().find((one) => one === name)
      if (known === undefined) throw new MainError('not-found', 'There is no such file in the report.')
      const file = await open(join(this.#ports.folder, known), 'r')
      const { buffer, bytesRead } = await file.read(Buffer.alloc(pageBytes), 0, pageBytes, from).finally(() => file.close())
      const end = bytesRead < pageBytes ? bytesRead : wholeCharacters(buffer)
      return { text: buffer.subarray(0, end).toString('utf8'), ...(bytesRead === pageBytes && { next: from + end }) }
    })
  }

  /** Writes it to this path, for this user alone. Errors: `not-found`, `denied`, `full`. */
  save(path: string): Promise<void> {
    return this.#next(async () => {
      const entries = this.#expect().map((name) => ({ name: `holdfast-report/${name}`, path: join(this.#ports.folder, name) }))
      try {
        const target = join(await realpath(dirname(path)), basename(path))
        await replaceFile(target, (file) => writeZip(file, entries, this.#ports.now()))
      } catch (error) {
        throw refusal(error)
      }
    })
  }

  discard(): Promise<void> {
    return this.#next(() => this.#empty())
  }

  #expect(): readonly string[] {
    if (!this.#made) throw new MainError('not-found', 'There is no report.')
    return names
  }

  async #empty(): Promise<void> {
    this.#made = false
    await rm(this.#ports.folder, { recursive: true, force: true })
  }

  async #put(name: string, text: string): Promise<void> {
    await writeFile(join(this.#ports.folder, name), text, { ...ownFile(), flag: 'wx' })
  }

  /** Lines are found from the newest back, and told from the oldest on. */
  async #putLog(redactor: Redactor): Promise<void> {
    const { folder, logs, mostLogBytes = defaultLogBytes } = this.#ports
    await logs.flushed()
    await using opened = await openLogs(logs.folder)
    let left = mostLogBytes
    const parts = opened.files.map((file) => {
      const bytes = Math.min(left, file.size)
      left -= bytes
      return { file, from: file.size - bytes }
    })
    const target = await open(join(folder, 'log.jsonl'), 'wx', ownFile().mode)
    try {
      for (const { file, from } of parts.toReversed()) for await (const line of linesForward(file.handle, from, file.size)) {
        const told = lineJson(line, redactor)
        if (told !== undefined) await target.write(told)
      }
    } finally {
      await target.close()
    }
  }

  #next<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#turn.then(work)
    this.#turn = done.catch(() => undefined)
    return done
  }
}

/** The whole lines of a part of a file, oldest first, a bounded piece of the file at a time. */
async function* linesForward(file: FileHandle, from: number, size: number): AsyncGenerator<string> {
  const piece = 1 << 20
  for (let start = from; start < size;) {
    const end = Math.min(size, start + piece)
    const lines: string[] = []
    let last = start
    for await (const line of linesBackwards(file, end)) {
      last = Math.max(last, line.end)
      if (line.at < start) break
      lines.push(line.text)
    }
    yield* lines.reverse()
    // No line break in all of it: there is none of ours.
    start = last > start ? last : end
  }
}

/** The bytes before a character that is cut off at the end. */
function wholeCharacters(buffer: Buffer): number {
  let end = buffer.length
  while (end > 0 && ((buffer[end - 1] ?? 0) & 0xc0) === 0x80) end -= 1
  return (buffer[end - 1] ?? 0) >= 0xc0 ? end - 1 : buffer.length
}

/** Beside it first, under a name of its own, and then in its place: never half of it is there, and never as anybody else's file. */
async function replaceFile(target: string, write: (file: FileHandle) => Promise<void>): Promise<void> {
  const beside = join(dirname(target), `.${basename(target)}-${randomUUID()}`)
  try {
    const file = await open(beside, 'wx', ownFile().mode)
    try {
      await write(file)
      await file.sync()
    } finally {
      await file.close()
    }
    await rename(beside, target)
  } catch (error) {
    await rm(beside, { force: true })
    throw error
  }
}

function refusal(error: unknown): unknown {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  if (code === 'ENOSPC' || code === 'EDQUOT') return new MainError('full', 'The report could not be saved.', { place: 'local' })
  return typeof code === 'string' ? new MainError('denied', `The report could not be saved (${code}).`, { reason: 'save' }) : error
}
