import { at, bits, has, lettersOf, replaced } from './bits.ts'
import { expired, isManifest, manifestOf, sessionOf, tombstoneOf } from './world.ts'
import type { BackupAt, BackupSpec, BackupState, State, World } from './world.ts'

export type Emit = (state: State, label: () => string) => void

/** What one backup can do next, one request at a time. */
export function backupSteps(world: World, state: State, index: number, emit: Emit): void {
  const turn = new BackupTurn(world, state, index, emit)
  turn.steps[turn.own.at]?.()
}

export function firstSession(world: World, index: number): number {
  return (world.scenario.snapshots?.length ?? 0) + index * world.sessionsPerBackup
}

/** The order of a session's first requests; rules R1 and R2 are about nothing else. */
function opening(world: World): readonly BackupAt[] {
  if (world.breaks('N04 reads before its intent')) return ['list records', 'list packs', 'announce', 'check revision']
  if (world.breaks('N05 lists packs before records')) return ['announce', 'check revision', 'list packs', 'list records']
  if (world.breaks('N03 trusts its cache')) return ['announce', 'check revision', 'list records']
  if (world.breaks('N09 no sessions') || world.breaks('N10 deletes by age')) return ['list records', 'list packs']
  return ['announce', 'check revision', 'list records', 'list packs']
}

export function newBackup(world: World, index: number, initial: State): BackupState {
  const begun: BackupState = { at: at(opening(world), 0), session: 0, revision: 0, missing: 0, retired: 0, listed: 0, page: 0, again: 0, records: 0 }
  const spec = at(world.specs, index)
  const missing = spec.late ? world.closure(at(world.needs, firstSession(world, index))) & ~world.blobsIn(initial, world.initialPacks) : 0
  return missing === 0 ? begun : { ...begun, at: 'upload early', missing }
}

class BackupTurn {
  readonly own: BackupState
  readonly #world: World
  readonly #state: State
  readonly #index: number
  readonly #emit: Emit
  readonly #spec: BackupSpec & { readonly fresh: boolean }
  readonly #session: number
  readonly #cell: number
  readonly #closure: number

  constructor(world: World, state: State, index: number, emit: Emit) {
    this.#world = world
    this.#state = state
    this.#index = index
    this.#emit = emit
    this.own = at(state.backups, index)
    this.#spec = at(world.specs, index)
    this.#session = firstSession(world, index) + this.own.session
    this.#cell = world.flags ? this.#session : (this.#spec.job ?? 0) * world.revisions + this.own.revision
    this.#closure = world.closure(at(world.needs, this.#session))
  }

