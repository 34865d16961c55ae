import type { StorageBackend } from '../../engine/backend/backend.ts'
import { hasCode } from '../../engine/base/errors.ts'
import { encodeIndex } from '../../engine/repository/index-codec.ts'
import { indexObject, packObject } from '../../engine/repository/names.ts'
import { parseSnapshotName, snapshotName } from '../../engine/repository/protocol/names.ts'
import type { CopiedBlob } from '../../engine/repository/protocol/prune-context.ts'
import { sealDecision } from '../../engine/repository/protocol/records.ts'
import { sealObject } from '../../engine/repository/sealed.ts'
import { backup, forget, prune } from './actors.ts'
import type { BackupSpec, PruneSpec } from './actors.ts'
import * as m from './mutants.ts'
import { chunk, idHex, jobKey, keys, makePack, manifestOf, nowMs, tree } from './repository.ts'
import type { Actor, Arbiter, Scenario, Step } from './scheduler.ts'
import type { ModelStore } from './store.ts'

/** Spoils or delays an actor's requests: the mutant breaks a rule on its way to the storage. */
export type Saboteur = (backend: StorageBackend) => StorageBackend

export const honest: Saboteur = (backend) => backend

export function backupActor(name: string, spec: BackupSpec, saboteur = honest): Actor {
  return async (backend, arbiter) => {
    try {
      const { ref } = await backup(saboteur(backend), name, spec, arbiter)
      return { committed: [snapshotName(ref)] }
    } catch (error) {
      if (hasCode(error, 'expired')) return { committed: [], ended: 'expired' }
      throw error
    }
  }
}

export function pruneActor(name: string, spec: PruneSpec = {}, saboteur = honest): Actor {
  return async (backend, arbiter, plan) => {
    await prune(saboteur(backend), name, spec, arbiter, plan)
    return { committed: [] }
  }
}

/** Forgets the first snapshot it sees. */
export function forgetActor(saboteur = honest): Actor {
  return async (backend, arbiter) => {
    const spoiled = saboteur(backend)
    for await (const info of spoiled.list('snapshots/', new AbortController().signal)) {
      await forget(spoiled, parseSnapshotName(info.name), arbiter)
      break
    }
    return { committed: [] }
  }
}

/** A pack that is there from the start: `t:ab` holds the tree of {a, b}, `a` a chunk. */
export function packed(store: Pick<ModelStore, 'put'>, name: string, contents: readonly string[]): void {
  packedAs(store, name.padStart(32, '0'), contents)
}

function packedAs(store: Pick<ModelStore, 'put'>, name: string, contents: readonly string[]): void {
  store.put(packObject(name), makePack(blobsOf(contents).map((blob) => [blob])).bytes, true, nowMs)
}

function blobsOf(contents: readonly string[]): readonly CopiedBlob[] {
  return contents.map((what) => (what.startsWith('t:') ? tree(what.slice(2)) : chunk(what)))
}

/** An index object of one pack. */
export function indexed(store: Pick<ModelStore, 'put'>, name: string, contents: readonly string[]): void {
  const object = indexObject(name.padStart(32, 'e'))
  const { bytes, contents: segments } = makePack(blobsOf(contents).map((blob) => [blob]))
  const [plain] = [...encodeIndex([{ name: name.padStart(32, '0'), size: bytes.length, contents: segments }])]
  if (plain) store.put(object, sealObject(keys, object, 'index', plain), true, nowMs)
}

/** A snapshot that was committed long ago. */
export function snapshotted(store: Pick<ModelStore, 'put'>, job: string, revision: number, letters: string, arbiter: Arbiter = 'cas'): void {
  const ref = { jobKey: jobKey(job), revision, suffix: arbiter === 'flags' ? 'f'.repeat(32) : '' }
  const decision = { type: 'manifest', nonce: 'e'.repeat(32), manifest: manifestOf(job, letters) } as const
  store.put(snapshotName(ref), sealDecision(keys, ref, decision), true, nowMs)
}

const p0 = (store: ModelStore): void => { packed(store, '1', ['t:a', 'a']) }

/** One backup that needs what is there, one prune that sees no need for it: enough to break most mutants. */
const one = { letters: 'a', prepare: p0 }
export const needA: BackupSpec = { job: 'j', need: 'a' }
export const eachPack = (...names: readonly string[]): PruneSpec => ({
  change: (plan) => ({ ...plan, retire: names.map((name) => ({ name: name.padStart(32, '0'), reason: 'redundant', size: 0, copiedBytes: 0 })) }),
})

