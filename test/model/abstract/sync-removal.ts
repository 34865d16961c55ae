import { at, bits, has, lowest, replaced } from './bits.ts'
import type { System } from './explore.ts'

/** What a sync that removes what vanished must not do. */
type RemovalBroken = (typeof brokenRemovals)[number]

/** Snapshots 0 and 1 of one group. A copy of snapshot n has bit `3 × n + writer`; writer 0: an earlier sync. */
interface State {
  /** At the source: committed and not forgotten, and forgotten. */
  readonly stands: number
  readonly gone: number
  /** Copies at the destination, and those of which only the tombstone is there. */
  readonly held: number
  readonly forgotten: number
  readonly backup: boolean
  /** Retention at the destination may still forget one. */
  readonly retention: boolean
  readonly syncs: readonly Sync[]
}

interface Sync {
  readonly at: (typeof places)[number]
  readonly listed: number
  /** Copies that it saw. */
  readonly known: number
  /** Snapshots that it has to ask for, and copies. */
  readonly asks: number
  readonly vanished: number
  readonly copies: number
  /** Something is there, or has come, beside what vanished. */
  readonly mayEmpty: boolean
  /** The snapshot that is copied was forgotten at the destination before it was looked for. */
  readonly unwanted: boolean
}

const places = ['list first', 'list second', 'ask', 'copy', 'look', 'commit', 'remove', 'done'] as const
const writers = 3
const sourceFirst: ReadonlySet<RemovalBroken | undefined> = new Set(['Y8 lists the source first, and takes the unlisted for forgotten', 'Y12 lists the source first'])

function snapshotsOf(copies: number): number {
  return bits(copies).reduce((set, copy) => set | 1 << Math.floor(copy / writers), 0)
}

function copiesOf(copies: number, snapshots: number): number {
  return bits(copies).reduce((set, copy) => (has(snapshots, Math.floor(copy / writers)) ? set | 1 << copy : set), 0)
}

export const brokenRemovals = [
  'Y8 lists the source first, and takes the unlisted for forgotten', 'Y10 removes the last of a group', 'Y11 does not look again before it commits', 'Y12 lists the source first',
] as const

/** Two syncs that remove what vanished, beside a backup and retention at the source, and retention at the destination. */
export function syncRemovalSystem(broken?: RemovalBroken): System<State> {
  const sync: Sync = { at: 'list first', listed: 0, known: 0, asks: 0, vanished: 0, copies: 0, mayEmpty: false, unwanted: false }
  return {
    initial: { stands: 0b01, gone: 0, held: 0b001, forgotten: 0, backup: true, retention: true, syncs: [sync, sync] },
    key: ({ stands, gone, held, forgotten, backup, retention, syncs }) => String.fromCharCode(stands, gone, held, forgotten, Number(backup), Number(retention),
      ...syncs.flatMap((each) => [places.indexOf(each.at), each.listed, each.known, each.asks, each.vanished, each.copies, Number(each.mayEmpty), Number(each.unwanted)])),
    problem: () => undefined,
    next: (state, emit) => {
      if (state.backup) emit({ ...state, stands: state.stands | 0b10, backup: false }, () => 'B commits 1')
      for (const one of bits(state.stands)) emit({ ...state, stands: state.stands & ~(1 << one), gone: state.gone | 1 << one }, () => `F forgets ${one} at the source`)
      for (const copy of state.retention ? bits(state.held) : []) emit({ ...forgetCopy(state, copy), retention: false }, () => `R forgets copy ${copy}`)
      for (const index of state.syncs.keys()) syncSteps(state, index, broken, emit)
    },
  }
}

function forgetCopy(state: State, copy: number): State {
  return { ...state, held: state.held & ~(1 << copy), forgotten: state.forgotten | 1 << copy }
}

type Emit = Parameters<System<State>['next']>[1]

