import { HoldfastError } from '../base/errors.ts'

/** What people say about a snapshot. Snapshots never change; this does. */
export interface Annotation {
  /** No policy forgets it. */
  readonly pinned: boolean
  /** One line; empty: none. */
  readonly name: string
  /** Any number of lines; empty: none. */
  readonly note: string
  /** That the run which made it was unusual is as it should be (see unusual.ts). Absent: nobody has said so. */
  readonly fine?: boolean
}

/** What somebody changed of it; at least one. */
export interface AnnotationChange {
  readonly pinned?: boolean
  readonly name?: string
  readonly note?: string
  readonly fine?: boolean
}

/** One change, as it is stored. */
export interface AnnotationRecord {
  /** 32 hex digits by chance. */
  readonly id: string
  /** Above that of all that whoever wrote it had seen. Clocks decide nothing. */
  readonly counter: number
  readonly change: AnnotationChange
}

export const noAnnotation: Annotation = { pinned: false, name: '', note: '' }

/** Characters (UTF-16 units) at most. */
export const longestName = 200
export const longestNote = 10_000

const fields = ['pinned', 'name', 'note', 'fine'] as const

/** Positive where `a` is the newer of the two: by counter, and of two that did not know of each other by id. The same on every machine. */
function byAge(a: AnnotationRecord, b: AnnotationRecord): number {
  return a.counter - b.counter || (a.id < b.id ? -1 : a.id > b.id ? 1 : 0)
}

/** Each field as the newest change of it says, in whichever order they come. */
export function mergeAnnotation(records: readonly AnnotationRecord[]): Annotation {
  return records.toSorted(byAge).reduce<Annotation>((merged, { change }) => ({ ...merged, ...change }), noAnnotation)
}

/** Those of which every field has a newer change. Taking them away changes nothing, whatever else is added or taken away meanwhile. */
export function outdatedRecords(records: readonly AnnotationRecord[]): readonly AnnotationRecord[] {
  return records.filter((record) => fields.every((field) => record.change[field] === undefined
    || records.some((other) => other.change[field] !== undefined && byAge(other, record) > 0)))
}

/** No machine ever comes this far; whoever writes more wants to have the last word for ever. */
const highestCarried = 2 ** 40

/** Whether an unusual run is as it should be is for each side to say, unless both are the same person's. */
export interface Carried {
  readonly fine: boolean
}

/** What is said of a snapshot elsewhere and lacks here, as far as it still counts beside what is said here. What no version of this program would have written stays away. */
export function lackingRecords(theirs: readonly AnnotationRecord[], ours: readonly AnnotationRecord[], carried: Carried = { fine: false }): readonly AnnotationRecord[] {
  const known = new Set(ours.map(({ id }) => id))
  const lacking = theirs.flatMap(({ change: { fine, ...other }, ...record }) => {
    const change = carried.fine && fine !== undefined ? { ...other, fine } : other
    return known.has(record.id) || record.counter > highestCarried || !isChange(change) ? [] : [{ ...record, change }]
  })
  const outdated = new Set(outdatedRecords([...ours, ...lacking]).map(({ id }) => id))
  return lacking.filter(({ id }) => !outdated.has(id))
}

function isChange(change: AnnotationChange): boolean {
  try {
    expectChange(change)
    return true
  } catch {
    return false
  }
}

/** The counter of the next change. */
export function nextCounter(records: readonly AnnotationRecord[]): number {
  return 1 + records.reduce((highest, { counter }) => Math.max(highest, counter), 0)
}

/** Errors: `arguments` for a change of nothing, and for what is too long, or no text. */
export function expectChange(change: AnnotationChange): void {
  if (fields.every((field) => change[field] === undefined)) throw new HoldfastError('arguments', 'Nothing to change: pin or unpin the snapshot, or give a name or a note.')
  const { name = '', note = '' } = change
  if (name.length > longestName) throw new HoldfastError('arguments', `A name has at most ${longestName} characters.`)
  if (note.length > longestNote) throw new HoldfastError('arguments', `A note has at most ${longestNote} characters.`)
  if (!name.isWellFormed() || /[\p{Cc}\p{Zl}\p{Zp}]/u.test(name)) throw new HoldfastError('arguments', 'A name is one line of text.')
  // eslint-disable-next-line no-control-regex -- line breaks and tabs are what a note may have
  if (!note.isWellFormed() || /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f]/.test(note)) throw new HoldfastError('arguments', 'A note is text, without control characters.')
}
