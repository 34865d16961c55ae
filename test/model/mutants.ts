import type { ObjectInfo, PutOptions, StorageBackend } from '../../engine/backend/backend.ts'
import { HoldfastError } from '../../engine/base/errors.ts'
import { shortHash } from './store.ts'
import type { Saboteur } from './scenarios.ts'

const never = new AbortController().signal

/** A listing that was taken at another time than the protocol asks for. */
class Listing {
  #infos: readonly ObjectInfo[] | undefined
  readonly #bytes = new Map<string, Uint8Array>()

  async take(backend: StorageBackend, prefix: string, withBytes = false): Promise<void> {
    const infos: ObjectInfo[] = []
    for await (const info of backend.list(prefix, never)) infos.push(info)
    this.#infos = infos
    if (withBytes) for (const { name } of infos) this.#bytes.set(name, await backend.get(name, 'all', never).catch(() => new Uint8Array(0)))
  }

  get taken(): boolean {
    return this.#infos !== undefined
  }

  /** Gives it out once and for all, or only once. */
  use(once: boolean): readonly ObjectInfo[] {
    const infos = this.#infos ?? []
    if (once) this.#infos = undefined
    return infos
  }

  bytes(name: string): Uint8Array | undefined {
    return this.#bytes.get(name)
  }
}

type Put = Parameters<StorageBackend['put']>
type Overrides = Partial<Pick<StorageBackend, 'put' | 'get' | 'stat' | 'remove' | 'list'>>

function change(backend: StorageBackend, overrides: Overrides): StorageBackend {
  return { ...backend, ...overrides }
}

/** Changes what happens at puts under a prefix. */
function atPut(prefix: string, then: (backend: StorageBackend, put: Put) => Promise<void>): Saboteur {
  return (backend) => change(backend, {
    put: (...put) => (put[0].startsWith(prefix) ? then(backend, put) : backend.put(...put)),
  })
}

const withoutCondition = ({ ifAbsent: _ifAbsent, ...options }: PutOptions): PutOptions => options

/** N01: the commit overwrites whatever was decided. */
export const commitsBlindly = atPut('snapshots/', (backend, [name, body, options, signal]) => backend.put(name, body, withoutCondition(options), signal))

/** N02: looks whether the revision is free, then puts. */
export const checksThenCommits = atPut('snapshots/', async (backend, [name, body, options, signal]) => {
  if (await backend.stat(name, signal).catch(() => undefined)) throw new HoldfastError('exists', name)
  await backend.put(name, body, withoutCondition(options), signal)
})

/** Answers listings of `prefixes` (and reads below) with what was there at the first request of all. */
function stale(prefixes: readonly string[]): Saboteur {
  return (backend) => {
    const listings = new Map(prefixes.map((prefix) => [prefix, new Listing()]))
    const first = async (): Promise<void> => {
      for (const [prefix, listing] of listings) if (!listing.taken) await listing.take(backend, prefix, true)
    }
    return change(backend, {
      put: async (...put) => { await first(); return backend.put(...put) },
      get: async (name, range, signal) => {
        await first()
        const bytes = [...listings.values()].map((listing) => listing.bytes(name)).find((found) => found !== undefined)
        if (!bytes) return backend.get(name, range, signal)
        return range === 'all' ? bytes : bytes.subarray(range.offset, range.offset + range.length)
      },
      async *list(prefix, signal) {
        await first()
        const listing = listings.get(prefix)
        if (listing) yield* listing.use(false)
        else yield* backend.list(prefix, signal)
      },
    })
  }
}

/** N03, rule R2: trusts what it knew of packs before. */
export const trustsItsCache = stale(['packs/'])

/** N04, rule R1: reads the repository before its intent is there. */
export const readsBeforeItsIntent = stale(['gc/', 'packs/'])

/** Takes the listing `early` just before another request and gives it out where the protocol takes a new one. */
function listsEarly(early: string, when: 'put gc/' | 'list gc/' | 'list intents/' | 'list index/'): Saboteur {
  return (backend) => {
    const listing = new Listing()
    return change(backend, {
      put: async (...put) => {
        if (when.startsWith('put') && put[0].startsWith(when.slice(4))) await listing.take(backend, early, true)
        return backend.put(...put)
      },
      get: (name, range, signal) => {
        const bytes = listing.bytes(name)
        if (!bytes || bytes.length === 0) return backend.get(name, range, signal)
        return Promise.resolve(range === 'all' ? bytes : bytes.subarray(range.offset, range.offset + range.length))
      },
      async *list(prefix, signal) {
        if (when === `list ${prefix}`) await listing.take(backend, early, true)
        yield* prefix === early && listing.taken ? listing.use(true) : backend.list(prefix, signal)
      },
    })
  }
}