/** A prune that only merges index objects, beside a backup that puts one. */
export const merging = (saboteur: Saboteur): Pick<Scenario, 'prepare' | 'actors'> => ({
  prepare: (store) => { packed(store, '1', ['t:a', 'a']); packed(store, '2', ['b']); indexed(store, '1', ['t:a', 'a']); indexed(store, '2', ['b']) },
  actors: { B: backupActor('B', { job: 'k', need: 'ac', index: true }), G: pruneActor('G', { options: { minimumAgeMs: Infinity, smallIndexObjects: 0 } }, saboteur) },
})

/** Worlds that follow the protocol: nothing is ever lost in them. The letters are those of SCHEDULES.md. */
export const protocolScenarios: readonly Scenario[] = [
  { ...one, name: 'A0 one backup, one prune', small: true, actors: { B: backupActor('B', needA), G: pruneActor('G') } },
  { ...one, name: 'A1 one backup, one prune, retention, a lost reply', lost: 1, prepare: (store) => { p0(store); snapshotted(store, 'j', 1, 'a') },
    actors: { B: backupActor('B', needA), G: pruneActor('G'), F: forgetActor() } },
  { ...one, name: 'A2 two backups of one job, one prune', actors: { B: backupActor('B', needA), C: backupActor('C', needA), G: pruneActor('G') } },
  { ...one, name: 'A2c two backups of one job, conflicts and a lost reply', small: true, lost: 1, conflicts: 1, actors: { B: backupActor('B', needA), C: backupActor('C', needA) } },
  { ...one, name: 'A3 one backup, two prunes', actors: { B: backupActor('B', needA), G: pruneActor('G'), H: pruneActor('H') } },
  { ...one, name: 'A4 two backups of two jobs, one prune', actors: { B: backupActor('B', needA), C: backupActor('C', { job: 'k', need: 'a' }), G: pruneActor('G') } },
  { name: 'A6 repack (copy, then retire), one backup, one prune, retention', letters: 'ab',
    prepare: (store) => { packed(store, '1', ['t:b', 'a', 'b']); snapshotted(store, 'j', 1, 'b') },
    actors: { B: backupActor('B', { job: 'j', need: 'a' }), G: pruneActor('G'), F: forgetActor() } },
  { name: 'B8 any candidates, duplicate packs, one backup, two prunes', letters: 'a',
    prepare: (store) => { packed(store, '1', ['t:a', 'a']); packed(store, '2', ['t:a', 'a']); snapshotted(store, 'k', 1, 'a') },
    actors: { G: pruneActor('G', eachPack('1')), H: pruneActor('H', eachPack('2')), B: backupActor('B', needA) } },
  { ...one, name: 'B12 late session', prepare: (store) => { packed(store, '1', ['a']) }, actors: { B: backupActor('B', { ...needA, late: true }), G: pruneActor('G') } },
  { ...one, name: 'B13 declared session, the prune need not wait', small: true, prepare: (store) => { packed(store, '1', ['a']) },
    actors: { B: backupActor('B', { ...needA, late: true }), G: pruneActor('G', { options: { expireAfterMs: Infinity } }) } },
  { ...one, name: 'X1 declared session whose tree is not stored yet', small: true, prepare: (store) => { packed(store, '1', ['a']) },
    actors: { B: backupActor('B', { ...needA, declares: true }), G: pruneActor('G', { options: { expireAfterMs: Infinity } }) } },
  { ...one, name: 'B14 the backup acknowledges, the prune waits', small: true, actors: { B: backupActor('B', { ...needA, refresh: true }), G: pruneActor('G', { options: { expireAfterMs: Infinity } }) } },
  { ...one, name: 'B15 lost pack replies', small: true, prepare: () => undefined, lost: 1, actors: { B: backupActor('B', needA), G: pruneActor('G') } },
  { ...one, name: 'I0 index objects and their consolidation', prepare: (store) => { packed(store, '1', ['a']) },
    actors: { B: backupActor('B', { ...needA, index: true }), G: pruneActor('G', { options: { smallIndexObjects: 0 } }) } },
  { name: 'I0b merging index objects beside a backup', small: true, letters: 'abc', ...merging(honest) },
  { ...one, name: 'C1 flags: one backup, one prune, retention, a lost reply', arbiter: 'flags', lost: 1,
    prepare: (store) => { p0(store); snapshotted(store, 'j', 1, 'a', 'flags') },
    actors: { B: backupActor('B', needA), G: pruneActor('G'), F: forgetActor() } },
  { ...one, name: 'C2 flags: two backups of one job, one prune', arbiter: 'flags', actors: { B: backupActor('B', needA), C: backupActor('C', needA), G: pruneActor('G') } },
]

