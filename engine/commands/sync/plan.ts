import { groupKey, originKey, originRevision, type Origin, type OriginGroup } from '../../snapshot/origin.ts'

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
  /** Of those that are held. */
  readonly group?: OriginGroup
}

/** A snapshot that the destination holds and the source has forgotten. */
export interface Vanished {
  /** Of the destination. */
  readonly id: string
  readonly origin: Origin
  readonly group: OriginGroup
  /** Absent: nothing that is said about it, or about its group, keeps it. */
  readonly stays?: 'pinned' | 'held' | 'held-at-source'
}

/**
 * Why something that vanished stays all the same. `held`, `held-at-source`: the group is, there, for an unusual backup. `gone`: the source has nothing of the group any more; `last`:
 * the destination would not have; neither counts where the group is named, without `*` and `?`. `not-copied`: others of the group could not be copied.
 */
export type StaysBecause = NonNullable<Vanished['stays']> | 'gone' | 'last' | 'not-copied'

export interface Staying {
  /** Of the destination. */
  readonly id: string
  readonly because: StaysBecause
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
  /** Vanished, too. */
  readonly stays: readonly Staying[]
  /** What vanished may go also where nothing of the group is copied: something of it stays at the destination anyway, or the group is named. */
  readonly mayEmpty: boolean
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
  const snapshots = Map.groupBy(input.snapshots, (snapshot) => groupKey(groupOf(snapshot)))
  const vanished = Map.groupBy(input.vanished, ({ group }) => groupKey(group))
  const states = new Map(input.held.toSorted((a, b) => Number(a.state === 'held') - Number(b.state === 'held')).map(({ origin, state }) => [originKey(origin), state]))
  const matchers = input.patterns.map((pattern) => ({ pattern, matches: matcherOf(pattern) }))
  const standing = standingGroups(input)
  const met = new Set<string>()
  const groups: GroupPlan<Snapshot, Gone>[] = []
  for (const key of new Set([...snapshots.keys(), ...vanished.keys()])) {
    const inGroup = snapshots.get(key) ?? []
    const gone = vanished.get(key) ?? []
    const group = inGroup[0] ? groupOf(inGroup[0]) : gone[0]?.group
    if (!group) continue
    const name = groupName(group)
    const matching = matchers.filter(({ matches }) => matches.test(name))
    for (const { pattern } of matching) met.add(pattern)
    if (matchers.length > 0 && matching.length === 0) continue
    const chosen = chooseCopies(inGroup, states, input)
    const isNamed = input.patterns.includes(name)
    const whole = isNamed ? undefined : inGroup.length === 0 ? 'gone' : chosen.copy.length === 0 && !standing.has(key) ? 'last' : undefined
    groups.push({ name, group, ...chosen, ...chooseRemovals(gone, whole), mayEmpty: isNamed || standing.has(key) })
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

/** Of which the destination has something that did not vanish. */
function standingGroups({ held, vanished }: Pick<PlanInput<SourceSnapshot, Vanished>, 'held' | 'vanished'>): ReadonlySet<string> {
  const gone = new Set(vanished.map(({ origin }) => originKey(origin)))
  return new Set(held.flatMap(({ state, group, origin }) => (state === 'held' && group && !gone.has(originKey(origin)) ? groupKey(group) : [])))
}

/** @param whole why nothing of the group goes, whatever is said about each */
function chooseRemovals<Gone extends Vanished>(gone: readonly Gone[], whole: 'gone' | 'last' | undefined): { readonly remove: readonly Gone[]; readonly stays: readonly Staying[] } {
  const stays = gone.flatMap(({ id, stays: said }): Staying[] => {
    const because = said ?? whole
    return because ? [{ id, because }] : []
  })
  return { remove: gone.filter((each) => !(each.stays ?? whole)), stays }
}

/** Where what the plan counted on has not come nothing of the group goes. @param done of the group's snapshots: how many could not be copied, and how many are there now. */
export function whyAllStay({ mayEmpty }: Pick<GroupPlan, 'mayEmpty'>, { failed, arrived }: { readonly failed: number; readonly arrived: number }): StaysBecause | undefined {
  if (failed > 0) return 'not-copied'
  return mayEmpty || arrived > 0 ? undefined : 'last'
}

/** As they were made; two of one number are told apart by time. */
function byAge(a: SourceSnapshot, b: SourceSnapshot): number {
  return originRevision(a.origin) - originRevision(b.origin) || a.finishedMs - b.finishedMs || (a.id < b.id ? -1 : 1)
}

function matcherOf(pattern: string): RegExp {
  const source = [...pattern].map((character) => (character === '*' ? '.*' : character === '?' ? '.' : RegExp.escape(character))).join('')
  return new RegExp(`^${source}$`, 'su')
}
