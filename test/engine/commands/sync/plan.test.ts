import { expect, test } from 'vitest'
import { planSync, whyAllStay, type Held, type PlanInput, type SourceSnapshot, type Vanished } from '../../../../engine/commands/sync/plan.ts'

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

test('what has vanished is removed in its group', () => {
  const gone = (host: string): Vanished => ({ id: 'home~0@1', origin: snapshot(host, 'home', 1).origin, group: { repository: source, host, job: 'home' } })
  const { groups } = plan({ snapshots: [snapshot('desk', 'home', 2)], vanished: [gone('desk'), gone('attic')], patterns: [] })
  expect(groups.map(({ name, copy, remove, stays }) => [name, copy.length, remove.length, stays.length])).toEqual([['attic/home', 0, 0, 1], ['desk/home', 1, 1, 0]])
  expect(plan({ vanished: [gone('desk'), gone('attic')], patterns: ['attic/*'] }).groups.map(({ name }) => name)).toEqual(['attic/home'])
})

const desk = { repository: source, host: 'desk', job: 'home' }
const at = (one: SourceSnapshot): Held => ({ origin: one.origin, state: 'held', group: desk })
const gone = (one: SourceSnapshot, stays?: Vanished['stays']): Vanished => ({ id: one.id, origin: one.origin, group: desk, ...(stays ? { stays } : {}) })

function removals(more: Partial<PlanInput<SourceSnapshot, Vanished>>): unknown {
  return plan(more).groups.map(({ remove, stays, mayEmpty }) => ({ remove: remove.map(({ id }) => id), stays: stays.map(({ id, because }) => `${id} ${because}`), mayEmpty }))
}

test('of what vanished all goes but what something keeps', () => {
  const [one, two, three] = [snapshot('desk', 'home', 1), snapshot('desk', 'home', 2), snapshot('desk', 'home', 3)]
  const input = { snapshots: [three], held: [at(one), at(two), at(three)] }
  expect(removals({ ...input, vanished: [gone(one), gone(two, 'pinned')] })).toEqual([{ remove: ['home@1'], stays: ['home@2 pinned'], mayEmpty: true }])
  expect(removals({ ...input, vanished: [gone(one, 'held'), gone(two, 'held-at-source')] })).toEqual([{ remove: [], stays: ['home@1 held', 'home@2 held-at-source'], mayEmpty: true }])
})

test('a group that the source has nothing of, or that nothing would be left of, stays unless it is named; what comes makes up for what goes, if it comes', () => {
  const [one, two, three] = [snapshot('desk', 'home', 1), snapshot('desk', 'home', 2), snapshot('desk', 'home', 3)]
  const none = { held: [at(one), at(two)], vanished: [gone(one), gone(two)] }
  expect(removals(none)).toEqual([{ remove: [], stays: ['home@1 gone', 'home@2 gone'], mayEmpty: false }])
  expect(removals({ ...none, vanished: [gone(one)] })).toEqual([{ remove: [], stays: ['home@1 gone'], mayEmpty: true }])
  const forgotten = { ...none, snapshots: [three], held: [...none.held, held(three, 'forgotten')] }
  expect(removals(forgotten)).toEqual([{ remove: [], stays: ['home@1 last', 'home@2 last'], mayEmpty: false }])
  expect(removals({ ...none, patterns: ['desk/*'] })).toMatchObject([{ remove: [] }])
  for (const each of [none, forgotten]) expect(removals({ ...each, patterns: ['desk/home'] })).toEqual([{ remove: ['home@1', 'home@2'], stays: [], mayEmpty: true }])
  expect(removals({ ...none, patterns: ['desk/home'], vanished: [gone(one, 'held'), gone(two)] })).toEqual([{ remove: ['home@2'], stays: ['home@1 held'], mayEmpty: true }])
  expect(removals({ ...none, snapshots: [three] })).toEqual([{ remove: ['home@1', 'home@2'], stays: [], mayEmpty: false }])
})

test('where what was to come has not come, nothing goes', () => {
  expect(whyAllStay({ mayEmpty: true }, { failed: 1, arrived: 3 })).toBe('not-copied')
  expect(whyAllStay({ mayEmpty: false }, { failed: 0, arrived: 0 })).toBe('last')
  expect(whyAllStay({ mayEmpty: true }, { failed: 0, arrived: 0 })).toBeUndefined()
  expect(whyAllStay({ mayEmpty: false }, { failed: 0, arrived: 1 })).toBeUndefined()
})
