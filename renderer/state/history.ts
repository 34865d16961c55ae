import type { Bridge, RunView } from './bridge.ts'
import { Pages } from './pages.svelte.ts'

const pageSize = 20

/** The runs of one job, newest first, a page at a time. */
export function runHistory(bridge: Bridge, jobId: string): Pages<RunView> {
  return new Pages(async (last) => {
    const reply = await bridge.invoke('history.runs', { jobId, limit: pageSize, ...(last && { before: last.id }) })
    return reply.ok ? { ok: true, value: { items: reply.value.runs, more: reply.value.more } } : reply
  })
}

/** As many as main keeps of a job. */
const keptRuns = 200

/** All runs of one job that are kept, newest first, as one page. */
export function allRuns(bridge: Bridge, jobId: string): Pages<RunView> {
  return new Pages(async () => {
    const reply = await bridge.invoke('history.runs', { jobId, limit: keptRuns })
    return reply.ok ? { ok: true, value: { items: reply.value.runs, more: false } } : reply
  })
}
