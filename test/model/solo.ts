import { fromHex, toHex } from '../../engine/base/bytes.ts'
import type { StorageBackend } from '../../engine/backend/backend.ts'
import { loadBlob } from '../../engine/repository/pack-reader.ts'
import { refreshPacks } from '../../engine/repository/protocol/prune-contents.ts'
import { pruneContext } from '../../engine/repository/protocol/prune-context.ts'
import { backup, prune } from './actors.ts'
import { committed, lostBlob } from './invariants.ts'
import { MemoryLiveness } from './memory-liveness.ts'
import { blobsOfTag, closure, closureOfRoot, memoryPacks, nowMs, randomOf, repositoryOn, stillClock } from './repository.ts'
import type { ModelStore } from './store.ts'
import { World } from './world.ts'

const never = new AbortController().signal

/** A backend of the store whose every request is served at once. */
export function aloneOn(store: ModelStore): StorageBackend {
  const world = new World(store, { immediate: 'all', nowMs: () => nowMs, afterChange: () => undefined })
  return world.backend('alone')
}

/** S3 and L1: after everybody died, a fresh backup adopts what is there, and a fresh prune leaves neither garbage nor records nor intents. */
export async function soloProblem(store: ModelStore, arbiter: 'cas' | 'flags', letters: string): Promise<string | undefined> {
  return await adoptProblem(store.clone(), arbiter, letters) ?? pruneProblem(store.clone(), arbiter, letters)
}

async function adoptProblem(store: ModelStore, arbiter: 'cas' | 'flags', letters: string): Promise<string | undefined> {
  const retired = new Set(store.names('gc/').flatMap((name) => (JSON.parse(store.get(name).tag) as { packs: string[] }).packs))
  const usable = new Set(store.names('packs/').filter((name) => !retired.has(name.slice(9))).flatMap((name) => blobsOfTag(store.get(name).tag)))
  const expected = closure(letters).map(({ id }) => toHex(id)).filter((id) => !usable.has(id))
  const { uploadedBlobs } = await backup(aloneOn(store), 'fresh backup', { job: 'fresh', need: letters }, arbiter)
  if (uploadedBlobs.join() !== expected.join()) return `S3: a fresh backup uploaded ${uploadedBlobs.length} blobs instead of ${expected.length}`
  return lostBlob(store) ?? unreadableBlob(store, arbiter)
}

async function pruneProblem(store: ModelStore, arbiter: 'cas' | 'flags', letters: string): Promise<string | undefined> {
  for (const round of [1, 2, 3]) {
    const before = store.fingerprint()
    await prune(aloneOn(store), `fresh prune ${round}`, {}, arbiter)
    const lost = lostBlob(store)
    if (lost !== undefined) return `S3, after a fresh prune: ${lost}`
    if (store.fingerprint() === before) break
  }
  return leftover(store) ?? adoptProblem(store, arbiter, letters)
}

function leftover(store: ModelStore): string | undefined {
  for (const folder of ['gc/', 'intents/', 'acks/']) {
    const [left] = store.names(folder)
    if (left !== undefined) return `L1: ${left} is left`
  }
  const live = new Set(committed(store).flatMap((snapshot) => closureOfRoot(snapshot.root)))
  const holders = new Map<string, number>()
  for (const name of store.names('packs/')) for (const id of blobsOfTag(store.get(name).tag)) holders.set(id, (holders.get(id) ?? 0) + 1)
  for (const name of store.names('packs/')) {
    const ids = blobsOfTag(store.get(name).tag)
    if (!ids.some((id) => live.has(id))) return `L1: garbage ${name} is never reclaimed`
    if (ids.some((id) => !live.has(id))) return `L1: garbage blobs in ${name} are never reclaimed`
    if (ids.every((id) => (holders.get(id) ?? 0) > 1)) return `L1: redundant ${name} is never reclaimed`
  }
  return undefined
}

/** Really reads, decrypts and checks everything that committed snapshots need. */
async function unreadableBlob(store: ModelStore, arbiter: 'cas' | 'flags'): Promise<string | undefined> {
  const repository = repositoryOn(aloneOn(store), arbiter)
  using liveness = new MemoryLiveness()
  const context = pruneContext({ repository, store: liveness, packs: memoryPacks, clock: stillClock, random: randomOf('reader') }, { shards: 1 })
  await refreshPacks(context, never)
  const ids = new Set(committed(store).filter((snapshot) => snapshot.confirmed).flatMap((snapshot) => closureOfRoot(snapshot.root)))
  for (const id of ids) {
    try {
      await loadBlob(repository, liveness, fromHex(id), never)
    } catch (error) {
      return `S1: blob ${id.slice(0, 8)} cannot be read: ${String(error)}`
    }
  }
  return undefined
}
