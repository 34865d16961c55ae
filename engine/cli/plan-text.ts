import { toBytes, toShown } from '../base/byte-string.ts'
import type { PlanStep } from '../commands/restore/plan.ts'
import { fateOf, planClasses, planFates, type OverwriteRule, type PlanClass, type PlanFate, type PlanTotals } from '../protocol/restore-rules.ts'
import { formatBytes, formatTime } from './format.ts'
import { exactBytes } from './json-output.ts'

const words: Readonly<Record<PlanFate, string>> = {
  written: 'write', left: 'leave', compared: 'compare', replaced: 'replace', kept: 'keep', beside: 'write beside', refused: 'cannot write',
}
const widest = Math.max(...Object.values(words).map(({ length }) => length))

const reasons: Readonly<Partial<Record<PlanClass, string>>> = {
  other: 'something of another kind is there', folder: 'a folder is there', blocked: 'no folder, though one belongs there', below: 'no folder is above it', unreadable: 'the folder cannot be read',
}

/** `pathBytes` (base64) is there where the path is not valid UTF-8. */
export function plannedJson({ path, node, of, there }: PlanStep, rule: OverwriteRule): Readonly<Record<string, unknown>> {
  const shown = toShown(path)
  return {
    type: 'planned', fate: fateOf(rule, of), class: of, path: shown, ...exactBytes('pathBytes', toBytes(path), shown), kind: node.type, mtimeMs: Number(node.mtimeNs / 1_000_000n),
    ...(node.type === 'file' ? { size: node.size } : {}), ...(there ? { there: { size: Number(there.size), mtimeMs: Number(there.mtimeNs / 1_000_000n) } } : {}),
  }
}

/** One line: `replace       photos/list.txt  (12.0 kB of 2026-03-01 12:00; 11.0 kB of 2026-06-01 09:30 is there)`. */
export function plannedLine({ path, node, of, there }: PlanStep, rule: OverwriteRule): string {
  const name = `${words[fateOf(rule, of)].padEnd(widest)}  ${toShown(path)}${node.type === 'directory' ? '/' : ''}`
  const reason = reasons[of]
  if (reason !== undefined) return `${name}  (${reason})`
  if (!there || of === 'same') return name
  const time = (ns: bigint): string => formatTime(Number(ns / 1_000_000n))
  const backedUp = node.type === 'file' ? `${formatBytes(node.size)} of ${time(node.mtimeNs)}` : time(node.mtimeNs)
  return `${name}  (${backedUp}; ${formatBytes(Number(there.size))} of ${time(there.mtimeNs)} is there)`
}

/** How many entries each thing is done with. */
export function planSums(totals: PlanTotals, rule: OverwriteRule): Readonly<Record<PlanFate, { readonly entries: number; readonly bytes: number }>> {
  const sums = Object.fromEntries(planFates.map((fate) => [fate, { entries: 0, bytes: 0 }])) as Record<PlanFate, { entries: number; bytes: number }>
  for (const of of planClasses) {
    const sum = sums[fateOf(rule, of)]
    sum.entries += totals[of].entries
    sum.bytes += totals[of].bytes
  }
  return sums
}

/** What it comes to, in words. */
export function planSummary(totals: PlanTotals, rule: OverwriteRule): string {
  const sums = planSums(totals, rule)
  const parts = planFates.filter((fate) => sums[fate].entries > 0).map((fate) => `${words[fate]} ${String(sums[fate].entries)} (${formatBytes(sums[fate].bytes)})`)
  return parts.length === 0 ? 'There is nothing to restore.' : `This would ${parts.join(', ')}. Nothing was written.`
}
