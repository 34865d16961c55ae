import { toShown } from '../../base/byte-string.ts'
import { assertNever } from '../../base/errors.ts'
import type { Loss, LossKind } from '../../target/dress.ts'

/** How often each was lost, for the summary. */
export interface LossCount {
  readonly what: LossKind
  readonly entries: number
  readonly meaning: string
}

/** What is said of one entry. */
export function lossWords({ kind, detail }: Loss): string {
  return `${meaningOf(kind)} (${toShown(detail)})`
}

export function lossCounts(counts: ReadonlyMap<LossKind, number>): LossCount[] {
  return [...counts].map(([what, entries]) => ({ what, entries, meaning: meaningOf(what) }))
}

function meaningOf(kind: LossKind): string {
  switch (kind) {
    case 'owner': return 'restored, but the target does not take its owner'
    case 'mode': return 'restored, but the target does not take its permissions'
    case 'set-id': return 'restored without its set-user-ID or set-group-ID bit, because it does not belong to whom it did; restore as root to keep it'
    case 'time': return 'restored, but the target cannot hold its time'
    case 'acl': return 'restored without an access control list that the target does not take'
    case 'capability': return 'restored without its capabilities, which take root and the recorded owner'
    case 'attribute': return 'restored without an extended attribute that the target does not take'
    default: return assertNever(kind)
  }
}
