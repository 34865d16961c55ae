import type { Clock } from '../../base/clock.ts'
import { toHex } from '../../base/bytes.ts'
import { HoldfastError } from '../../base/errors.ts'
import type { Manifest } from '../../snapshot/manifest.ts'
import type { BlobId } from '../../snapshot/node.ts'
import type { Random } from '../crypto.ts'
import { randomName } from '../names.ts'
import type { Repository } from '../repository.ts'
import { commitDecision, createOnce, expireSession, isExpired } from './arbiter.ts'
import { tryWithRights } from '../../backend/rights.ts'
import { isThere, listAll, listPacks } from './listing.ts'
import type { ListedPack, PackShards } from './listing.ts'
import { acknowledgementName, highestRevision, intentName, parseSessionName, parseSnapshotName, snapshotName } from './names.ts'
import type { SnapshotRef } from './names.ts'
import { openIntent, sealAcknowledgement, sealIntent } from './records.ts'
import type { Intent } from './records.ts'
import { readRetireRecords } from './retired.ts'
import type { RetireRecord } from './retired.ts'

export interface SessionOptions {
  /** Shown to whoever wonders which session is still open. */
  readonly host: string
  readonly clock: Clock
  readonly random: Random
  /**
   * Declares the session: the closure of this root counts as live from now on, so that a prune need not wait. For a session that is
   * opened when everything is uploaded already, and for a long restore that protects its snapshot.
   */
  readonly root?: BlobId
  /** Awaited before the session is announced, while it is found out what there is. Rejects where none can be. */
  readonly ready?: Promise<void>
  /** The highest revision of the job that this machine knows of, in whatever state the storage is now: the session's is higher (rule R11). */
  readonly above?: number
  /** Default 16. */
  readonly shards?: PackShards
}

/** What `refresh` found. */
export type Refreshed =
  | { readonly type: 'current' }
  /** A prune gave this session up: open a new one; what was uploaded is adopted by it. */
  | { readonly type: 'expired' }
  /**
   * New retire records: list `usable.packs` again, redo everything that rested on a pack in `newlyRetired`, upload what is missing,
   * and only then acknowledge, so that the prune need not wait for this session.
   */
  | { readonly type: 'retired', readonly newlyRetired: ReadonlySet<string>, readonly usable: UsablePacks, acknowledge(signal: AbortSignal): Promise<void> }

export type Commit = { readonly type: 'committed', readonly ref: SnapshotRef } | { readonly type: 'expired' }

/** The packs a session may count on: rule R1's last step can only be reached through the steps before it. */
export interface UsablePacks {
  readonly retired: ReadonlySet<string>
  /** Lists the packs, now, and yields those that no retire record names (rule R2). Any order. */
  packs(signal: AbortSignal): AsyncIterable<ListedPack>
}

/**
 * Announces a session of the job and picks its revision (steps 1 and 2). The intent is acknowledged by the storage before this
 * resolves, and the repository may only be read through what the session hands out.
 * Errors: those of the storage. Works with credentials that can neither delete nor overwrite. Repeating it opens another session.
 */
export async function openSession(repository: Repository, jobKey: string, options: SessionOptions, signal: AbortSignal): Promise<BackupSession> {
  const intent: Intent = {
    nonce: randomName(options.random), host: options.host, startedMs: Math.max(0, Math.floor(options.clock.now())),
    root: options.root && toHex(options.root),
  }
  const [newest] = await Promise.all([newestRevision(repository, jobKey, signal), options.ready])
  let revision = Math.max(newest.taken, options.above ?? 0) + 1
  for (;;) {
    if (revision > highestRevision) throw new HoldfastError('damaged', 'Something in the repository has the highest revision there can be. Run check.', { data: { revision } })
    const suffix = repository.config.arbiter === 'flags' ? randomName(options.random) : ''
    const ref = { jobKey, revision, suffix }
    // A snapshot that exists already: the revision came from a listing that was older than a commit or an expiry.
    if (await announce(repository, ref, intent, signal)) {
      const session = new BackupSession(repository, ref, intent, { ...options, newest: newest.snapshot })
      session.readAhead(signal)
      if (!await isThere(repository.backend, snapshotName(ref), signal)) return session
    }
    revision++
  }
}

