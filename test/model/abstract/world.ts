import { bits, blobSet, has } from './bits.ts'

/** Rules that a scenario may break, each named after what it does instead. Numbers as in PROTOCOL.md. */
export type Broken =
  | 'N01 commits blindly' | 'N02 looks, then commits' | 'N03 trusts its cache' | 'N04 reads before its intent' | 'N05 lists packs before records'
  | 'N06 never reads snapshots again' | 'N07 lists snapshots before sessions' | 'N08 lists sessions before the record' | 'N09 no sessions' | 'N10 deletes by age'
  | 'N12 repeats a pack upload under its name' | 'N14 counts retired packs of others' | 'N15 lists packs before the record' | 'N16 removes the record first'
  | 'N17 forgets by removing' | 'N18 collects tombstones' | 'N21 a stored tree vouches for its children' | 'N23 expires by removing the intent'
  | 'N24 and the backup looks for its intent' | 'X1 missing trees of a declared session are no error' | 'X2 missing trees of an unconfirmed snapshot are no error'
  | 'X3 expects what an index says of a pack of another size' | 'X4 deletes what it cannot copy' | 'X5 acknowledges before it looks again'
  | 'X6 believes one listing about the trees of an unconfirmed snapshot'

export interface BackupSpec {
  /** What its manifest names: one tree, or chunks where trees do not matter. */
  readonly needs: string
  readonly job?: number
  /** Uploads against the packs of the start, then opens its session. */
  readonly late?: boolean
  /** Its intent names what its manifest will name. */
  readonly declares?: boolean
  /** May look for new retire records once more before it commits, and acknowledges them. */
  readonly refreshes?: boolean
}

/** A small world. Everything that is not said happens as PROTOCOL.md says. */
export interface AbstractScenario {
  readonly name: string
  readonly arbiter?: 'flags'
  /** Tree → what it names. */
  readonly trees?: Readonly<Record<string, string>>
  /** What is in the packs of the start. */
  readonly packs: readonly string[]
  /** Per pack of the start: what an index says is in it, while the listing shows another size and its footer cannot be read. */
  readonly claims?: readonly string[]
  /** Per pack of the start: blobs in it that cannot be read any more. */
  readonly damaged?: readonly string[]
  readonly snapshots?: readonly { readonly needs: string, readonly job?: number }[]
  readonly backups?: readonly BackupSpec[]
  /** How often a backup opens a session before it gives up. Default 1. */
  readonly sessions?: number
  readonly prunes: number
  /** Copies that one prune may make. Default 1. */
  readonly copies?: number
  /** Snapshots that are forgotten. */
  readonly forgets?: number
  /** A commit's reply may get lost. */
  readonly lost?: boolean
  /** A pack upload's reply may get lost. */
  readonly lostUploads?: boolean
  /** Partly used packs are candidates too. */
  readonly repacks?: boolean
  /** Prunes retire any packs at all, or any one. */
  readonly candidates?: 'any' | 'any one'
  /** Pack names per page of a listing. Default: all. */
  readonly page?: number
  /** Pages come in this order. */
  readonly order?: 'backwards'
  readonly breaks?: Broken
  /** Does not ask what a fresh backup and a fresh prune find when everybody dies. */
  readonly noAftermath?: boolean
}

export type BackupAt =
  | 'upload early' | 'announce' | 'check revision' | 'list records' | 'list packs' | 'upload' | 'acknowledge' | 'commit' | 'put blindly' | 'check flag' | 'withdraw'
  | 'close' | 'done' | 'failed'

export interface BackupState {
  readonly at: BackupAt
  /** Which of its sessions; those before were expired. */
  readonly session: number
  readonly revision: number
  /** Blobs to upload. */
  readonly missing: number
  /** Packs that the records listed so far name, and packs listed so far. */
  readonly retired: number
  readonly listed: number
  readonly page: number
  /** Looks for the second time, or repeats an upload. */
  readonly again: number
  /** Records to acknowledge. */
  readonly records: number
}

