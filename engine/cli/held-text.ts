import type { HeldPrune } from '../commands/prune.ts'
import type { HeldJob } from '../protocol/changes.ts'
import type { RunSummary } from '../protocol/progress.ts'
import { shellWord } from '../protocol/shell-word.ts'
import { detailLines } from './detail-lines.ts'

/** Of forget, prune and care. */
export const despiteUnusualHelp = 'also while an unusual backup is not acknowledged (see acknowledge)'

/** Of which job nothing is let go, why, and how that ends. */
export function heldLine({ job, host, since, words }: HeldJob, at?: { readonly side: string; readonly repository: string }): string {
  const [held, repository] = at ? [`held at the ${at.side}`, ` --repo ${shellWord(at.repository)}`] : ['held', '']
  return `  ${held} since ${since} of ${host}: ${words} If that is as it should be: holdfast acknowledge ${shellWord(job)} --host ${shellWord(host)}${repository}`
}

/** What a prune did, or would do, and what keeps it from that. */
export function pruneLines(summary: RunSummary): string[] {
  const { held = [], ...others } = summary.details as Partial<HeldPrune>
  return [...held.map((each) => heldLine(each)), ...detailLines({ ...summary, details: others })]
}