/** So small that each of their orders can be tried. */
export const tinyScenarios: readonly Scenario[] = [
  { ...one, name: 'two backups', noSolo: true, actors: { B: backupActor('B', needA), C: backupActor('C', needA) } },
  { ...one, name: 'a prune and retention', noSolo: true, prepare: (store) => { p0(store); snapshotted(store, 'j', 1, 'a') }, actors: { G: pruneActor('G', eachPack('1')), F: forgetActor() } },
  { ...one, name: 'two prunes', noSolo: true, actors: { G: pruneActor('G'), H: pruneActor('H') } },
]

/** Everything that can happen in one repository, for faults at every request: new data, garbage, a pack half in use, retention, an index. */
export const unusedAndLive: Scenario = {
  name: 'everything', letters: 'abc', lost: 1, conflicts: 1,
  prepare: (store) => {
    packed(store, '1', ['t:ab', 'a', 'c'])
    packed(store, '2', ['b'])
    packed(store, '3', ['t:c'])
    snapshotted(store, 'j', 1, 'c')
    snapshotted(store, 'k', 1, 'ab')
  },
  actors: {
    B: backupActor('B', { job: 'k', need: 'ac', index: true, refresh: true }),
    F: forgetActor(),
    G: pruneActor('G', { options: { smallIndexObjects: 0 } }),
    C: backupActor('C', { job: 'k', need: 'c', index: true }),
    H: pruneActor('H', { options: { smallIndexObjects: 0 } }),
  },
}

/** The schedules that broke protocols which left one rule out (SCHEDULES.md), and two of Duplicacy's. */
export interface NamedSchedule {
  readonly scenario: Scenario
  readonly steps: readonly Step[]
}

const twoPacks = (store: ModelStore): void => {
  packed(store, '1', ['t:a', 'a'])
  packed(store, '2', ['t:a', 'a'])
  snapshotted(store, 'j', 1, 'a')
}
const live = (store: ModelStore): void => {
  p0(store)
  snapshotted(store, 'j', 1, 'a')
}
const halfLive = (store: ModelStore): void => {
  packed(store, '1', ['t:b', 'b', 't:a', 'a'])
  snapshotted(store, 'k', 1, 'b')
}
const BG: Scenario['actors'] = { B: backupActor('B', needA), G: pruneActor('G') }
const lostCommit = (commit: string): readonly Step[] => [
  ['B', 'list packs/'], ['G', 'stat config'], ['B', commit, 'lost'], ['G', 'remove intents/'], ['F', ''], ['G', 'list snapshots/'], ['B', ''], ['G', ''],
]
const n12: readonly Step[] = [
  ['B', 'put packs/', 'lost'], ['G', 'remove packs/'], ['G', 'list packs/'], ['B', 'put packs/'], ['B', 'create snapshots/'], ['H', 'list gc/'], ['G', 'remove gc/'],
  ['H', 'list intents/'], ['B', 'list packs/'], ['H', 'list snapshots/'], ['B', 'create snapshots/'], ['H', 'remove packs/'],
]
const n13: readonly Step[] = [
  ['G', 'list packs/'], ['H', 'list gc/'], ['G', 'remove gc/'], ['H', 'list intents/'], ['B', 'list packs/'], ['F', ''], ['H', 'list snapshots/'],
  ['B', 'create snapshots/'], ['H', 'remove packs/'],
]
const apart = (store: ModelStore): void => { packed(store, '1', ['t:a']); packed(store, '2', ['a']) }
/** The trace that test/model/abstract finds for X2. */
const x2: readonly Step[] = [
  ['B', 'list packs/'], ['H', 'put gc/'], ['H', 'list gc/'], ['G', 'put gc/'], ['G', 'get intents/'], ['B', ''], ['G', 'put expired/'], ['G', 'list packs/'], ['G', 'get packs/'], ['G', 'get packs/'],
  ['H', 'remove packs/'], ['G', ''],
]
const duplicacy = (steps: readonly Step[], more: Scenario['actors'] = {}): Partial<Scenario> & { readonly steps: readonly Step[] } => ({
  letters: 'ab', prepare: (store) => { packed(store, '1', ['t:a', 'a']); packed(store, '2', ['t:b', 'b']); snapshotted(store, 'j', 1, 'b') },
  actors: { B: backupActor('B', { job: 'j', need: 'b' }), C: backupActor('C', needA), G: pruneActor('G'), ...more }, steps,
})
const overlapping: readonly Step[] = [['B', 'list snapshots/'], ['C', 'list packs/'], ['G', 'put gc/'], ['B', 'create snapshots/'], ['G', 'remove packs/']]