export type PruneAt =
  | 'plan' | 'list packs early' | 'publish' | 'list records' | 'list sessions' | 'settle' | 'list for declared' | 'read declared' | 'expire' | 'remove intent' | 'list snapshots'
  | 'list packs' | 'read trees' | 'list packs once more' | 'list records again' | 'read copy' | 'put copy' | 'delete' | 'list again' | 'remove record' | 'remove tombstones' | 'done'

export interface PruneState {
  readonly at: PruneAt
  /** Records it works on. */
  readonly records: number
  /** Roots that must be whole, and roots of which trees may lack. */
  readonly required: number
  readonly optional: number
  /** Blobs known to be needed. */
  readonly live: number
  readonly copy: number
  readonly copied: number
  /** Copies before it retires. */
  readonly first: number
  readonly retired: number
  /** Cells of sessions that are not settled yet. */
  readonly sessions: number
  readonly listed: number
  /** The listing in which trees of an unconfirmed snapshot lacked. */
  readonly listedBefore: number
  readonly doomed: number
  readonly page: number
}

/** What a snapshot's cell holds: 0, `expired`, or a session's manifest or its tombstone. */
export const expired = 1
export const manifestOf = (session: number): number => 2 + 2 * session
export const tombstoneOf = (session: number): number => 3 + 2 * session
export const isManifest = (cell: number): boolean => cell >= 2 && cell % 2 === 0
export const sessionOf = (cell: number): number => cell - 2 >> 1

export interface State {
  /** The packs that exist. */
  readonly packs: number
  /** What is in the packs that prunes made. */
  readonly copied: readonly number[]
  /** Per cell (a revision, or in flags mode a session): 1 + the session that announced it. */
  readonly intents: readonly number[]
  readonly snapshots: readonly number[]
  /** Flags mode: sessions that a prune gave up. */
  readonly flags: number
  /** Per record: packs that it names; sessions that acknowledged it. */
  readonly records: readonly number[]
  readonly acknowledged: readonly number[]
  readonly forgets: number
  readonly backups: readonly BackupState[]
  readonly prunes: readonly PruneState[]
}

export const newPrune: PruneState = {
  at: 'plan', records: 0, required: 0, optional: 0, live: 0, copy: 0, copied: 0, first: 0, retired: 0, sessions: 0, listed: 0, listedBefore: 0, doomed: 0, page: 0,
}

/** Copies that the prune of an aftermath may make. */
const aftermathCopies = 4

/** The fixed part of a world: which packs, sessions and cells there can be. The last backup and the last prune belong to aftermaths. */
export class World {
  readonly scenario: AbstractScenario
  readonly flags: boolean
  readonly children: readonly number[]
  readonly specs: readonly (BackupSpec & { readonly fresh: boolean })[]
  readonly sessionsPerBackup: number
  /** Per session: what its manifest names. The first ones are those of the snapshots of the start. */
  readonly needs: readonly number[]
  readonly revisions: number
  readonly cells: number
  /** Per pack that is no copy: what is in it. */
  readonly contents: readonly number[]
  readonly initialPacks: number
  readonly firstCopy: number
  readonly packCount: number
  readonly everything: number
  readonly #slots: readonly (readonly ReadonlyMap<number, number>[])[]