interface Newest {
  /** Highest revision that anything has; 0 for none. */
  readonly taken: number
  /** Highest snapshot that is listed, whatever was decided about it. */
  readonly snapshot: SnapshotRef | undefined
}

/** In flags mode a snapshot that was forgotten or withdrawn is gone, and only its flag tells that the revision was had. */
async function newestRevision(repository: Repository, jobKey: string, signal: AbortSignal): Promise<Newest> {
  const { backend, config } = repository
  const snapshots = (await listAll(backend, `snapshots/${jobKey}/`, signal)).map((info) => parseSnapshotName(info.name))
  const others = [...await listAll(backend, `intents/${jobKey}/`, signal)]
  if (config.arbiter === 'flags') for (const folder of ['deleted', 'expired']) others.push(...await listAll(backend, `${folder}/${jobKey}/`, signal))
  const taken = [...snapshots, ...others.map((info) => parseSessionName(info.name))].reduce((highest, ref) => Math.max(highest, ref.revision), 0)
  const snapshot = snapshots.reduce<SnapshotRef | undefined>((highest, ref) => (highest && highest.revision >= ref.revision ? highest : ref), undefined)
  return { taken, snapshot }
}

/** @returns false when another session has the revision. */
async function announce(repository: Repository, ref: SnapshotRef, intent: Intent, signal: AbortSignal): Promise<boolean> {
  const bytes = sealIntent(repository.keys, ref, intent)
  if (repository.config.arbiter === 'flags') {
    await repository.backend.put(intentName(ref), { type: 'bytes', bytes }, {}, signal)
    return true
  }
  const existing = await createOnce(repository, intentName(ref), bytes, signal)
  return existing === undefined || openIntent(repository.keys, ref, existing).nonce === intent.nonce
}

/** One attempt at one revision. Made by openSession. */
export class BackupSession {
  readonly ref: SnapshotRef
  readonly nonce: string
  /** The job's highest snapshot when the session was opened, whosever it is. */
  readonly newest: SnapshotRef | undefined
  readonly #repository: Repository
  readonly #intent: Intent
  readonly #shards: PackShards
  readonly #records = new Map<string, RetireRecord>()
  readonly #retired = new Set<string>()
  readonly #acknowledged = new Set<string>()
  /** Retired since `retired()`, and nobody has said yet that everything was redone without them. */
  readonly #unverified = new Set<string>()
  #state: 'announced' | 'reading' | 'decided' = 'announced'
  #ahead: Promise<unknown> | undefined

  constructor(repository: Repository, ref: SnapshotRef, intent: Intent, options: SessionOptions & { readonly newest: SnapshotRef | undefined }) {
    this.ref = ref
    this.nonce = intent.nonce
    this.newest = options.newest
    this.#repository = repository
    this.#intent = intent
    this.#shards = options.shards ?? 16
  }

  /** Begins to read the retire records, now that the intent is announced (R1): `retired` has one wait less then. */
  readAhead(signal: AbortSignal): void {
    this.#ahead = this.#readRecords(signal)
    this.#ahead.catch(() => undefined)
  }

