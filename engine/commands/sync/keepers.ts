import type { HeldJob } from '../../protocol/changes.ts'
import { isPinned, readAnnotations, type Annotations } from '../../repository/protocol/annotations.ts'
import type { SnapshotRef } from '../../repository/protocol/names.ts'
import type { Repository } from '../../repository/repository.ts'
import type { Hold } from '../../snapshot/hold.ts'
import type { Manifest } from '../../snapshot/manifest.ts'
import { groupKey, type OriginGroup } from '../../snapshot/origin.ts'
import { heldJob, holdsAmong, type HeldSnapshot } from '../holds.ts'
import type { Vanished } from './plan.ts'

/** A held group, and on which side it is held. */
export interface SideHold extends HeldJob {
  readonly at: 'source' | 'destination'
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
  readonly #holds: Readonly<Record<SideHold['at'], Holds>>
  readonly #pins: Annotations

  private constructor(holds: Readonly<Record<SideHold['at'], Holds>>, pins: Annotations) {
    this.#holds = holds
    this.#pins = pins
  }

  /** Reads what is said on both sides, where something has vanished. Errors: version (a later Holdfast said something at the destination that may keep a snapshot), those of both storages. */
  static async read(repositories: Readonly<Record<SideHold['at'], Repository>>, { snapshots, known, gone }: Facts, signal: AbortSignal): Promise<Keepers> {
    if (gone.length === 0) return new Keepers({ source: new Map(), destination: new Map() }, { found: new Map(), unknown: [] })
    const { source, destination } = repositories
    const pins = await readAnnotations(destination, '', new Map(), signal)
    const [stranger] = pins.unknown
    if (stranger) throw stranger.error
    const said = snapshots.some(({ manifest }) => manifest?.unusual) ? await readAnnotations(source, '', new Map(), signal) : undefined
    return new Keepers({
      source: said ? byGroup(source, snapshots, said) : new Map(),
      destination: byGroup(destination, known, pins),
    }, pins)
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

function byGroup({ config: { repositoryId } }: Repository, known: readonly Known[], annotations: Annotations): Holds {
  const holds = holdsAmong(known.flatMap(({ ref, manifest }) => (manifest ? [{ ref, manifest }] : [])), annotations)
  return new Map(holds.map((hold) => [groupKey({ repository: hold.since.syncedFrom ?? repositoryId, host: hold.host, job: hold.job }), hold]))
}