  readonly steps: Readonly<Partial<Record<BackupAt, () => void>>> = {
    'upload early': () => { this.#upload('announce') },
    'announce': () => { this.#announce() },
    'check revision': () => { this.#checkRevision() },
    'list records': () => { this.#listRecords() },
    'list packs': () => { this.#listPacks() },
    'upload': () => { this.#upload(this.#acknowledgesNext() ? 'acknowledge' : 'commit') },
    'acknowledge': () => { this.#acknowledge() },
    'commit': () => { this.#commit() },
    'put blindly': () => { this.#go('puts its manifest, whatever is there', { at: 'close' }, this.#decided(manifestOf(this.#session))) },
    'check flag': () => { this.#checkFlag() },
    'withdraw': () => { this.#withdraw() },
    'close': () => { this.#close() },
  }

  #go(label: string, own: Partial<BackupState>, rest: Partial<State> = {}): void {
    const backups = replaced(this.#state.backups, this.#index, { ...this.own, ...own })
    this.#emit({ ...this.#state, ...rest, backups }, () => `B${this.#index + 1} ${label}`)
  }

  #decided(decision: number): Partial<State> {
    return { snapshots: replaced(this.#state.snapshots, this.#cell, decision) }
  }

  #announce(): void {
    const { intents } = this.#state
    if (at(intents, this.#cell) !== 0) this.#go('PUT-if-absent intent: 412', { revision: this.own.revision + 1 })
    else this.#go('PUT-if-absent intent', this.#after('announce', {}), { intents: replaced(intents, this.#cell, this.#session + 1) })
  }

  #checkRevision(): void {
    if (at(this.#state.snapshots, this.#cell) !== 0) this.#go('HEAD snapshot: decided already', { revision: this.own.revision + 1, at: 'announce' })
    else this.#go('HEAD snapshot: none', this.#after('check revision', {}))
  }

  #listRecords(): void {
    const { records } = this.#state
    let { retired, records: seen } = this.own
    const end = Math.min(records.length, this.own.page + this.#pageSize())
    for (let record = this.own.page; record < end; record++) {
      retired |= at(records, record)
      if (this.own.again === 1 && at(records, record) !== 0) seen |= 1 << record
    }
    const own = { retired, records: seen, page: end < records.length ? end : 0 }
    this.#go('LIST gc', own.page > 0 ? own : this.#after('list records', own))
  }

  #listPacks(): void {
    const { packCount } = this.#world
    const end = Math.min(packCount, this.own.page + this.#pageSize())
    const listed = this.own.listed | this.#state.packs & packPage(this.#world, this.own.page, end)
    const own = { listed, page: end < packCount ? end : 0 }
    this.#go('LIST packs', own.page > 0 ? own : this.#after('list packs', own))
  }

  #pageSize(): number {
    return this.#spec.fresh ? 99 : this.#world.scenario.page ?? 99
  }

  /** The step that follows; after the last listing it is known what is to be uploaded. */
  #after(from: BackupAt, changes: Partial<BackupState>): Partial<BackupState> {
    const order = opening(this.#world)
    const lastListing = order.findLast((step) => step === 'list records' || step === 'list packs')
    const looked = from === lastListing ? { ...changes, ...this.#looked({ ...this.own, ...changes }) } : changes
    const next = this.own.again === 1 && from === lastListing ? undefined : order[order.indexOf(from) + 1]
    if (next) return { ...looked, at: next }
    const missing = looked.missing ?? this.own.missing
    if (missing !== 0) return { ...looked, at: 'upload' }
    return { ...looked, at: this.#acknowledgesNext() ? 'acknowledge' : 'commit' }
  }

  #looked({ listed, retired }: BackupState): Partial<BackupState> {
    const world = this.#world
    const usable = (world.breaks('N03 trusts its cache') ? world.initialPacks : listed) & ~retired
    const stored = world.believedIn(this.#state, usable)
    const rootIsStored = (at(world.needs, this.#session) & ~stored) === 0
    const missing = world.breaks('N21 a stored tree vouches for its children') && rootIsStored ? 0 : this.#closure & ~stored
    return { missing, listed: 0, retired: 0 }
  }

  #acknowledgesNext(): boolean {
    return this.own.again === 1 && this.#spec.refreshes === true && !this.#world.breaks('X5 acknowledges before it looks again')
  }

  #upload(then: BackupAt): void {
    const early = this.own.at === 'upload early'
    const generation = early ? 0 : this.#world.generation(this.#spec, this.own)
    for (const blob of bits(this.own.missing)) {
      const pack = this.#world.slot(this.#index, generation, blob)
      const packs = this.#state.packs | 1 << pack
      const missing = this.own.missing & ~(1 << blob)
      this.#go(`PUT pack ${pack} = ${lettersOf(1 << blob)}`, { missing, at: missing === 0 ? then : this.own.at }, { packs })
      if (!this.#world.scenario.lostUploads || early || this.own.again === 1 || this.#spec.fresh) continue
      const repeated = this.#world.breaks('N12 repeats a pack upload under its name') ? {} : { again: 1 }
      this.#go(`PUT pack ${pack} = ${lettersOf(1 << blob)} (reply lost)`, repeated, { packs })
    }
  }

  #acknowledge(): void {
    const mark = 1 << this.#session
    const acknowledged = this.#state.acknowledged.map((sessions, record) => (has(this.own.records, record) && at(this.#state.records, record) !== 0 ? sessions | mark : sessions))
    this.#go('PUT acknowledgements', { records: 0, at: this.own.at === 'acknowledge' && this.own.missing !== 0 ? 'upload' : 'commit' }, { acknowledged })
  }

  /** Looks for new records before it commits; the mutant acknowledges what it finds, and then looks what it means. */
  #refresh(): void {
    if (!this.#world.breaks('X5 acknowledges before it looks again')) return this.#go('refreshes', { again: 1, at: 'list records' })
    const acknowledged = this.#state.acknowledged.map((sessions, record) => (at(this.#state.records, record) === 0 ? sessions : sessions | 1 << this.#session))
    this.#go('acknowledges every record', { again: 1 }, { acknowledged })
  }

  #commit(): void {
    if (this.#spec.refreshes && this.own.again === 0) this.#refresh()
    if (this.#world.flags) return this.#commitUnderFlags()
    if (this.#commitBroken()) return
    const decision = at(this.#state.snapshots, this.#cell)
    const manifest = this.#decided(manifestOf(this.#session))
    if (decision === 0) {
      this.#go('PUT-if-absent snapshot: COMMITTED', { at: this.#announces() ? 'close' : 'done' }, manifest)
      if (this.#world.scenario.lost && !this.#spec.fresh) this.#go('PUT-if-absent snapshot (reply lost)', {}, manifest)
    } else if (decision === manifestOf(this.#session) || decision === tombstoneOf(this.#session)) this.#go('PUT-if-absent snapshot: 412, its own', { at: 'close' })
    else if (!this.#announces()) this.#go('PUT-if-absent snapshot: 412, next revision', { revision: this.own.revision + 1 })
    else this.#go('PUT-if-absent snapshot: 412, expired', this.#anew())
  }

  #announces(): boolean {
    return opening(this.#world).includes('announce')
  }

  #commitBroken(): boolean {
    const world = this.#world
    if (world.breaks('N01 commits blindly') || world.breaks('N23 expires by removing the intent')) {
      this.steps['put blindly']?.()
      return true
    }
    const looksAtIntent = world.breaks('N24 and the backup looks for its intent')
    if (!looksAtIntent && !world.breaks('N02 looks, then commits')) return false
    const isGone = looksAtIntent ? at(this.#state.intents, this.#cell) !== this.#session + 1 : at(this.#state.snapshots, this.#cell) === expired
    this.#go(`looks whether it is expired: ${isGone ? 'yes' : 'no'}`, isGone ? this.#anew() : { at: 'put blindly' })
    return true
  }

  #commitUnderFlags(): void {
    const isForgotten = at(this.#state.snapshots, this.#cell) === tombstoneOf(this.#session)
    const rest = isForgotten ? {} : this.#decided(manifestOf(this.#session))
    this.#go('PUT snapshot', { at: 'check flag' }, rest)
    if (this.#world.scenario.lost && !this.#spec.fresh) this.#go('PUT snapshot (reply lost)', {}, rest)
  }

  #checkFlag(): void {
    const isExpired = has(this.#state.flags, this.#session)
    this.#go(`GET expired flag: ${isExpired ? 'there' : 'none: COMMITTED'}`, { at: isExpired ? 'withdraw' : 'close' })
  }

  #withdraw(): void {
    const decision = at(this.#state.snapshots, this.#cell)
    this.#go('withdraws its snapshot', this.#anew(), isManifest(decision) && sessionOf(decision) === this.#session ? this.#decided(0) : {})
  }

  #anew(): Partial<BackupState> {
    const clean = { missing: 0, retired: 0, listed: 0, again: 0, records: 0, page: 0 }
    if (this.#spec.fresh || this.own.session + 1 >= this.#world.sessionsPerBackup) return { ...clean, at: 'failed' }
    return { ...clean, session: this.own.session + 1, revision: this.own.revision + (this.#world.flags ? 0 : 1), at: at(opening(this.#world), 0) }
  }

  #close(): void {
    const { intents } = this.#state
    const isOwn = at(intents, this.#cell) === this.#session + 1
    this.#go('DELETE intent', { at: 'done' }, isOwn ? { intents: replaced(intents, this.#cell, 0) } : {})
  }
}

/** The pack names on one page of a listing. */
export function packPage(world: World, from: number, to: number): number {
  let packs = 0
  for (let place = from; place < to; place++) packs |= 1 << (world.scenario.order === 'backwards' ? world.packCount - 1 - place : place)
  return packs
}

/** The cell of a backup's current session. */
export function cellOf(world: World, state: State, index: number): number {
  const own = at(state.backups, index)
  return world.flags ? firstSession(world, index) + own.session : (at(world.specs, index).job ?? 0) * world.revisions + own.revision
}