  /** Steps 3 and 4: the retire records, as they were read after the intent, and through them the packs. Errors: `damaged`, `version` for a record that cannot be read. */
  async retired(signal: AbortSignal): Promise<UsablePacks> {
    await (this.#ahead ?? this.#readRecords(signal))
    this.#ahead = undefined
    this.#unverified.clear()
    this.#state = 'reading'
    return this.#usable()
  }

  /**
   * Every few minutes (step 6): shows that the session lives, learns of its expiry and of new retire records. Records that name nothing
   * new, and those known since the session was opened, are acknowledged at once. What it found `retired` comes again until it is
   * acknowledged.
   */
  async refresh(signal: AbortSignal): Promise<Refreshed> {
    if (this.#state === 'announced') throw new HoldfastError('internal', 'refresh() before retired()')
    await this.#heartbeat(signal)
    if (await isExpired(this.#repository, this.ref, signal)) {
      this.#state = 'decided'
      return { type: 'expired' }
    }
    for (const pack of await this.#readRecords(signal)) this.#unverified.add(pack)
    const records = [...this.#records.keys()]
    const newlyRetired: ReadonlySet<string> = new Set(this.#unverified)
    if (newlyRetired.size === 0) {
      await this.#acknowledge(records, signal)
      return { type: 'current' }
    }
    const acknowledge = async (until: AbortSignal): Promise<void> => {
      await this.#acknowledge(records, until)
      for (const pack of newlyRetired) this.#unverified.delete(pack)
    }
    return { type: 'retired', newlyRetired, usable: this.#usable(), acknowledge }
  }

  /**
   * Step 7. Everything the manifest's root reaches must be stored in usable packs or uploaded by this session, and the uploads
   * acknowledged. Safe to repeat after an error: a commit whose reply was lost is recognised.
   * @param manifestOf gets the revision and the nonce that the snapshot will carry.
   */
  async commit(manifestOf: (ref: SnapshotRef, nonce: string) => Manifest, signal: AbortSignal): Promise<Commit> {
    if (this.#state === 'announced') throw new HoldfastError('internal', 'commit() before retired()')
    const manifest = manifestOf(this.ref, this.nonce)
    const stands = await commitDecision(this.#repository, this.ref, { type: 'manifest', nonce: this.nonce, manifest }, signal)
    this.#state = 'decided'
    return stands ? { type: 'committed', ref: this.ref } : { type: 'expired' }
  }

  /** The session ends without a snapshot, as if a prune had given it up: what it uploaded is the next one's. Repeating is harmless. */
  async abandon(signal: AbortSignal): Promise<void> {
    if (this.#state !== 'decided') await expireSession(this.#repository, this.ref, signal)
    this.#state = 'decided'
  }

  /**
   * Takes the intent away, if the revision is decided (rule R10: else the session would be forgotten, not ended) and rights allow.
   * Otherwise a prune does it. Repeating is harmless.
   */
  async close(signal: AbortSignal): Promise<void> {
    if (this.#state !== 'decided') return
    await tryWithRights(() => this.#repository.backend.remove(intentName(this.ref), signal))
  }

  #usable(): UsablePacks {
    const retired: ReadonlySet<string> = new Set(this.#retired)
    const { backend } = this.#repository
    const shards = this.#shards
    return {
      retired,
      async *packs(signal) {
        for await (const pack of listPacks(backend, shards, signal)) if (!retired.has(pack.name)) yield pack
      },
    }
  }

  /** @returns pack names that were not known as retired before. */
  async #readRecords(signal: AbortSignal): Promise<ReadonlySet<string>> {
    const newlyRetired = new Set<string>()
    for (const [id, record] of await readRetireRecords(this.#repository, this.#records, signal)) {
      this.#records.set(id, record)
      for (const pack of record.packs) if (!this.#retired.has(pack)) newlyRetired.add(pack)
    }
    for (const pack of newlyRetired) this.#retired.add(pack)
    return newlyRetired
  }

  /** Only a sign of life: where overwriting is forbidden there is none, and a prune may expire a session that lasts for days. */
  async #heartbeat(signal: AbortSignal): Promise<void> {
    const bytes = sealIntent(this.#repository.keys, this.ref, this.#intent)
    await tryWithRights(() => this.#repository.backend.put(intentName(this.ref), { type: 'bytes', bytes }, {}, signal))
  }

  async #acknowledge(records: readonly string[], signal: AbortSignal): Promise<void> {
    for (const record of records) {
      if (this.#acknowledged.has(record)) continue
      const bytes = sealAcknowledgement(this.#repository.keys, record, this.ref)
      await this.#repository.backend.put(acknowledgementName(record, this.ref), { type: 'bytes', bytes }, {}, signal)
      this.#acknowledged.add(record)
    }
  }
}
