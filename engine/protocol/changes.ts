import * as v from 'valibot'

/** Files, and the sum of their sizes in bytes. */
export interface Amount {
  readonly files: number
  readonly bytes: number
}

/** All of them together. */
export function sumOf(...amounts: readonly Amount[]): Amount {
  return amounts.reduce((sum, { files, bytes }) => ({ files: sum.files + files, bytes: sum.bytes + bytes }), { files: 0, bytes: 0 })
}

/** What a backup found different from the snapshot that it compared with. Excluded files, and sources that came or went, do not count. */
export interface Changes {
  /** What was compared: the files of the snapshot before. */
  readonly before: Amount
  /** Files that were not there before. */
  readonly added: Amount
  /** Files with a content that the repository had already, where it was not before: moved, renamed, copied. */
  readonly moved: Amount
  /** Files that were there before, with a content that the repository did not have. */
  readonly rewritten: Amount
  /** Files that are gone, or empty and were not; of moved ones the old place counts too. Sizes as they were. */
  readonly removed: Amount
  /** Of `removed`: what could be compressed. */
  readonly removedPlain: Amount
  /** Of `rewritten`: what could be compressed before, and begins like random bytes now. */
  readonly scrambled: Amount
  /** Of `rewritten`, `scrambled` among them: what begins like random bytes, as encrypted files do, and not as any known kind of file does. */
  readonly randomRewritten: Amount
  /** Of `added`, but for what was moved: what begins so. */
  readonly randomAdded: Amount
}

/** Why a run is called unusual. */
export interface UnusualReason {
  /**
   * `scrambled`: files that could be compressed look random now, in place or beside files that are gone. `random`: the same where it is not known that they
   * could be compressed. `removed`: files are gone and nowhere else. `rewritten`: nearly everything is different. `source-changed`: sources are suddenly
   * empty, or on another disk; `files` counts the sources.
   */
  readonly code: 'scrambled' | 'random' | 'removed' | 'rewritten' | 'source-changed'
  readonly files: number
  readonly bytes: number
  /** How many files there were before; for `source-changed`, how many sources there are. */
  readonly of: number
}

/** A job on a host of which a backup was unusual: nothing as old is let go, and nothing pruned, until somebody says that it is fine (`acknowledge`). */
export interface HeldJob {
  readonly job: string
  readonly host: string
  /** `JOB@REV` of its first unusual snapshot that nobody has said to be fine. */
  readonly since: string
  /** When that was finished, ms since 1970 by that machine's clock. Absent: nobody has looked into the repository since. */
  readonly sinceMs?: number
  readonly reasons: readonly UnusualReason[]
  /** The same for people: whole sentences. */
  readonly words: string
}

/** What reading files shows of it, as a run that is continued tells the next one. */
export interface ReadChanges extends Pick<Changes, 'moved' | 'rewritten' | 'scrambled' | 'randomRewritten' | 'randomAdded'> {
  /** Of `removed`: files of their former length, with one byte over and over. */
  readonly blanked: Amount
}

const count = v.pipe(v.number(), v.safeInteger(), v.minValue(0))
const amount = v.strictObject({ files: count, bytes: count })

export const changesSchema: v.GenericSchema<unknown, Changes> = v.strictObject({
  before: amount, added: amount, moved: amount, rewritten: amount, removed: amount, removedPlain: amount, scrambled: amount, randomRewritten: amount, randomAdded: amount,
})

export const readChangesSchema: v.GenericSchema<unknown, ReadChanges> = v.strictObject({
  moved: amount, rewritten: amount, scrambled: amount, randomRewritten: amount, randomAdded: amount, blanked: amount,
})

export const unusualSchema: v.GenericSchema<unknown, readonly UnusualReason[]> = v.pipe(v.array(v.strictObject({
  code: v.picklist(['scrambled', 'random', 'removed', 'rewritten', 'source-changed']), files: count, bytes: count, of: count,
})), v.minLength(1), v.maxLength(16))

export const heldJobsSchema: v.GenericSchema<unknown, readonly HeldJob[]> = v.array(v.object({ job: v.string(), host: v.string(), since: v.string(), sinceMs: v.exactOptional(v.number()), reasons: unusualSchema, words: v.string() }))
