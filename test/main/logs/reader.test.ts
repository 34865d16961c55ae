import { appendFileSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import type { LogFilter, LogPage, LogRow } from '../../../main/api/contract.ts'
import { linesBackwards } from '../../../main/logs/backwards.ts'
import { LogReader } from '../../../main/logs/reader.ts'
import { noLogs, LogFiles } from '../../../main/system/logs.ts'

const newFolder = (): string => mkdtempSync(join(tmpdir(), 'holdfast-log ä-'))

function reading(folder = newFolder()) {
  const reader = new LogReader({ folder, flushed: async () => undefined })
  const path = (index?: number): string => join(folder, index === undefined ? 'holdfast.jsonl' : `holdfast.${index}.jsonl`)
  return {
    folder, reader, path,
    /** As the rotating stream does it. */
    rotate(): void {
      for (let index = 8; index > 1; index--) try { renameSync(path(index - 1), path(index)) } catch { /* There is none yet. */ }
      renameSync(path(), path(1))
      writeFileSync(path(), '')
    },
    add(message: string, more: { level?: string; ms?: number; context?: object } = {}): void {
      appendFileSync(path(), `${JSON.stringify({ time: new Date(more.ms ?? 0).toISOString(), level: more.level ?? 'info', message, context: more.context ?? {} })}\n`)
    },
    page: (filter: LogFilter = {}, more: object = {}) => reader.page({ filter, limit: 1000, ...more }),
  }
}

const messages = ({ rows }: { readonly rows: readonly LogRow[] }): readonly string[] => rows.map(({ message }) => message)

/** All pages, one behind the other. */
async function everything(world: ReturnType<typeof reading>, filter: LogFilter, limit: number): Promise<{ readonly rows: readonly LogRow[]; readonly pages: readonly LogPage[] }> {
  const pages = [await world.page(filter, { limit })]
  for (let before = pages[0]?.older; before !== undefined; before = pages.at(-1)?.older) pages.push(await world.page(filter, { limit, before }))
  return { rows: pages.flatMap(({ rows }) => rows), pages }
}

it('reads lines backwards whatever their lengths, and passes over what is not yet whole', async () => {
  const line = fc.oneof(fc.string({ maxLength: 30 }), fc.integer({ min: 60_000, max: 140_000 }).map((length) => 'ü'.repeat(length / 2)))
  await fc.assert(fc.asyncProperty(fc.array(line.map((text) => text.replaceAll('\n', '')), { maxLength: 6 }), fc.string({ maxLength: 5 }), async (lines, rest) => {
    const bytes = Buffer.from(lines.map((one) => `${one}\n`).join('') + rest.replaceAll('\n', ''))
    const read = async (buffer: Buffer, offset: number, length: number, position: number) => ({ bytesRead: bytes.copy(buffer, offset, position, position + length), buffer })
    const found: { at: number; end: number; text: string }[] = []
    for await (const one of linesBackwards({ read } as never, bytes.length)) found.push(one)
    expect(found.map(({ text }) => text)).toEqual(lines.map((one) => Buffer.from(one).toString()).reverse())
    for (const { at, end, text } of found) expect(bytes.subarray(at, end).toString()).toBe(`${text}\n`)
  }), { numRuns: 60 })
})

it('shows the newest first, over rotated files, in pages that neither repeat nor leave out a line', async () => {
  const world = reading()
  for (let index = 0; index < 40; index++) {
    if (index % 12 === 11) world.rotate()
    world.add(`line ${index}`, { ms: index })
  }
  const all = Array.from({ length: 40 }, (_, index) => `line ${39 - index}`)
  for (const limit of [1, 7, 1000]) expect(messages(await everything(world, {}, limit))).toEqual(all)
})

it('goes on with the same line where files are rotated between two pages, and ends where its file is gone', async () => {
  const world = reading()
  for (let index = 0; index < 5; index++) world.add(`line ${index}`)
  const { older } = await world.page({}, { limit: 2 })
  world.rotate()
  world.add('line 5')
  expect(messages(await world.page({}, { before: older }))).toEqual(['line 2', 'line 1', 'line 0'])
  rmSync(world.path(1))
  expect(await world.page({}, { before: older })).toEqual({ rows: [] })
})

it('finds by level, job, run, time and text, and what belongs to no job', async () => {
  const world = reading()
  world.add('started', { ms: 1 })
  world.add('slow answer', { level: 'warning', ms: 2, context: { job: 'docs', run: 'r-1', operation: 'backup', pack: 'ab', attempt: 2 } })
  world.add('gone', { level: 'error', ms: 3, context: { job: 'photos', run: 'r-2' } })
  world.add('detail', { level: 'debug', ms: 4, context: { job: 'docs', run: 'r-3', file: 'Übersicht.odt' } })
  const found = async (filter: LogFilter) => messages(await world.page(filter))
  expect(await found({ level: 'warning' })).toEqual(['gone', 'slow answer'])
  expect(await found({ job: 'docs' })).toEqual(['detail', 'slow answer'])
  expect(await found({ job: null })).toEqual(['started'])
  expect(await found({ runId: 'r-2' })).toEqual(['gone'])
  expect(await found({ fromMs: 2, toMs: 3 })).toEqual(['gone', 'slow answer'])
  expect(await found({ text: 'SLOW' })).toEqual(['slow answer'])
  expect(await found({ text: 'übersicht' })).toEqual(['detail'])
  expect(await found({ text: 'docs › backup › ab › 2: slow' })).toEqual(['slow answer'])
  expect(await found({ text: 'nothing of this' })).toEqual([])
  expect((await world.page({ runId: 'r-1' })).rows[0]).toMatchObject({ job: 'docs', context: 'backup › ab › 2', level: 'warning', timeMs: 2 })
})

it('makes visible what cannot be seen, cuts what is endless, and passes over what is no line of the log', async () => {
  const world = reading()
  world.add('\x1b[2J\u202eevil\nnext', { context: { job: 'a\x07b', file: 'c\u200bd' } })
  world.add('x'.repeat(100_000))
  appendFileSync(world.path(), `not JSON\n{"time":"never","level":"info","message":"m","context":{}}\n\n{"time":"1970","level":"loud","message":"m","context":{}}\n`)
  world.add('y'.repeat(2 << 20))
  world.add('half')
  writeFileSync(world.path(), readFileSync(world.path(), 'utf8').replace(/\n$/, ''))
  const { rows } = await world.page()
  expect(rows.map(({ message }) => message.length)).toEqual([4001, 25])
  expect(rows[1]).toMatchObject({ message: '\\x1b[2J\\u202eevil\\x0anext', job: 'a\\x07b', context: 'c\\u200bd' })
})

it('looks through a bounded piece at a time, and says where to go on', async () => {
  const world = reading()
  world.add('wanted')
  for (let index = 0; index < 120; index++) world.add('z'.repeat(100_000))
  const { rows, pages } = await everything(world, { text: 'wanted' }, 10)
  expect(messages({ rows })).toEqual(['wanted'])
  expect(pages.length).toBe(3)
  expect(pages.map((page) => page.rows.length)).toEqual([0, 0, 1])
})

it('stops at the beginning of the time that is asked for', async () => {
  const world = reading()
  const hour = 3_600_000
  for (let index = 0; index < 100; index++) world.add('z'.repeat(100_000), { ms: index * hour })
  expect(await world.page({ fromMs: 98 * hour })).toMatchObject({ rows: [{ timeMs: 99 * hour }, { timeMs: 98 * hour }] })
  expect((await world.page({ fromMs: 98 * hour })).older).toBeUndefined()
})

it('tells what is new, across a rotation, and says where it is more than was asked for', async () => {
  const world = reading()
  expect(await world.page()).toEqual({ rows: [] })
  world.add('first')
  const { newest } = await world.page()
  expect(await world.page({}, { after: newest })).toEqual({ rows: [], newest })
  world.add('second')
  world.rotate()
  world.add('third')
  const next = await world.page({}, { after: newest })
  expect(messages(next)).toEqual(['third', 'second'])
  expect(next.missed).toBeUndefined()
  expect(messages(await world.page({}, { after: next.newest }))).toEqual([])
  for (let index = 0; index < 5; index++) world.add(`more ${index}`)
  expect(await world.page({}, { after: next.newest, limit: 2 })).toMatchObject({ missed: true, rows: [{ message: 'more 4' }, { message: 'more 3' }] })
  rmSync(world.path(1))
  expect(await world.page({}, { after: newest })).toMatchObject({ missed: true })
})

it('gives lines by their positions, in the order that was asked for, and leaves out what is gone', async () => {
  const world = reading()
  world.add('one', { context: { job: 'docs' } })
  world.add(`two ${'w'.repeat(20_000)}`)
  const [two, one] = (await world.page()).rows
  expect(await world.reader.lines([one?.at ?? '', '0000000000000000-0', two?.at ?? ''])).toEqual(['1970-01-01T00:00:00.000Z info    docs: one', `1970-01-01T00:00:00.000Z info    : two ${'w'.repeat(20_000)}`])
})

it('reads what the app writes, at once, while it is written and rotated', async () => {
  const logs = new LogFiles(join(newFolder(), 'logs'))
  const reader = new LogReader(logs)
  for (let index = 0; index < 130; index++) logs.write({ time: index, level: 'info', message: `${index} ${'x'.repeat(100_000)}`, context: { job: 'docs' } })
  const all = await everything({ page: (filter: LogFilter, more: object) => reader.page({ filter, limit: 10, ...more }) } as never, {}, 10)
  expect(messages(all).map((message) => Number.parseInt(message))).toEqual(Array.from({ length: 130 }, (_, index) => 129 - index))
  await logs.close()
  expect(await new LogReader(noLogs).page({ filter: {}, limit: 1 })).toEqual({ rows: [] })
})
