import type { CheckDetails } from '../commands/check.ts'
import type { RunSummary } from '../protocol/progress.ts'
import { oldestWords } from './care-text.ts'
import { detailLines } from './detail-lines.ts'
import { drillLine } from './drill-text.ts'

/** What a check found, and in one line each: which packs were not read back for how long, and the last restore drill. */
export function checkLines(summary: RunSummary): string[] {
  const { verification, drill, ...rest } = summary.details as CheckDetails
  return [...detailLines({ ...summary, details: rest }), `  ${oldestWords(verification)}`, ...(drill ? [`  ${drillLine(drill)}`] : [])]
}