  constructor(scenario: AbstractScenario) {
    this.scenario = scenario
    this.flags = scenario.arbiter === 'flags'
    this.children = [...'abctuv'].map((letter) => blobSet(scenario.trees?.[letter] ?? ''))
    const backups = scenario.backups ?? []
    const roots = [...(scenario.snapshots ?? []), ...backups].map(({ needs }) => needs).join('')
    this.specs = [...backups.map((spec) => ({ ...spec, fresh: false })), { needs: [...new Set(roots)].join(''), fresh: true }]
    this.sessionsPerBackup = scenario.sessions ?? 1
    const announced = this.specs.flatMap((spec) => Array.from({ length: spec.fresh ? 1 : this.sessionsPerBackup }, () => spec))
    const all = [...(scenario.snapshots ?? []), ...announced]
    this.needs = all.map(({ needs }) => blobSet(needs))
    const jobs = 1 + Math.max(...all.map(({ job = 0 }) => job))
    const ofOneJob = Math.max(...Array.from({ length: jobs }, (_, job) => all.filter((each) => (each.job ?? 0) === job).length))
    this.revisions = ofOneJob + (backups.length + 1) * scenario.prunes
    this.cells = this.flags ? all.length : jobs * this.revisions
    const contents = scenario.packs.map(blobSet)
    this.initialPacks = (1 << contents.length) - 1
    this.#slots = this.specs.map((spec) => Array.from({ length: this.#generations(spec.fresh) }, () => {
      const slots = new Map<number, number>()
      for (const blob of bits(this.closure(blobSet(spec.needs)))) slots.set(blob, contents.push(1 << blob) - 1)
      return slots
    }))
    this.contents = contents
    this.firstCopy = contents.length
    this.packCount = contents.length + scenario.prunes * this.copiesOf(0) + aftermathCopies
    this.everything = this.closure(blobSet(roots))
    if (this.packCount > 30 || this.cells > 30) throw new Error(`${scenario.name}: ${this.packCount} packs and ${this.cells} cells are too many`)
  }

  breaks(rule: Broken): boolean {
    return this.scenario.breaks === rule
  }

  copiesOf(prune: number): number {
    return prune === this.scenario.prunes ? aftermathCopies : this.scenario.copies ?? 1
  }

  /** The pack that an upload of one blob makes: another one for each session and each time that its backup looks. */
  slot(backup: number, generation: number, blob: number): number {
    return this.#slots[backup]?.[generation]?.get(blob) ?? -1
  }

  generation(spec: { readonly fresh: boolean, readonly late?: boolean }, own: BackupState): number {
    return spec.fresh ? 0 : (spec.late ? 1 : 0) + own.session * 2 + own.again
  }

  contentsOf(state: State, pack: number): number {
    return pack < this.firstCopy ? this.contents[pack] ?? 0 : state.copied[pack - this.firstCopy] ?? 0
  }

  /** Blobs in a set of packs. */
  blobsIn(state: State, packs: number): number {
    let blobs = 0
    for (const pack of bits(packs)) blobs |= this.contentsOf(state, pack)
    return blobs
  }

  /** Blobs that whoever looks only at names and indexes expects in a set of packs. */
  believedIn(state: State, packs: number): number {
    const { claims } = this.scenario
    if (!claims || !this.breaks('X3 expects what an index says of a pack of another size')) return this.blobsIn(state, packs)
    return bits(packs).reduce((blobs, pack) => blobs | blobSet(claims[pack] ?? ''), this.blobsIn(state, packs))
  }

  /** Blobs of a pack that cannot be read. */
  damagedIn(pack: number): number {
    return blobSet(this.scenario.damaged?.[pack] ?? '')
  }

  closure(roots: number): number {
    return this.visible(roots, -1).live
  }

  /** What can be known of a closure when only some trees can be read, and the trees of it that cannot. */
  visible(roots: number, readable: number): { readonly live: number, readonly missing: number } {
    let live = 0
    let missing = 0
    for (let rest = roots; rest !== 0;) {
      const blob = 31 - Math.clz32(rest & -rest)
      rest &= rest - 1
      live |= 1 << blob
      const children = this.children[blob] ?? 0
      if (children === 0) continue
      if (has(readable, blob)) rest |= children & ~live
      else missing |= 1 << blob
    }
    return { live, missing }
  }

  /** Roots of committed snapshots; of those that a prune had given up only when asked for. */
  roots(state: State, which: 'confirmed' | 'unconfirmed'): number {
    let roots = 0
    for (const cell of state.snapshots) {
      if (isManifest(cell) && has(state.flags, sessionOf(cell)) === (which === 'unconfirmed')) roots |= this.needs[sessionOf(cell)] ?? 0
    }
    return roots
  }

  #generations(fresh: boolean): number {
    return fresh ? 1 : this.sessionsPerBackup * 2 + 1
  }
}

export function retiredIn(state: State): number {
  return state.records.reduce((packs, record) => packs | record, 0)
}
