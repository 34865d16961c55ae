import type { LogFilter, LogPage, LogRow, Request } from '../../main/api/contract.ts'

const levels = ['info', 'info', 'debug', 'warning', 'info', 'error'] as const
const messages = [
  'Holdfast 0.1.0 has started', 'the snapshot is complete', 'asking for one more transfer', 'the storage answered with 503, trying again in 2 s', 'uploaded',
  'the storage cannot be reached: connect ECONNREFUSED 127.0.0.1:9000, which is what is said of a storage that is switched off, of one whose address has changed, and of one behind a wall that lets nobody through at all; it is tried again later',
]

/** Newest first; every sixth belongs to no job. */
export function logRows(count: number, now: number): readonly LogRow[] {
  return Array.from({ length: count }, (_, index) => ({
    at: `00000000000000aa-${count - index}`, timeMs: now - index * 97_000, level: levels[index % 6] ?? 'info',
    ...(index % 6 > 0 && { job: index % 2 === 0 ? 'Documents' : 'Photos' }), context: index % 6 > 0 ? `backup › pack ${index}` : '', message: messages[index % 6] ?? '',
  }))
}

/** As main answers; the text `slowly` is looked for in many pieces. */
export function logPage(all: readonly LogRow[], { filter, limit, before, after }: Request<'logs.page'>): LogPage {
  const place = (at: string): number => Number(at.split('-')[1])
  const from = before === undefined ? all : all.filter(({ at }) => place(at) < place(before))
  const piece = filter.text === 'slowly' ? from.slice(0, 100) : from
  const wanted = piece.filter((row) => (after === undefined || place(row.at) > place(after)) && matches(row, filter))
  const rows = wanted.slice(0, limit)
  const last = wanted.length > limit ? rows.at(-1) : piece.length < from.length ? piece.at(-1) : undefined
  const [newest] = all
  return {
    rows, ...(last && { older: last.at }), ...(newest && before === undefined && { newest: newest.at }), ...(last && after !== undefined && { missed: true as const }),
  }
}

function matches(row: LogRow, { level, job, text, runId }: LogFilter): boolean {
  if (level === 'warning' && row.level !== 'warning' && row.level !== 'error') return false
  if (job !== undefined && row.job !== (job ?? undefined)) return false
  if (runId !== undefined && row.context !== `backup › pack ${runId.length}`) return false
  return text === undefined || text === 'slowly' ? text === undefined || row.message.includes('has started') : row.message.includes(text)
}