/** N05, rule R1: packs, then retire records. */
export const listsPacksBeforeRecords = listsEarly('packs/', 'list gc/')
/** N07, rule R7: snapshots, then sessions. */
export const listsSnapshotsBeforeSessions = listsEarly('snapshots/', 'list intents/')
/** N08, rule R7: sessions, then the record. */
export const listsSessionsBeforeTheRecord = listsEarly('intents/', 'put gc/')
/** N15, rule R7: packs, then the record. */
export const listsPacksBeforeTheRecord = listsEarly('packs/', 'put gc/')

/** N06, rule R7: snapshots are those of the plan. */
export const neverReadsSnapshotsAgain: Saboteur = (backend) => {
  const listing = new Listing()
  return change(backend, {
    async *list(prefix, signal) {
      if (prefix === 'snapshots/' && !listing.taken) await listing.take(backend, prefix)
      yield* prefix === 'snapshots/' ? listing.use(false) : backend.list(prefix, signal)
    },
  })
}

/** N09, N22: a backup that announces nothing … */
export const announcesNothing = atPut('intents/', () => Promise.resolve())
/** … and a prune that asks for no sessions. */
export const seesNoSessions: Saboteur = (backend) => change(backend, {
  async *list(prefix, signal) {
    if (prefix !== 'intents/') yield* backend.list(prefix, signal)
  },
})

/** N14, rule R8: only its own record counts as retired. */
export const countsOthersRetiredPacks: Saboteur = (backend) => {
  const own = new Set<string>()
  return change(backend, {
    put: (...put) => {
      own.add(put[0])
      return backend.put(...put)
    },
    async *list(prefix, signal) {
      for await (const info of backend.list(prefix, signal)) if (prefix !== 'gc/' || own.has(info.name)) yield info
    },
  })
}

/** N16, rule R7: removes the record, then the packs. */
export const removesTheRecordFirst: Saboteur = (backend) => change(backend, {
  remove: async (name, signal) => {
    if (name.startsWith('packs/')) for await (const record of backend.list('gc/', signal)) await backend.remove(record.name, signal)
    await backend.remove(name, signal)
  },
})

/** N17, rule R6: a forgotten snapshot's name becomes free. */
export const forgetsByRemoving = atPut('snapshots/', (backend, [name, , , signal]) => backend.remove(name, signal))

/** N25: in flags mode, without the flag. */
export const forgetsWithoutFlag = atPut('deleted/', () => Promise.resolve())

/** N18, rule R6: expired tombstones are garbage like any other, removed as soon as they were put and used. */
export const collectsTombstones: Saboteur = (backend) => {
  const expired = new Set<string>()
  return change(backend, {
    put: async (...put) => {
      if (put[0].startsWith('snapshots/')) expired.add(put[0])
      await backend.put(...put)
    },
    remove: async (name, signal) => {
      await backend.remove(name, signal)
      if (name.startsWith('gc/')) for (const tombstone of expired) await backend.remove(tombstone, signal)
    },
  })
}

/** N23, rule R10: to expire a session is to remove its intent. */
export const expiresByRemovingTheIntent = atPut('snapshots/', () => Promise.resolve())