export const namedSchedules: readonly NamedSchedule[] = ([
  { name: 'N01', steps: [['B', 'list packs/'], ['G', 'list snapshots/'], ['B', 'create snapshots/'], ['G', 'remove packs/']] },
  { name: 'N02', steps: [['B', 'list packs/'], ['G', 'list gc/'], ['G', 'create snapshots/'], ['B', 'create snapshots/'], ['G', '']] },
  { name: 'N03', steps: [['G', 'list intents/'], ['B', 'stat snapshots/'], ['G', ''], ['B', '']] },
  { name: 'N04', steps: [['B', 'create intents/'], ['G', 'list intents/'], ['B', ''], ['G', '']] },
  { name: 'N05', steps: [['G', 'list intents/'], ['B', 'stat snapshots/'], ['G', 'remove packs/'], ['G', 'remove gc/'], ['B', '']] },
  { name: 'N06', steps: [['B', 'list packs/'], ['G', 'stat config'], ['B', ''], ['G', '']] },
  { name: 'N07', steps: [['B', 'list packs/'], ['G', 'put gc/'], ['B', ''], ['G', '']] },
  { name: 'N08', steps: [['G', 'stat config'], ['B', 'list packs/'], ['G', 'list snapshots/'], ['B', ''], ['G', '']] },
  { name: 'N09', steps: [['B', 'list packs/'], ['G', 'list snapshots/'], ['B', ''], ['G', '']] },
  { name: 'N10', steps: [['B', 'list packs/'], ['G', ''], ['B', '']] },
  { name: 'N11', steps: [['G', 'list intents/'], ['B', 'put packs/'], ['G', 'list snapshots/'], ['B', ''], ['G', '']] },
  { name: 'N12', prepare: () => undefined, actors: { ...BG, H: pruneActor('H') }, steps: n12 },
  { name: 'N13', prepare: live, actors: { ...BG, G: pruneActor('G', eachPack('1')), H: pruneActor('H', eachPack()), F: forgetActor() }, steps: n13 },
  { name: 'N14', prepare: twoPacks, actors: { G: pruneActor('G', eachPack('2')), H: pruneActor('H', eachPack('1')) },
    steps: [['G', 'list packs/'], ['H', 'list packs/'], ['G', 'remove packs/'], ['H', 'remove packs/']] },
  { name: 'N15', prepare: twoPacks, actors: { G: pruneActor('G', eachPack('2')), H: pruneActor('H', eachPack('1')) },
    steps: [['G', 'put gc/'], ['H', 'stat config'], ['G', 'remove packs/'], ['G', 'remove gc/'], ['H', '']] },
  { name: 'N16', steps: [['B', 'stat snapshots/'], ['G', 'list snapshots/'], ['B', 'list packs/'], ['G', 'remove packs/'], ['B', '']] },
  { name: 'N17', prepare: live, actors: { ...BG, F: forgetActor() }, steps: lostCommit('create snapshots/') },
  { name: 'N18', steps: [['B', 'list packs/'], ['G', ''], ['B', '']] },
  { name: 'N19', steps: [['B', 'list packs/'], ['G', 'list snapshots/'], ['B', 'create snapshots/'], ['G', '']] },
  { name: 'N20', steps: [['B', 'list packs/'], ['G', 'list snapshots/'], ['B', 'create snapshots/'], ['G', 'remove gc/'], ['B', '']] },
  { name: 'N21', letters: 'ab', prepare: (store) => { packed(store, '1', ['t:a', 't:b', 'b']); packed(store, '2', ['a']); snapshotted(store, 'k', 1, 'b') },
    actors: { ...BG, G: pruneActor('G', eachPack('2')) }, steps: [['G', 'list intents/'], ['B', 'list packs/'], ['G', 'list snapshots/'], ['B', ''], ['G', '']] },
  { name: 'N22', letters: 'ab', prepare: halfLive, steps: [['B', 'list packs/'], ['G', 'list snapshots/'], ['B', ''], ['G', '']] },
  { name: 'N23', steps: [['B', 'list packs/'], ['G', 'remove intents/'], ['G', 'list snapshots/'], ['B', ''], ['G', '']] },
  { name: 'N24', steps: [['B', 'list packs/'], ['G', 'create snapshots/'], ['B', 'create snapshots/'], ['G', ''], ['B', '']] },
  { name: 'N25', arbiter: 'flags', prepare: (store) => { p0(store); snapshotted(store, 'j', 1, 'a', 'flags') }, actors: { ...BG, F: forgetActor() }, steps: lostCommit('put snapshots/') },
  { name: 'X2 flags: a tree moves while a prune that flagged its snapshot too late looks for it', arbiter: 'flags', fine: true, prepare: apart,
    actors: { ...BG, G: pruneActor('G', eachPack('2')), H: pruneActor('H', eachPack('1')) }, steps: x2 },
  { name: 'D1 Duplicacy: the second run overwrites the revision', ...duplicacy([...overlapping, ['C', '']]) },
  { name: 'D5 Duplicacy: the loser takes the next revision', ...duplicacy([...overlapping, ['C', 'create snapshots/'], ['C', '']]) },
  { name: 'D6 Duplicacy: a removed revision is used again', ...duplicacy([...overlapping, ['F', ''], ['C', '']], { F: forgetActor() }) },
] as readonly (Partial<Scenario> & { readonly name: string, readonly steps: readonly Step[] })[])
  .map(({ steps, ...scenario }) => ({ scenario: { ...one, actors: BG, ...scenario }, steps }))

