/** What a restore does with files that exist. */
export const overwriteRules = ['never', 'changed', 'older', 'beside', 'always'] as const

/**
 * `never`: what is there stays. `changed`: replaced where size or time differ. `older`: as `changed`, but what is newer than the backed-up file stays.
 * `beside`: what is there stays, and what differs from it is restored under a name of its own. `always`: compared byte by byte, and replaced where it differs.
 */
export type OverwriteRule = (typeof overwriteRules)[number]

/** Whether what is backed up goes before what is there: a file makes room for a folder, and a folder that is there gets the time and the rights it had. */
export function backupDecides(rule: OverwriteRule): boolean {
  return rule === 'changed' || rule === 'always'
}

/**
 * How an entry of a backup and what stands in its place compare. `new`: nothing stands there. `same`: of equal kind, size and time. `older`, `newer`: one of
 * equal kind that differs, by whether it is newer than the backed-up one. `other`: something of another kind. `folder`: a folder stands where
 * none belongs. `blocked`: something else stands where a folder belongs. `below`: inside of such a folder. `unreadable`: a folder that cannot be read, in the
 * backup or there.
 */
export const planClasses = ['new', 'same', 'older', 'newer', 'other', 'folder', 'blocked', 'below', 'unreadable'] as const
export type PlanClass = (typeof planClasses)[number]

/** What a restore does with an entry. `left`: it is as it should be already. `refused`: it is not restored, and told as a problem. */
export const planFates = ['written', 'left', 'compared', 'replaced', 'kept', 'beside', 'refused'] as const
export type PlanFate = (typeof planFates)[number]

const fates: Readonly<Record<OverwriteRule, Readonly<Record<PlanClass, PlanFate>>>> = {
  never: { new: 'written', same: 'kept', older: 'kept', newer: 'kept', other: 'kept', folder: 'kept', blocked: 'refused', below: 'refused', unreadable: 'refused' },
  changed: { new: 'written', same: 'left', older: 'replaced', newer: 'replaced', other: 'replaced', folder: 'refused', blocked: 'replaced', below: 'written', unreadable: 'refused' },
  older: { new: 'written', same: 'left', older: 'replaced', newer: 'kept', other: 'kept', folder: 'kept', blocked: 'refused', below: 'refused', unreadable: 'refused' },
  beside: { new: 'written', same: 'left', older: 'beside', newer: 'beside', other: 'beside', folder: 'beside', blocked: 'refused', below: 'refused', unreadable: 'refused' },
  always: { new: 'written', same: 'compared', older: 'replaced', newer: 'replaced', other: 'replaced', folder: 'refused', blocked: 'replaced', below: 'written', unreadable: 'refused' },
}

/** What a restore with this rule does. Where content turns out to be equal in spite of another time, only the time is set. */
export function fateOf(rule: OverwriteRule, of: PlanClass): PlanFate {
  return fates[rule][of]
}

/** How many entries that are no folders, and folders that are in the way, are of each class, and how many bytes the backed-up files among them have. */
export type PlanTotals = Readonly<Record<PlanClass, { readonly entries: number; readonly bytes: number }>>

/** An entry of a backup in whose place something stands that is not the same. Times in ms since 1970. */
export interface PlannedEntry {
  /** In the snapshot, exact bytes; the same for people: its name, and the folder that it is in (empty: the root). */
  readonly path: Uint8Array
  readonly shown: string
  readonly folder: string
  readonly of: PlanClass
  readonly type: 'file' | 'directory' | 'symlink' | 'fifo'
  readonly size?: number
  readonly mtimeMs: number
  /** What is there. */
  readonly there?: { readonly size: number; readonly mtimeMs: number }
}

/** A stretch of a plan. `next`: where it goes on, for whoever made it; absent: it was the last. */
export interface PlanPage {
  readonly entries: readonly PlannedEntry[]
  /** Of this stretch. */
  readonly totals: PlanTotals
  readonly next?: Uint8Array
}