function syncSteps(state: State, index: number, broken: RemovalBroken | undefined, emit: Emit): void {
  const own = at(state.syncs, index)
  const go = (label: string, changes: Partial<Sync>, rest: State = state, violation?: string): void => {
    emit({ ...rest, syncs: replaced(rest.syncs, index, { ...own, ...changes }) }, () => `S${index + 1} ${label}`, violation)
  }
  const one = lowest(own.copies)
  const left = own.copies & ~(1 << one)
  const onward = { copies: left, at: left === 0 ? 'remove' : 'copy' } as const
  switch (own.at) {
    case 'list first': return sourceFirst.has(broken) ? go('LIST source', { listed: state.stands, at: 'list second' }) : go('LIST destination', { ...seen(state), at: 'list second' })
    case 'list second': return sourceFirst.has(broken) ? go('LIST destination', compared({ ...own, ...seen(state) }, broken)) : go('LIST source', compared({ ...own, listed: state.stands }, broken))
    case 'ask': {
      const asked = lowest(own.asks)
      const asks = own.asks & ~(1 << asked)
      const vanished = has(state.gone, asked) ? own.vanished | copiesOf(own.known, 1 << asked) : own.vanished
      return go(`GET ${asked} at the source`, { asks, ...(asks === 0 ? planned({ ...own, vanished }, broken) : { vanished }) })
    }
    case 'copy': return has(state.gone, one) ? go(`GET ${one}: forgotten`, onward)
      : go(`GET ${one}`, { at: broken === 'Y11 does not look again before it commits' ? 'commit' : 'look', unwanted: copiesOf(state.forgotten, 1 << one) !== 0 })
    case 'look': {
      const isHeld = copiesOf(state.held, 1 << one) !== 0
      if (isHeld || copiesOf(state.forgotten, 1 << one) !== 0) return go(`LIST: ${one} was there first`, { ...onward, mayEmpty: own.mayEmpty || isHeld })
      return go('LIST destination', { at: 'commit' })
    }
    case 'commit': return go(`commits ${one}`, { ...onward, mayEmpty: true }, { ...state, held: state.held | 1 << (writers * one + index + 1) }, own.unwanted ? `Z3: ${one} was forgotten there, and is brought again` : undefined)
    case 'remove': {
      if (own.vanished === 0 || !(own.mayEmpty || broken === 'Y10 removes the last of a group')) return go('ends', { at: 'done' })
      const copy = lowest(own.vanished)
      const rest = forgetCopy(state, copy)
      return go(`forgets copy ${copy}`, { vanished: own.vanished & ~(1 << copy) }, rest, wrongRemoval(state, rest, copy))
    }
    case 'done': return
  }
}

/** `copies`, for now: those that there are, or were. */
function seen({ held, forgotten }: State): Pick<Sync, 'known' | 'copies'> {
  return { known: held, copies: snapshotsOf(held | forgotten) }
}

function compared(own: Sync, broken: RemovalBroken | undefined): Partial<Sync> {
  const asks = snapshotsOf(own.known) & ~own.listed
  const found = { ...own, copies: own.listed & ~own.copies }
  if (broken === 'Y8 lists the source first, and takes the unlisted for forgotten') return { ...found, ...planned({ ...found, vanished: copiesOf(own.known, asks) }, broken) }
  return asks === 0 ? { ...found, ...planned(found, broken) } : { ...found, asks, at: 'ask' }
}

/** Nothing goes of a group that the source lists nothing of, or that nothing would be left of. */
function planned(own: Sync, broken: RemovalBroken | undefined): Partial<Sync> {
  const standing = (own.known & ~own.vanished) !== 0
  const stays = broken !== 'Y10 removes the last of a group' && (own.listed === 0 || (own.copies === 0 && !standing))
  return { vanished: stays ? 0 : own.vanished, mayEmpty: standing, at: own.copies === 0 ? 'remove' : 'copy' }
}

function wrongRemoval(before: State, after: State, copy: number): string | undefined {
  const snapshot = Math.floor(copy / writers)
  if (has(before.stands, snapshot)) return `Z1: copy ${copy} goes, and ${snapshot} stands at the source`
  return before.held !== 0 && after.held === 0 && before.retention ? 'Z4: nothing of the group is left' : undefined
}
