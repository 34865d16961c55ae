import * as v from 'valibot'
import { planClasses, type PlanPage } from './restore-rules.ts'
import { amount, count, text } from './schemas.ts'

const bytes = v.instance(Uint8Array)
const total = v.object({ entries: count, bytes: amount })

const plannedEntry = v.object({
  path: bytes, shown: text, folder: text, of: v.picklist(planClasses), type: v.picklist(['file', 'directory', 'symlink', 'fifo']),
  size: v.exactOptional(amount), mtimeMs: v.number(), there: v.exactOptional(v.object({ size: amount, mtimeMs: v.number() })),
})

/** A stretch of a plan, as an engine says it. */
export const planPage = {
  entries: v.array(plannedEntry),
  totals: v.object({ new: total, same: total, older: total, newer: total, other: total, folder: total, blocked: total, below: total, unreadable: total }),
  next: v.exactOptional(bytes),
} satisfies Readonly<Record<keyof PlanPage, v.GenericSchema | v.GenericSchema<unknown, unknown>>>