/** Mutants that a schedule shows at once and a search only after long. */
export const mutantSchedules: readonly (NamedSchedule & { readonly rule: string })[] = ([
  { name: 'N12 repeats a pack upload under its name', rule: 'R5', prepare: () => undefined, steps: n12,
    actors: { B: backupActor('B', { ...needA, nameOf: () => 'b'.repeat(32) }), G: pruneActor('G'), H: pruneActor('H') } },
  { name: 'N13 rescues by un-retiring', rule: 'R8', prepare: live, steps: n13,
    actors: { B: backupActor('B', needA), G: pruneActor('G', eachPack('1'), m.rescuesByUnretiring), H: pruneActor('H', eachPack()), F: forgetActor() } },
  { name: 'N17 forgets by removing', rule: 'R6', prepare: (store) => { p0(store) }, steps: lostCommit('create snapshots/'),
    actors: { ...BG, F: forgetActor(m.forgetsByRemoving) } },
  { name: 'N25 flags: forgets without a flag', rule: 'R6', arbiter: 'flags', prepare: p0, steps: lostCommit('put snapshots/'),
    actors: { ...BG, F: forgetActor(m.forgetsWithoutFlag) } },
] as readonly (Partial<Scenario> & { readonly name: string, readonly rule: string, readonly steps: readonly Step[] })[])
  .map(({ steps, rule, ...scenario }) => ({ rule, scenario: { ...one, noSolo: true, mayFail: true, ignoreReports: true, actors: BG, ...scenario }, steps }))

const b = (saboteur: Saboteur, spec = needA): Scenario['actors'] => ({ B: backupActor('B', spec, saboteur), G: pruneActor('G') })
const g = (saboteur: Saboteur, spec: PruneSpec = {}): Scenario['actors'] => ({ B: backupActor('B', needA), G: pruneActor('G', spec, saboteur) })

