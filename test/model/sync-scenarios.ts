import type { StorageBackend } from '../../engine/backend/backend.ts'
import { parseRevisionKey, snapshotName } from '../../engine/repository/protocol/names.ts'
import { sealDecision } from '../../engine/repository/protocol/records.ts'
import { jobKeyOf } from '../../engine/repository/keys.ts'
import { syncedJobName } from '../../engine/snapshot/origin.ts'
import * as v from 'valibot'
import { forget } from './actors.ts'
import { jobKey, keys, manifestOf, nowMs, sourceFolder, sourceId } from './repository.ts'
import { backupActor, forgetActor, indexed, needA, packed, pruneActor, snapshotted } from './scenarios.ts'
import type { Actor, ActorReport, Scenario, Step } from './scheduler.ts'
import type { ModelStore } from './store.ts'
import { sourceOf, sync, type SyncSpec } from './sync.ts'

function syncActor(name: string, spec: SyncSpec = {}): Actor {
  return async (backend, arbiter) => {
    const { committed, unreadable } = await sync(backend, name, spec, arbiter)
    return { committed, ...(unreadable ? { ended: 'unreadable' } : {}) }
  }
}

/** An actor that works in the source. */
function atSource(actor: Actor): Actor {
  return async (backend: StorageBackend, ...rest) => {
    const { committed } = await actor(sourceOf(backend), ...rest)
    return { committed: committed.map((name) => `${sourceFolder}${name}`) }
  }
}

function forgetRevision(revision: number): Actor {
  return async (backend, arbiter) => {
    // Reads take effect at once; whoever starts with one would look before its turn.
    for await (const _ of backend.list('snapshots/', new AbortController().signal));
    await forget(backend, { jobKey: jobKey('j'), revision, suffix: '' }, arbiter)
    return { committed: [] }
  }
}

function sourceStore(store: ModelStore): Pick<ModelStore, 'put'> {
  return { put: (name, ...rest) => { store.put(`${sourceFolder}${name}`, ...rest) } }
}

/** The source has a snapshot of chunk a, in a pack with one that nobody needs. */
const standing = (store: ModelStore, arbiter: 'cas' | 'flags' = 'cas'): void => {
  packed(sourceStore(store), '1', ['t:a', 'a', 'b'])
  indexed(sourceStore(store), '1', ['t:a', 'a', 'b'])
  snapshotted(sourceStore(store), 'j', 1, 'a', arbiter)
}

/** It was synced once, and forgotten at the source since unless it stands. */
const synced = (store: ModelStore, stands = false): void => {
  const nonce = 'e'.repeat(32)
  const origin = { repository: sourceId, job: 'j', revision: '1', nonce }
  const there = { jobKey: jobKey('j'), revision: 1, suffix: '' }
  if (stands) snapshotted(sourceStore(store), 'j', 1, 'a')
  else sourceStore(store).put(snapshotName(there), sealDecision(keys, there, { type: 'deleted', nonce, origin: undefined }), true, nowMs)
  packed(sourceStore(store), '1', ['t:a', 'a'])
  packed(store, '1', ['t:a', 'a'])
  const ref = { jobKey: jobKeyOf(keys, syncedJobName({ repository: sourceId, host: 'h', job: 'j' })), revision: 1, suffix: '' }
  store.put(snapshotName(ref), sealDecision(keys, ref, { type: 'manifest', nonce, manifest: { ...manifestOf('j', 'a'), version: 2, origin } }), true, nowMs)
}

const tombstone = v.pipe(v.string(), v.parseJson(), v.object({ type: v.literal('deleted'), origin: v.object({ job: v.string(), revision: v.string() }) }))
const manifest = v.pipe(v.string(), v.parseJson(), v.object({ type: v.literal('manifest') }))

/** Z1: where nobody forgets at the destination, what is forgotten there was forgotten at the source. */
function forgottenAlone(store: ModelStore): string | undefined {
  for (const name of store.names('snapshots/')) {
    const gone = v.safeParse(tombstone, store.get(name).tag)
    const ref = gone.success ? parseRevisionKey(jobKey(gone.output.origin.job), gone.output.origin.revision) : undefined
    if (ref && v.is(manifest, store.find(`${sourceFolder}${snapshotName(ref)}`)?.tag ?? '')) return `Z1: ${name} was forgotten, and stands at the source`
  }
  return undefined
}

/** Z2: who says that something cannot be read at the source is right: of what stands there all can be. */
function saidUnreadable(store: ModelStore, reports: readonly ActorReport[]): string | undefined {
  if (!reports.some(({ ended }) => ended === 'unreadable')) return undefined
  const stands = store.names(`${sourceFolder}snapshots/`).find((name) => v.is(manifest, store.get(name).tag))
  return stands === undefined ? undefined : `Z2: ${stands} stands, and was not copied`
}

/** Z4: where nobody forgets at the destination, something of what was synced is left. */
function lastForgotten(store: ModelStore): string | undefined {
  const tags = store.names('snapshots/').map((name) => store.get(name).tag)
  return tags.some((tag) => v.is(tombstone, tag)) && !tags.some((tag) => v.is(manifest, tag)) ? 'Z4: nothing of the group is left' : undefined
}