/** N24: … and the backup looks for its intent before it commits. */
export const looksForItsIntent = atPut('snapshots/', async (backend, [name, body, options, signal]) => {
  const intent = name.replace(/^snapshots\/([0-9a-f]+)\/[0-9]+\//, 'intents/$1/')
  if (!await backend.stat(intent, signal).catch(() => undefined)) throw new HoldfastError('expired', name)
  await backend.put(name, body, withoutCondition(options), signal)
})

/** Rule R10: the backup takes its intent away before its revision is decided. */
export const withdrawsItsIntentEarly = atPut('snapshots/', async (backend, [name, body, options, signal]) => {
  await backend.remove(name.replace(/^snapshots\/([0-9a-f]+)\/[0-9]+\//, 'intents/$1/'), signal)
  await backend.put(name, body, options, signal)
})

/** Rule R4: "taken" means expired, without a look at who took it. */
export const takesEveryRefusalForExpiry: Saboteur = (backend) => change(backend, {
  put: async (...put) => {
    try {
      await backend.put(...put)
    } catch (error) {
      if (put[0].startsWith('snapshots/') && error instanceof HoldfastError && error.code === 'exists') throw new HoldfastError('expired', 'taken')
      throw error
    }
  },
})

/** N13, rule R8: a retired pack that is still needed is taken out of its record instead of being copied. */
export const rescuesByUnretiring: Saboteur = (backend) => {
  let rescued = false
  return change(backend, {
    put: async (...put) => {
      if (!put[0].startsWith('packs/')) return backend.put(...put)
      rescued = true
      for await (const record of backend.list('gc/', never)) await backend.remove(record.name, never)
    },
    remove: async (name, signal) => {
      if (!rescued || !name.startsWith('packs/')) await backend.remove(name, signal)
    },
  })
}

/** Rule R9: what cannot be read is passed over. `unreadable` says which snapshot this prune cannot read. */
export const passesOverTheUnreadable: Saboteur = (backend) => change(backend, {
  async *list(prefix, signal) {
    if (prefix !== 'snapshots/') yield* backend.list(prefix, signal)
  },
})

/** N10: a prune that deletes what its plan names, since it is old enough. */
export const deletesByAge: Saboteur = (backend) => change(backend, {
  put: async (...put) => {
    if (put[0].startsWith('gc/')) for await (const { name } of backend.list('packs/', never)) await backend.remove(name, never)
  },
})

const pending = `pending/${'0'.repeat(32)}`

/**
 * N19, N20: no sessions; a snapshot is announced as pending, then the retire records are read, and only then it is committed. N19 takes
 * away the marks that it finds, N20 gives up where it finds one.
 */
function commitsInTwoSteps(atMark: 'clears it' | 'gives up'): Saboteur {
  return (backend) => change(backend, {
    put: async (name, body, options, signal) => {
      if (name.startsWith('intents/')) return
      if (!name.startsWith('snapshots/')) return backend.put(name, body, options, signal)
      await backend.put(pending, body, {}, signal)
      for await (const record of backend.list('gc/', signal)) {
        if (atMark === 'gives up') throw new HoldfastError('expired', record.name)
        await backend.remove(record.name, signal)
      }
      await backend.put(name, body, options, signal)
    },
  })
}

export const clearsMarksAndCommits = commitsInTwoSteps('clears it')
export const looksForMarksAndCommits = commitsInTwoSteps('gives up')

/** The prune for both: it asks for no sessions, and stops where it sees a pending snapshot beside the others. */
export const stopsAtPending: Saboteur = (backend) => {
  const withoutSessions = seesNoSessions(backend)
  return change(withoutSessions, {
    async *list(prefix, signal) {
      if (prefix === 'snapshots/') for await (const info of backend.list('pending/', signal)) throw new HoldfastError('expired', info.name)
      yield* withoutSessions.list(prefix, signal)
    },
  })
}

/** I1: when the index is consolidated, packs are listed before the index. */
export const listsPacksBeforeTheIndex: Saboteur = listsEarly('packs/', 'list index/')

/** I2: … and what is merged is removed before the merged object is there. */
export const removesMergedIndexesFirst: Saboteur = (backend) => {
  let listed: string[] = []
  return change(backend, {
    put: async (...put) => {
      if (put[0].startsWith('index/')) for (const name of listed) await backend.remove(name, never)
      await backend.put(...put)
    },
    async *list(prefix, signal) {
      if (prefix === 'index/') listed = []
      for await (const info of backend.list(prefix, signal)) {
        if (prefix === 'index/') listed.push(info.name)
        yield info
      }
    },
  })
}

/** T9: learns the index once and never anew, nor which packs there are. */
export const readsByItsOldIndex: Saboteur = (backend) => {
  let hasLearned = false
  return change(backend, {
    async *list(prefix, signal) {
      if (!hasLearned && prefix === 'index/') yield* backend.list(prefix, signal)
      hasLearned = true
    },
  })
}

/** N11, rule R5: a pack is named after its contents. */
export function contentName(blobs: string): string {
  return Buffer.from(shortHash(blobs)).toString('hex').slice(0, 28).padEnd(32, '0')
}
