import type { HeldJob } from '../../protocol/changes.ts'
import { isPinned, type Annotations } from '../../repository/protocol/annotations.ts'
import type { SnapshotRef } from '../../repository/protocol/names.ts'
import type { Hold } from '../../snapshot/hold.ts'
import type { Manifest } from '../../snapshot/manifest.ts'
import { groupKey, type OriginGroup } from '../../snapshot/origin.ts'
import { heldJob, holdsAmong, type HeldSnapshot } from '../holds.ts'
import type { Vanished } from './plan.ts'

export type Side = 'source' | 'destination'

/** A held group, and on which side it is held. */
export interface SideHold extends HeldJob {
  readonly at: Side
}

/** A repository, and what is said about its snapshots. */
interface Heard {
  readonly id: string
  readonly said: Annotations
}

interface Known {
  readonly ref: SnapshotRef
  /** Absent: it was forgotten. */
  readonly manifest?: Manifest
}

export interface Facts {
  /** Of the source. */
  readonly snapshots: readonly Known[]
  /** Of the destination. */
  readonly known: readonly Known[]
  readonly gone: readonly (Vanished & Known)[]
}

type Holds = ReadonlyMap<string, Hold<HeldSnapshot>>

/** What keeps snapshots at the destination that the source has forgotten: pins there, and holds on either side. A group that is held stays as a whole. */
export class Keepers {
  readonly #holds: Readonly<Record<Side, Holds>>
  readonly #pins: Annotations

  /** Errors: version (a later Holdfast said something at the destination that may keep a snapshot, and something has vanished). */
  constructor({ source, destination }: Readonly<Record<Side, Heard>>, { snapshots, known, gone }: Facts) {
    const [stranger] = destination.said.unknown
    if (stranger && gone.length > 0) throw stranger.error
    this.#pins = destination.said
    this.#holds = gone.length === 0 ? { source: new Map(), destination: new Map() } : { source: byGroup(source, snapshots), destination: byGroup(destination, known) }
  }

  keep({ ref, group }: Pick<Vanished & Known, 'ref' | 'group'>): Pick<Vanished, 'stays'> {
    const key = groupKey(group)
    if (this.#holds.destination.has(key)) return { stays: 'held' }
    if (this.#holds.source.has(key)) return { stays: 'held-at-source' }
    return isPinned(this.#pins, ref) ? { stays: 'pinned' } : {}
  }

  /** Of these groups, those of the source first. */
  holdsOf(groups: readonly { readonly group: OriginGroup }[]): readonly SideHold[] {
    return (['source', 'destination'] as const).flatMap((at) => groups.flatMap(({ group }) => {
      const hold = this.#holds[at].get(groupKey(group))
      return hold ? [{ ...heldJob(hold), at }] : []
    }))
  }
}

function byGroup({ id, said }: Heard, known: readonly Known[]): Holds {
  const holds = holdsAmong(known.flatMap(({ ref, manifest }) => (manifest ? [{ ref, manifest }] : [])), said)
  return new Map(holds.map((hold) => [groupKey({ repository: hold.since.syncedFrom ?? id, host: hold.host, job: hold.job }), hold]))
}
