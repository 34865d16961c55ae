import { at, bits, has, lowest, replaced } from './bits.ts'
import type { System } from './explore.ts'

/** Orders that consolidation must not have. */
export type MergeBroken = 'I1 lists packs before the index' | 'I2 removes its inputs first'

/** Pack 0 is about to be deleted, pack 1 stays, pack 2 is the backup's. */
interface State {
  readonly packs: number
  /** Per index object: the packs it names. 0 and 1 are there at first, 2 is the backup's, 3 and 4 are the mergers'. */
  readonly objects: readonly number[]
  readonly backup: 'put pack' | 'put index' | 'done'
  readonly deletes: boolean
  readonly mergers: readonly Merger[]
}

interface Merger {
  readonly at: 'list index' | 'list packs' | 'put' | 'remove' | 'done'
  readonly inputs: number
  readonly named: number
}

const mergerPlaces = ['list index', 'list packs', 'put', 'remove', 'done']

/** A backup, a prune that deletes, and two that merge index objects at once: no pack may end up in no index object. */
export function indexMergeSystem(broken?: MergeBroken): System<State> {
  const first = broken === 'I1 lists packs before the index' ? 'list packs' : 'list index'
  const merger: Merger = { at: first, inputs: 0, named: 0 }
  return {
    initial: { packs: 0b011, objects: [0b001, 0b010, 0, 0, 0], backup: 'put pack', deletes: true, mergers: [merger, merger] },
    key: (state) => String.fromCharCode(state.packs, ...state.objects, state.backup.length, Number(state.deletes), ...state.mergers.flatMap((each) => [mergerPlaces.indexOf(each.at), each.inputs, each.named])),
    problem: ({ packs, objects, backup }) => {
      const indexed = objects.reduce((all, named) => all | named, 0)
      const expected = packs & (backup === 'done' ? 0b111 : 0b011)
      return (expected & ~indexed) === 0 ? undefined : `index: pack ${bits(expected & ~indexed).join()} is in no index object`
    },
    next: (state, emit) => {
      if (state.backup === 'put pack') emit({ ...state, packs: state.packs | 0b100, backup: 'put index' }, () => 'B PUT pack 2')
      if (state.backup === 'put index') emit({ ...state, objects: replaced(state.objects, 2, 0b100), backup: 'done' }, () => 'B PUT index 2')
      if (state.deletes) emit({ ...state, packs: state.packs & ~1, deletes: false }, () => 'G DELETE pack 0')
      for (const index of state.mergers.keys()) mergerSteps(state, index, broken, emit)
    },
  }
}

function mergerSteps(state: State, index: number, broken: MergeBroken | undefined, emit: (state: State, label: () => string) => void): void {
  const own = at(state.mergers, index)
  const output = 3 + index
  const go = (label: string, changes: Partial<Merger>, rest: Partial<State> = {}): void => {
    emit({ ...state, ...rest, mergers: replaced(state.mergers, index, { ...own, ...changes }) }, () => `M${index + 1} ${label}`)
  }
  const packsFirst = broken === 'I1 lists packs before the index'
  const removesFirst = broken === 'I2 removes its inputs first'
  switch (own.at) {
    case 'list index': {
      const inputs = state.objects.reduce((set, named, object) => (named === 0 || object === output ? set : set | 1 << object), 0)
      const named = bits(inputs).reduce((all, object) => all | at(state.objects, object), 0)
      return go('LIST and GET index', { inputs, named: packsFirst ? named & own.named : named, at: packsFirst ? 'put' : 'list packs' })
    }
    case 'list packs': return go('LIST packs', { named: packsFirst ? state.packs : own.named & state.packs, at: packsFirst ? 'list index' : removesFirst ? 'remove' : 'put' })
    case 'put': return go('PUT merged index', { named: 0, at: removesFirst ? 'done' : 'remove' }, { objects: replaced(state.objects, output, own.named) })
    case 'remove': {
      const after = removesFirst ? 'put' : 'done'
      if (own.inputs === 0) return go('has nothing to remove', { at: after })
      const input = lowest(own.inputs)
      const inputs = own.inputs & ~(1 << input)
      return go(`DELETE index ${input}`, { inputs, at: inputs === 0 ? after : 'remove' }, { objects: has(own.inputs, input) ? replaced(state.objects, input, 0) : state.objects })
    }
    case 'done': return
  }
}
