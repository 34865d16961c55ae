import * as v from 'valibot'
import { imageFormats, mostComparedLines, mostImageBytes, mostTextBytes } from './preview.ts'
import { planClasses, type PlanPage } from './restore-rules.ts'
import { amount, count, flag, text } from './schemas.ts'

const bytes = v.instance(Uint8Array)
const total = v.object({ entries: count, bytes: amount })

const plannedEntry = v.object({
  path: bytes, shown: text, folder: text, of: v.picklist(planClasses), type: v.picklist(['file', 'directory', 'symlink', 'fifo']),
  size: v.exactOptional(amount), mtimeMs: v.number(), there: v.exactOptional(v.object({ size: amount, mtimeMs: v.number() })),
})

const textLine = v.object({ kind: v.picklist(['same', 'added', 'removed']), text })
const hunk = v.object({ olderLine: count, newerLine: count, lines: v.pipe(v.array(textLine), v.maxLength(mostComparedLines)) })

/** What a file holds, as an engine says it. */
export const filePreview = v.variant('kind', [
  v.object({ kind: v.literal('text'), text: v.pipe(v.string(), v.maxLength(mostTextBytes)), size: amount, complete: flag }),
  v.object({ kind: v.literal('image'), format: v.picklist(imageFormats), bytes: v.pipe(bytes, v.maxLength(mostImageBytes)), width: count, height: count, size: amount }),
  v.object({ kind: v.literal('none'), reason: v.picklist(['binary', 'large', 'empty', 'no-file']), size: amount }),
])

export const textComparison = v.variant('kind', [
  v.object({ kind: v.literal('lines'), hunks: v.pipe(v.array(hunk), v.maxLength(mostComparedLines)), added: count, removed: count, complete: flag }),
  v.object({ kind: v.literal('same') }),
  v.object({ kind: v.literal('none'), reason: v.picklist(['binary', 'large', 'no-file', 'many']) }),
])

/** A stretch of a plan, as an engine says it. */
export const planPage = {
  entries: v.array(plannedEntry),
  totals: v.object({ new: total, same: total, older: total, newer: total, other: total, folder: total, blocked: total, below: total, unreadable: total }),
  next: v.exactOptional(bytes),
} satisfies Readonly<Record<keyof PlanPage, v.GenericSchema | v.GenericSchema<unknown, unknown>>>
