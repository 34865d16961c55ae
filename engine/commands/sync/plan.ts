import { originKey, originRevision, type Origin, type OriginGroup } from '../../snapshot/origin.ts'

/** A snapshot of the source, as its listing shows it. */
export interface SourceSnapshot {
  /** Of the source: `JOB@REV`. */
  readonly id: string
  readonly job: string
  readonly host: string
  /** Its own origin where it was synced to the source, else the source itself. */
  readonly origin: Origin
  readonly finishedMs: number
  readonly files: number
  readonly bytes: number
}

/** What the destination has, or had, of a snapshot. */
export interface Held {
  readonly origin: Origin
  readonly state: 'held' | 'forgotten'
}

/** A snapshot that the destination holds and the source has forgotten. */
export interface Vanished {
  /** Of the destination. */
  readonly id: string
  readonly group: OriginGroup
}

export interface PlanInput<Snapshot extends SourceSnapshot, Gone extends Vanished> {
  /** Id of the destination's repository: what was made there is not brought back to it. */
  readonly destination: string
  readonly snapshots: readonly Snapshot[]
  readonly held: readonly Held[]
  /** Empty where nothing is to be removed. */
  readonly vanished: readonly Gone[]
  /** `HOST/JOB`, with `*` for any characters and `?` for one; empty: every group. */
  readonly patterns: readonly string[]
  /** Of each group only the newest so many. */
  readonly last?: number | undefined
}

export interface GroupPlan<Snapshot extends SourceSnapshot = SourceSnapshot, Gone extends Vanished = Vanished> {
  /** `HOST/JOB` */
  readonly name: string
  readonly group: OriginGroup
  /** What the destination lacks, oldest first. */
  readonly copy: readonly Snapshot[]
  readonly skipped: Skipped
  readonly remove: readonly Gone[]
}

/** How many snapshots are not copied, and why. */
export interface Skipped {
  /** The destination has them. */
  readonly held: number
  /** They were forgotten at the destination, and stay so. */
  readonly forgotten: number
  /** They were made at the destination. */
  readonly own: number
  /** Older than `last`. */
  readonly older: number
}

export interface SyncPlan<Snapshot extends SourceSnapshot = SourceSnapshot, Gone extends Vanished = Vanished> {
  /** By name. */
  readonly groups: readonly GroupPlan<Snapshot, Gone>[]
  /** Patterns that no group has. */
  readonly unmatched: readonly string[]
}

/**
 * What a sync does, as a value. A group is one host's job in the repository where its snapshots were made. Pure: the same facts give the same plan,
 * and a plan that was carried out gives an empty one.
 */
export function planSync<Snapshot extends SourceSnapshot, Gone extends Vanished>(input: PlanInput<Snapshot, Gone>): SyncPlan<Snapshot, Gone> {
  const snapshots = Map.groupBy(input.snapshots, (snapshot) => keyOf(groupOf(snapshot)))
  const vanished = Map.groupBy(input.vanished, ({ group }) => keyOf(group))
  const states = new Map(input.held.toSorted((a, b) => Number(a.state === 'held') - Number(b.state === 'held')).map(({ origin, state }) => [originKey(origin), state]))
  const matchers = input.patterns.map((pattern) => ({ pattern, matches: matcherOf(pattern) }))
  const met = new Set<string>()
  const groups: GroupPlan<Snapshot, Gone>[] = []
  for (const key of new Set([...snapshots.keys(), ...vanished.keys()])) {
    const inGroup = snapshots.get(key) ?? []
    const remove = vanished.get(key) ?? []
    const group = inGroup[0] ? groupOf(inGroup[0]) : remove[0]?.group
    if (!group) continue
    const name = groupName(group)
    const matching = matchers.filter(({ matches }) => matches.test(name))
    for (const { pattern } of matching) met.add(pattern)
    if (matchers.length > 0 && matching.length === 0) continue
    groups.push({ name, group, remove, ...chooseCopies(inGroup, states, input) })
  }
  groups.sort((a, b) => (a.name < b.name || (a.name === b.name && a.group.repository < b.group.repository) ? -1 : 1))
  return { groups, unmatched: input.patterns.filter((pattern) => !met.has(pattern)) }
}

/** As people name it. */
function groupName({ host, job }: Pick<OriginGroup, 'host' | 'job'>): string {
  return `${host}/${job}`
}

export function groupOf({ host, job, origin }: Pick<SourceSnapshot, 'host' | 'job' | 'origin'>): OriginGroup {
  return { repository: origin.repository, host, job }
}

function chooseCopies<Snapshot extends SourceSnapshot>(
  inGroup: readonly Snapshot[], states: ReadonlyMap<string, Held['state']>, { destination, last }: Pick<PlanInput<Snapshot, Vanished>, 'destination' | 'last'>,
): { readonly copy: readonly Snapshot[]; readonly skipped: Skipped } {
  const oldestFirst = inGroup.toSorted(byAge)
  const older = last === undefined ? 0 : Math.max(0, oldestFirst.length - last)
  const skipped = { held: 0, forgotten: 0, own: 0, older }
  const copy = oldestFirst.slice(older).filter((snapshot) => {
    const state = states.get(originKey(snapshot.origin))
    if (snapshot.origin.repository === destination) skipped.own++
    else if (state !== undefined) skipped[state]++
    else return true
    return false
  })
  return { copy, skipped }
}

/** As they were made; two of one number are told apart by time. */
function byAge(a: SourceSnapshot, b: SourceSnapshot): number {
  return originRevision(a.origin) - originRevision(b.origin) || a.finishedMs - b.finishedMs || (a.id < b.id ? -1 : 1)
}

function keyOf({ repository, host, job }: OriginGroup): string {
  return `${repository}\0${host}\0${job}`
}

function matcherOf(pattern: string): RegExp {
  const source = [...pattern].map((character) => (character === '*' ? '.*' : character === '?' ? '.' : RegExp.escape(character))).join('')
  return new RegExp(`^${source}$`, 'su')
}
