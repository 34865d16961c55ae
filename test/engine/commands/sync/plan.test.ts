import { expect, test } from 'vitest'
import { planSync, type Held, type PlanInput, type SourceSnapshot, type Vanished } from '../../../../engine/commands/sync/plan.ts'

const source = 'a'.repeat(32)
const destination = 'd'.repeat(32)
const third = 'e'.repeat(32)

function snapshot(host: string, job: string, revision: number, more: { readonly repository?: string; readonly nonce?: string } = {}): SourceSnapshot {
  const origin = { repository: more.repository ?? source, job, revision: String(revision), nonce: (more.nonce ?? '0').repeat(32) }
  return { id: `${job}@${revision}`, job, host, origin, finishedMs: 1000 * revision, files: 1, bytes: 10 }
}

function plan(more: Partial<PlanInput<SourceSnapshot, Vanished>>): ReturnType<typeof planSync> {
  return planSync({ destination, snapshots: [], held: [], vanished: [], patterns: [], ...more })
}

function copied(more: Partial<PlanInput<SourceSnapshot, Vanished>>): Record<string, readonly string[]> {
  return Object.fromEntries(plan(more).groups.map(({ name, copy }) => [name, copy.map(({ id }) => id)]))
}

const held = (one: SourceSnapshot, state: Held['state'] = 'held'): Held => ({ origin: one.origin, state })

test('groups are one host’s job each, by name, and their snapshots go oldest first, by revision and not by clock', () => {
  const late = { ...snapshot('desk', 'home', 9), finishedMs: 1 }
  const snapshots = [snapshot('desk', 'home', 10), late, snapshot('attic', 'home', 2), snapshot('desk', 'mail', 3)]
  expect(copied({ snapshots })).toEqual({ 'attic/home': ['home@2'], 'desk/home': ['home@9', 'home@10'], 'desk/mail': ['mail@3'] })
  expect(plan({ snapshots }).groups.map(({ name }) => name)).toEqual(['attic/home', 'desk/home', 'desk/mail'])
})

test('what the destination holds, or has forgotten, or made itself, is not copied', () => {
  const [one, two, three] = [snapshot('desk', 'home', 1), snapshot('desk', 'home', 2), snapshot('desk', 'home', 3)]
  const own = snapshot('desk', 'home', 4, { repository: destination })
  const { groups } = plan({ snapshots: [one, two, three, own], held: [held(one), held(two, 'forgotten')] })
  expect(groups.map(({ copy, skipped }) => ({ copy: copy.map(({ id }) => id), skipped }))).toEqual([
    { copy: ['home@3'], skipped: { held: 1, forgotten: 1, own: 0, older: 0 } },
    { copy: [], skipped: { held: 0, forgotten: 0, own: 1, older: 0 } },
  ])
})

test('a snapshot that came twice and was forgotten once is held', () => {
  const one = snapshot('desk', 'home', 1)
  for (const both of [[held(one), held(one, 'forgotten')], [held(one, 'forgotten'), held(one)]]) expect(plan({ snapshots: [one], held: both }).groups[0]?.skipped).toMatchObject({ held: 1, forgotten: 0 })
})

test('the same revision of another session, of another repository and of a random name is another snapshot', () => {
  const one = snapshot('desk', 'home', 1)
  expect(copied({ snapshots: [one], held: [held(snapshot('desk', 'home', 1, { nonce: '1' }))] })).toEqual({ 'desk/home': ['home@1'] })
  expect(copied({ snapshots: [one], held: [held(snapshot('desk', 'home', 1, { repository: third }))] })).toEqual({ 'desk/home': ['home@1'] })
})

test('what came to the source from elsewhere keeps its origin, and is a group of its own', () => {
  const [direct, synced] = [snapshot('desk', 'home', 1), snapshot('desk', 'home', 5, { repository: third })]
  const { groups } = plan({ snapshots: [direct, synced], held: [held(synced)] })
  expect(groups.map(({ name, group, copy }) => [name, group.repository, copy.length])).toEqual([['desk/home', source, 1], ['desk/home', third, 0]])
})

test('of each group only the newest so many; what is older counts neither as held nor as lacking', () => {
  const snapshots = [1, 2, 3, 4].map((revision) => snapshot('desk', 'home', revision))
  const [first] = snapshots
  expect(copied({ snapshots: [...snapshots, snapshot('attic', 'home', 1)], last: 2 })).toEqual({ 'attic/home': ['home@1'], 'desk/home': ['home@3', 'home@4'] })
  expect(plan({ snapshots, last: 3, held: first ? [held(first)] : [] }).groups[0]?.skipped).toEqual({ held: 0, forgotten: 0, own: 0, older: 1 })
})

test('patterns choose groups, whole names only; one that none has is told', () => {
  const snapshots = [snapshot('desk', 'home', 1), snapshot('desk2', 'home', 1), snapshot('a.b', 'home', 1), snapshot('axb', 'mail', 1)]
  expect(Object.keys(copied({ snapshots, patterns: ['desk?/home', 'a.b/*'] }))).toEqual(['a.b/home', 'desk2/home'])
  expect(Object.keys(copied({ snapshots, patterns: ['*/home'] }))).toEqual(['a.b/home', 'desk/home', 'desk2/home'])
  expect(plan({ snapshots, patterns: ['desk', '*/mail'] })).toMatchObject({ unmatched: ['desk'], groups: [{ name: 'axb/mail' }] })
})

test('what has vanished is removed in its group, also where nothing of that group is left', () => {
  const gone = (host: string): Vanished => ({ id: 'home~0@1', group: { repository: source, host, job: 'home' } })
  const { groups } = plan({ snapshots: [snapshot('desk', 'home', 2)], vanished: [gone('desk'), gone('attic')], patterns: [] })
  expect(groups.map(({ name, copy, remove }) => [name, copy.length, remove.length])).toEqual([['attic/home', 0, 1], ['desk/home', 1, 1]])
  expect(plan({ vanished: [gone('desk'), gone('attic')], patterns: ['attic/*'] }).groups.map(({ name }) => name)).toEqual(['attic/home'])
})
