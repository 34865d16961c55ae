import * as v from 'valibot'
import { unusualSchema } from './changes.ts'
import { errorCodes, type WireError } from './errors.ts'
import type { Note, Problem } from './progress.ts'
import { spaceOutlookSchema } from './space.ts'

/** Parts of messages that are also kept: by a history, in a file. */
export const count = v.pipe(v.number(), v.safeInteger(), v.minValue(0))
export const amount = v.pipe(v.number(), v.finite(), v.minValue(0))
export const text = v.string()
export const flag = v.boolean()

export const operation = v.picklist(['backup', 'restore', 'check', 'forget', 'prune', 'care', 'drill', 'rebuild', 'browse', 'serve', 'watch', 'test', 'init', 'sync'])
export const counters = v.object({ found: amount, unchanged: amount, deduplicated: amount, uploaded: amount, waiting: amount })

const note: v.GenericSchema<unknown, Note> = v.object({
  code: v.picklist(['socket', 'device', 'own-folder', 'time', 'attributes', 'database']),
  count,
  path: text,
  message: text,
})

/** Entries of an object's schema: see RunFigures. */
export const runFigures = {
  operation,
  startedMs: amount,
  finishedMs: amount,
  files: counters,
  bytes: counters,
  uploadedBytes: amount,
  downloadedBytes: amount,
  adoptedPacks: count,
  verifiedBytes: v.exactOptional(amount),
  problems: count,
  notes: v.exactOptional(v.array(note)),
  snapshot: v.exactOptional(text),
  unusual: v.exactOptional(unusualSchema),
  space: v.exactOptional(spaceOutlookSchema),
}

export const problem: v.GenericSchema<unknown, Problem> = v.object({
  code: v.picklist(['source-missing', 'source-changed', 'unreadable', 'vanished', 'changed', 'damaged', 'not-restored', 'metadata', 'rolled-back', 'not-synced', 'unusual-change']),
  path: text,
  message: text,
  from: v.exactOptional(v.object({ snapshot: text, pathBytes: text })),
})

export const error: v.GenericSchema<unknown, WireError> = v.object({
  code: v.picklist(errorCodes),
  message: text,
  retryable: flag,
  data: v.exactOptional(v.record(text, v.union([text, v.number(), flag]))),
  cause: v.exactOptional(v.lazy(() => error)),
})