const check = (store: ModelStore, reports: readonly ActorReport[]): string | undefined => forgottenAlone(store) ?? saidUnreadable(store, reports) ?? lastForgotten(store)
const world: Pick<Scenario, 'letters' | 'prepare' | 'check'> = { letters: 'a', prepare: standing, check }
const S = syncActor('S')
const G = pruneActor('G')
const atSourceG = atSource(pruneActor('G'))
const B = atSource(backupActor('B', { job: 'j', need: 'b' }))
const removing: Scenario['actors'] = { S: syncActor('S', { removeVanished: true }), B, T: syncActor('T') }

/** Syncs beside whoever else is there: nothing is lost on either side, what stands arrives, and nothing goes that stands. */
export const syncScenarios: readonly Scenario[] = [
  { ...world, name: 'Y1 a sync, a prune at the source', small: true, actors: { S, G: atSourceG } },
  { ...world, name: 'Y1b a sync, a prune and retention at the source, a lost reply', lost: 1, actors: { S, G: atSourceG, F: atSource(forgetActor()) } },
  { ...world, name: 'Y2 two syncs into one destination', small: true, actors: { S, T: syncActor('T') } },
  { ...world, name: 'Y2b two syncs into one destination, a prune there', actors: { S, T: syncActor('T'), G } },
  { ...world, name: 'Y3 what vanished is removed beside a backup at the source and another sync', prepare: (store) => { synced(store) }, letters: 'ab', actors: removing },
  { ...world, name: 'Y4 a sync that sleeps while prunes run at the destination', actors: { S, G, H: pruneActor('H') } },
  { ...world, name: 'Y4b a sync, a backup and a prune at the destination', actors: { S, B: backupActor('B', needA), G } },
  { ...world, name: 'Y5 flags: two syncs, a prune on each side', arbiter: 'flags', prepare: (store) => { standing(store, 'flags') }, actors: { S, T: syncActor('T'), G: atSourceG, H: pruneActor('H') } },
]

/** A prune removes the only pack while a sync is in mid-read; a sync sleeps from its first look on while two prunes end its sessions; a snapshot is made and synced after the list of the source was read. */
export const syncSchedules: readonly { readonly scenario: Scenario, readonly steps: readonly Step[] }[] = [
  { scenario: { ...world, name: 'Y1 the pack that is read goes, and its copy is found', fine: true, actors: { S, G: atSourceG } }, steps: [['S', 'list source/index/'], ['G', ''], ['S', '']] },
  { scenario: { ...world, name: 'Y1 forgotten and pruned in mid-read, nothing arrives', fine: true, actors: { S, F: atSource(forgetActor()), G: atSourceG } },
    steps: [['S', 'list source/index/'], ['F', ''], ['G', ''], ['S', '']] },
  { scenario: { ...world, name: 'Y2 both copy at once', actors: { S, T: syncActor('T') } }, steps: [['S', 'put packs/'], ['T', 'put packs/'], ['S', 'create snapshots/'], ['T', '']] },
  { scenario: { ...world, name: 'Y3 made and synced since the source was listed', prepare: (store) => { synced(store) }, actors: removing }, steps: [['S', 'list source/snapshots/'], ['B', ''], ['T', ''], ['S', '']] },
  { scenario: { ...world, name: 'Y12 two that remove see the source at two times', prepare: (store) => { synced(store, true) },
    actors: { S: syncActor('S', { removeVanished: true }), B, T: syncActor('T', { removeVanished: true }), F: atSource(forgetRevision(1)), E: atSource(forgetRevision(2)) } },
  steps: [['S', 'list source/snapshots/'], ['B', ''], ['F', ''], ['T', 'create snapshots/'], ['E', ''], ['S', ''], ['T', '']] },
  { scenario: { ...world, name: 'Y4 asleep for a month', actors: { S, G, H: pruneActor('H') } }, steps: [['S', 'put packs/'], ['G', ''], ['S', 'put packs/'], ['H', ''], ['S', '']] },
]

/** A sync that breaks one thing, and what is found of it. */
export const brokenSyncs: readonly (Scenario & { readonly finds: RegExp, readonly steps?: readonly Step[] })[] = ([
  { name: 'Y6 reads the source once', fine: true, finds: /Z2/, actors: { S: syncActor('S', { breaks: 'reads the source once' }), G: atSourceG } },
  { name: 'Y7 passes over what it cannot read', fine: true, finds: /S1/, actors: { S: syncActor('S', { breaks: 'passes over what it cannot read' }), F: atSource(forgetActor()), G: atSourceG } },
  { name: 'Y8 takes the unlisted for forgotten', finds: /Z[14]/, prepare: (store: ModelStore) => { synced(store) }, actors: { ...removing, S: syncActor('S', { breaks: 'takes the unlisted for forgotten' }) } },
  { name: 'Y9 counts on an expired session', finds: /S1/, actors: { S: syncActor('S', { breaks: 'counts on an expired session' }), G },
    steps: [['S', 'put packs/'], ['G', ''], ['S', '']] },
] as const).map((scenario) => ({ ...world, noSolo: true, mayFail: true, ...scenario }))
