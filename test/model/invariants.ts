import * as v from 'valibot'
import { decodeIndex } from '../../engine/repository/index-codec.ts'
import { blobsOfTag, closureOfRoot } from './repository.ts'
import type { ModelStore } from './store.ts'

const decision = v.pipe(v.string(), v.parseJson(), v.variant('type', [
  v.object({ type: v.literal('manifest'), nonce: v.string(), manifest: v.object({ root: v.string() }) }),
  v.object({ type: v.literal('expired') }),
  v.object({ type: v.literal('deleted'), nonce: v.string() }),
]))

export interface Committed {
  readonly name: string
  readonly nonce: string
  readonly root: string
  /** Flags mode: a prune had expired the session, so blobs may lack unless the session reported success. */
  readonly confirmed: boolean
}

/** Committed snapshots that count: neither forgotten nor expired. */
export function committed(store: ModelStore): Committed[] {
  return store.names('snapshots/').flatMap((name) => {
    const parsed = v.safeParse(decision, store.get(name).tag)
    if (!parsed.success || parsed.output.type !== 'manifest') return []
    const flag = name.replace(/^snapshots\/([0-9a-f]+)\/[0-9]+\//, '$1/')
    if (store.find(`deleted/${flag}`)) return []
    const { nonce, manifest } = parsed.output
    return [{ name, nonce, root: manifest.root, confirmed: !store.find(`expired/${flag}`) }]
  })
}

/** S1: every blob of every committed snapshot is in some pack. @returns a description of what is not. */
export function lostBlob(store: ModelStore, reported: ReadonlySet<string> = new Set()): string | undefined {
  const stored = new Set(store.names('packs/').flatMap((name) => blobsOfTag(store.get(name).tag)))
  for (const snapshot of committed(store)) {
    if (!snapshot.confirmed && !reported.has(snapshot.name)) continue
    const lost = closureOfRoot(snapshot.root).find((id) => !stored.has(id))
    if (lost !== undefined) return `S1: ${snapshot.name} needs blob ${lost.slice(0, 8)}, in no pack`
  }
  return undefined
}

/** S2: what a revision was committed as stays, until it becomes its own tombstone. Remembers what it saw. */
export class Revisions {
  readonly #nonces = new Map<string, string>()

  check(store: ModelStore): string | undefined {
    for (const name of store.names('snapshots/')) {
      const parsed = v.safeParse(decision, store.get(name).tag)
      if (!parsed.success) continue
      const before = this.#nonces.get(name)
      const now = parsed.output.type === 'expired' ? 'expired' : parsed.output.nonce
      if (before !== undefined && before !== now) return `S2: ${name} was decided and is decided again`
      this.#nonces.set(name, now)
    }
    return undefined
  }
}


/** I0: a stored pack that an index object has named is always named by one. Only hints, but else every reader would read its footer. */
export class IndexedPacks {
  readonly #seen = new Set<string>()

  check(store: ModelStore): string | undefined {
    const named = new Set<string>()
    for (const name of store.names('index/')) for (const pack of decodeIndex(Buffer.from(store.get(name).tag, 'latin1'), name)) named.add(pack.name)
    for (const name of named) this.#seen.add(name)
    const lost = store.names('packs/').map((name) => name.slice(name.lastIndexOf('/') + 1)).find((name) => this.#seen.has(name) && !named.has(name))
    return lost === undefined ? undefined : `index: pack ${lost} is in no index object any more`
  }
}
