import type { ForgetDetails } from '../commands/forget.ts'
import type { RunSummary } from '../protocol/progress.ts'
import { detailLines } from './detail-lines.ts'
import { formatBytes, formatPlural, formatTable, formatTime } from './format.ts'
import { heldLine } from './held-text.ts'

const reasonWords = {
  last: 'last', hourly: 'hourly', daily: 'daily', weekly: 'weekly', monthly: 'monthly', yearly: 'yearly', within: 'within', newest: 'newest',
  future: 'from the future', pinned: 'pinned', held: 'held', all: 'no rule',
} as const

const rows = 200

/** What a forget did, or would do: each job on each host with what stays and why, and what goes. */
export function forgetLines(summary: RunSummary): string[] {
  const details = summary.details as ForgetDetails
  if (!details.groups) return detailLines(summary)
  return [
    ...details.groups.flatMap(groupLines),
    ...(details.damaged > 0 ? [`  ${formatPlural(details.damaged, 'snapshot')} cannot be read and stay`] : []),
    ...(details.ofOtherHosts > 0 ? [`  ${formatPlural(details.ofOtherHosts, 'snapshot')} of other machines stay`] : []),
    ...(details.held ?? []).map((held) => heldLine(held)),
    ...(details.estimate ? estimateLines(details.estimate) : []),
  ]
}

function groupLines({ job, host, kept, forgotten }: NonNullable<ForgetDetails['groups']>[number]): string[] {
  const lines = [
    ...kept.map(({ id, finishedMs, reasons }) => ({ finishedMs, cells: ['keep', id, formatTime(finishedMs), reasons.map((reason) => reasonWords[reason]).join(', ')] })),
    ...forgotten.map(({ id, finishedMs, because }) => ({ finishedMs, cells: ['forget', id, formatTime(finishedMs), because === 'budget' ? 'over the budget' : ''] })),
  ].sort((a, b) => b.finishedMs - a.finishedMs).map(({ cells }) => cells)
  const [header = '', ...table] = formatTable(['', 'SNAPSHOT', 'FINISHED', 'WHY'], lines.slice(0, rows))
  return [
    `  ${job} on ${host}: ${kept.length} kept, ${forgotten.length} forgotten`,
    ...[header, ...table].map((line) => `    ${line}`),
    ...(lines.length > rows ? [`    and ${String(lines.length - rows)} more; --json shows all`] : []),
  ]
}

function estimateLines({ keptBytes, freedBytes, budgetBytes }: NonNullable<ForgetDetails['estimate']>): string[] {
  const lines = [`  about ${formatBytes(freedBytes)} freed by the next prune, ${formatBytes(keptBytes)} stay`]
  if (budgetBytes === undefined) return lines
  if (keptBytes <= budgetBytes) return [...lines, `  that is within the budget of ${formatBytes(budgetBytes)}`]
  return [...lines, `  that is more than the budget of ${formatBytes(budgetBytes)}: the newest snapshots, --keep-last, pinned and held ones stay all the same`]
}