/** Worlds in which one actor breaks one rule: the search must find what it costs. */
export const mutantScenarios: readonly (Scenario & { readonly rule: string, readonly finds: RegExp })[] = ([
  { name: 'N01 commits blindly', rule: 'R4', actors: b(m.commitsBlindly) },
  { name: 'N02 looks, then commits', rule: 'R4', actors: b(m.checksThenCommits) },
  { name: 'R4 takes every refusal for expiry', rule: 'R4', lost: 1, finds: /S2/, actors: { B: backupActor('B', needA, m.takesEveryRefusalForExpiry) } },
  { name: 'N03 trusts its cache', rule: 'R2', actors: b(m.trustsItsCache) },
  { name: 'N04 reads before its intent', rule: 'R1', actors: b(m.readsBeforeItsIntent) },
  { name: 'N05 lists packs before records', rule: 'R1', actors: b(m.listsPacksBeforeRecords) },
  { name: 'N06 never reads snapshots again', rule: 'R7', actors: g(m.neverReadsSnapshotsAgain) },
  { name: 'N07 lists snapshots before sessions', rule: 'R7', actors: g(m.listsSnapshotsBeforeSessions) },
  { name: 'N08 lists sessions before the record', rule: 'R7', actors: g(m.listsSessionsBeforeTheRecord) },
  { name: 'N09 no sessions', rule: 'R7', actors: { B: backupActor('B', needA, m.announcesNothing), G: pruneActor('G', {}, m.seesNoSessions) } },
  { name: 'N10 deletes by age', rule: 'R7', actors: g(m.deletesByAge) },
  { name: 'N11 names packs after their contents', rule: 'R5',
    prepare: (store) => { packedAs(store, m.contentName([tree('a'), chunk('a')].map(({ id }) => idHex(id)).join()), ['t:a', 'a']) },
    actors: { B: backupActor('B', { ...needA, nameOf: m.contentName }), G: pruneActor('G') } },
  { name: 'N14 counts retired packs of others', rule: 'R8',
    prepare: (store) => { packed(store, '1', ['t:a', 'a']); packed(store, '2', ['t:a', 'a']); snapshotted(store, 'j', 1, 'a') },
    actors: { G: pruneActor('G', eachPack('1'), m.countsOthersRetiredPacks), H: pruneActor('H', eachPack('2'), m.countsOthersRetiredPacks) } },
  { name: 'N15 lists packs before the record', rule: 'R7',
    prepare: (store) => { packed(store, '1', ['t:a', 'a']); packed(store, '2', ['t:a', 'a']); snapshotted(store, 'j', 1, 'a') },
    actors: { G: pruneActor('G', eachPack('2'), m.listsPacksBeforeTheRecord), H: pruneActor('H', eachPack('1'), m.listsPacksBeforeTheRecord) } },
  { name: 'N16 removes the record first', rule: 'R7', actors: g(m.removesTheRecordFirst) },
  { name: 'N18 collects tombstones', rule: 'R6', ignoreReports: true, actors: g(m.collectsTombstones) },
  { name: 'N21 a stored tree vouches for its children', rule: 'R3', letters: 'ab',
    prepare: (store) => { packed(store, '1', ['t:a', 't:b', 'b']); packed(store, '2', ['a']); snapshotted(store, 'k', 1, 'b') },
    actors: { B: backupActor('B', { ...needA, skipsChildrenOfStoredTrees: true }), G: pruneActor('G', eachPack('2')) } },
  { name: 'N22 repacks without sessions', rule: 'R7', letters: 'ab',
    prepare: (store) => { packed(store, '1', ['t:b', 'b', 't:a', 'a']); snapshotted(store, 'k', 1, 'b') },
    actors: { B: backupActor('B', needA, m.announcesNothing), G: pruneActor('G', {}, m.seesNoSessions) } },
  { name: 'N19 idea (i): pending, clears the mark, commits', rule: 'R7', ignoreReports: true,
    actors: { B: backupActor('B', needA, m.clearsMarksAndCommits), G: pruneActor('G', {}, m.stopsAtPending) } },
  { name: 'N20 idea (i): pending, looks for marks, commits', rule: 'R7', ignoreReports: true,
    actors: { B: backupActor('B', needA, m.looksForMarksAndCommits), G: pruneActor('G', {}, m.stopsAtPending) } },
  { name: 'I1 lists packs before the index', rule: 'R7', finds: /index: pack/, ...merging(m.listsPacksBeforeTheIndex) },
  { name: 'I2 removes merged indexes first', rule: 'R7', finds: /index: pack/, ...merging(m.removesMergedIndexesFirst) },
  { name: 'N23 expires by removing the intent', rule: 'R10', actors: g(m.expiresByRemovingTheIntent) },
  { name: 'N24 … and the backup looks for its intent', rule: 'R10',
    actors: { B: backupActor('B', needA, m.looksForItsIntent), G: pruneActor('G', {}, m.expiresByRemovingTheIntent) } },
  { name: 'R10 withdraws its intent early', rule: 'R10', actors: b(m.withdrawsItsIntentEarly) },
  { name: 'R9 passes over what it cannot read', rule: 'R9', prepare: (store) => { p0(store); snapshotted(store, 'k', 1, 'a') },
    actors: { G: pruneActor('G', {}, m.passesOverTheUnreadable) } },
] as readonly (Partial<Scenario> & { name: string, rule: string, finds?: RegExp, actors: Scenario['actors'] })[])
  .map((scenario) => ({ ...one, noSolo: true, mayFail: true, finds: /S1|S2/, ...scenario }))
