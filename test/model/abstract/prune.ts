import { at, bits, has, lettersOf, lowest, replaced } from './bits.ts'
import { packPage } from './backup.ts'
import type { Emit } from './backup.ts'
import { candidatesOf } from './candidates.ts'
import { expired, isManifest, newPrune, retiredIn, sessionOf } from './world.ts'
import type { PruneAt, PruneState, State, World } from './world.ts'

/** What one prune can do next, one request at a time. `fresh`: the one after everybody died, for which every session is silent. */
export function pruneSteps(world: World, state: State, index: number, fresh: boolean, emit: Emit): void {
  const turn = new PruneTurn(world, state, index, fresh, emit)
  turn.steps[turn.own.at]?.()
}

class PruneTurn {
  readonly own: PruneState
  readonly #world: World
  readonly #state: State
  readonly #index: number
  readonly #fresh: boolean
  readonly #emit: Emit

  constructor(world: World, state: State, index: number, fresh: boolean, emit: Emit) {
    this.#world = world
    this.#state = state
    this.#index = index
    this.#fresh = fresh
    this.#emit = emit
    this.own = at(state.prunes, index)
  }

  readonly steps: Readonly<Partial<Record<PruneAt, () => void>>> = {
    'plan': () => { this.#plan() },
    'list packs early': () => { this.#go('LIST packs, too early', { listed: this.#state.packs, at: 'publish' }) },
    'publish': () => { this.#publish() },
    'list records': () => { this.#listRecords() },
    'list sessions': () => { this.#listSessions() },
    'settle': () => { this.#settle() },
    'list for declared': () => { this.#go('LIST packs, for a declared session', { listed: this.#state.packs, at: 'read declared' }) },
    'read declared': () => { this.#readDeclared() },
    'expire': () => { this.#expire() },
    'remove intent': () => { this.#removeIntent() },
    'list snapshots': () => { this.#listSnapshots() },
    'list packs': () => { this.#listPacks() },
    'read trees': () => { this.#readTrees() },
    'list packs once more': () => { this.#listOnceMore() },
    'list records again': () => { this.#listRecordsAgain() },
    'read copy': () => { this.#readCopy() },
    'put copy': () => { this.#putCopy() },
    'delete': () => { this.#delete() },
    'list again': () => { this.#listAgain() },
    'remove record': () => { this.#removeRecord() },
    'remove tombstones': () => { this.#go('removes tombstones', this.#end(), { snapshots: this.#state.snapshots.map((cell) => (cell === expired ? 0 : cell)) }) },
  }

  #go(label: string, own: Partial<PruneState>, rest: Partial<State> = {}): void {
    const prunes = replaced(this.#state.prunes, this.#index, { ...this.own, ...own })
    this.#emit({ ...this.#state, ...rest, prunes }, () => `G${this.#index + 1} ${label}`)
  }

  #end(): PruneState {
    return { ...newPrune, copied: this.own.copied, at: 'done' }
  }

  /** Another round: everything is listed anew, and what was known to be needed is looked up anew. */
  #anew(): PruneState {
    return { ...newPrune, copied: this.own.copied, at: 'list records' }
  }

  /** Step 1 is a hint, so it is one step here; what it finds is old by the time that it is used. */
  #plan(): void {
    const { scenario } = this.#world
    const state = this.#state
    if (scenario.candidates && !this.#fresh) return this.#planAnything()
    const available = state.packs & ~retiredIn(state)
    const live = this.#liveNow()
    const candidates = candidatesOf(this.#world, state, available, live)
    const isIdle = candidates === 0 && retiredIn(state) === 0 && state.intents.every((intent) => intent === 0)
    if (isIdle && !this.#fresh) return
    if (this.#world.breaks('N10 deletes by age')) return this.#go('plans', { doomed: candidates, at: 'delete' })
    const copy = this.#world.blobsIn(state, candidates) & live & ~this.#world.blobsIn(state, available & ~candidates)
    const label = `plans to retire ${bits(candidates).join()}`
    if (copy !== 0 && this.#mayCopy()) this.#go(label, { retired: candidates, copy, first: 1, at: 'read copy' })
    else this.#go(label, { retired: candidates, at: candidates === 0 ? 'list records' : this.#beforePublish() })
  }

  #planAnything(): void {
    const state = this.#state
    const one = this.#world.scenario.candidates === 'any one'
    for (let set = state.packs; set !== 0; set = set - 1 & state.packs) {
      if (!one || (set & set - 1) === 0) this.#go(`plans to retire ${bits(set).join()}`, { retired: set, at: this.#beforePublish() })
    }
    if (retiredIn(state) !== 0) this.#go('helps', { at: 'list records' })
  }

  #liveNow(): number {
    const roots = this.#world.roots(this.#state, 'confirmed') | this.#world.roots(this.#state, 'unconfirmed')
    return this.#world.visible(roots, this.#world.blobsIn(this.#state, this.#state.packs)).live
  }

  #beforePublish(): PruneAt {
    if (this.#world.breaks('N08 lists sessions before the record')) return 'list sessions'
    return this.#world.breaks('N15 lists packs before the record') ? 'list packs early' : 'publish'
  }

  #mayCopy(): boolean {
    return this.own.copied < this.#world.copiesOf(this.#index)
  }

  #publish(): void {
    const records = replaced(this.#state.records, this.#index, this.own.retired)
    this.#go(`PUT gc: retires ${bits(this.own.retired).join()}`, { retired: 0, at: 'list records' }, { records })
  }

  #listRecords(): void {
    const { records } = this.#state
    const end = Math.min(records.length, this.own.page + this.#pageSize())
    let { retired, records: seen } = this.own
    for (let record = this.own.page; record < end; record++) {
      if (at(records, record) === 0 || (this.#world.breaks('N14 counts retired packs of others') && record !== this.#index)) continue
      retired |= at(records, record)
      seen |= 1 << record
    }
    const own = { retired, records: seen }
    if (end < records.length) return this.#go('LIST gc', { ...own, page: end })
    this.#go('LIST gc', { ...own, page: 0, at: this.#afterRecords() })
  }

  #afterRecords(): PruneAt {
    const world = this.#world
    if (world.breaks('N07 lists snapshots before sessions') || world.breaks('N09 no sessions')) return 'list snapshots'
    if (world.breaks('N08 lists sessions before the record')) return this.own.sessions === 0 ? 'list snapshots' : 'settle'
    return 'list sessions'
  }

  #listSessions(): void {
    const { intents } = this.#state
    const end = Math.min(intents.length, this.own.page + this.#pageSize())
    let { sessions } = this.own
    for (let cell = this.own.page; cell < end; cell++) if (at(intents, cell) !== 0) sessions |= 1 << cell
    if (end < intents.length) return this.#go('LIST intents', { sessions, page: end })
    const isEarly = this.#world.breaks('N08 lists sessions before the record') && this.own.records === 0 && this.own.retired !== 0
    this.#go('LIST intents', { sessions, page: 0, at: isEarly ? 'publish' : sessions === 0 ? this.#afterSessions() : 'settle' })
  }

  #afterSessions(): PruneAt {
    const world = this.#world
    return world.breaks('N06 never reads snapshots again') || world.breaks('N07 lists snapshots before sessions') ? 'list packs' : 'list snapshots'
  }

  #settled(): Partial<PruneState> {
    const sessions = this.own.sessions & this.own.sessions - 1
    return { sessions, listed: 0, at: sessions === 0 ? this.#afterSessions() : 'settle' }
  }

  /** One session: decided; or it has acknowledged; or it is declared; or it counts as silent and is expired. */
  #settle(): void {
    const cell = lowest(this.own.sessions)
    const session = at(this.#state.intents, cell) - 1
    if (session < 0) return this.#go('GET intent: gone', this.#settled())
    const isDecided = at(this.#state.snapshots, cell) !== 0 || (this.#world.flags && has(this.#state.flags, session))
    if (isDecided) return this.#go('HEAD snapshot: decided', { at: 'remove intent' })
    if (!this.#fresh) {
      const acknowledged = bits(this.own.records).every((record) => at(this.#state.records, record) === 0 || has(at(this.#state.acknowledged, record), session))
      if (this.#mayAcknowledge(session) && acknowledged) this.#go('the session has acknowledged', this.#settled())
      else if (this.#isDeclared(session)) this.#go('the session is declared', { at: 'list for declared' })
    }
    this.#go('HEAD snapshot: none, the session is silent', { at: 'expire' })
  }

  #mayAcknowledge(session: number): boolean {
    return this.#specOf(session)?.refreshes === true
  }

  #isDeclared(session: number): boolean {
    return this.#specOf(session)?.declares === true
  }

  #specOf(session: number): World['specs'][number] | undefined {
    return this.#world.specs[Math.floor((session - (this.#world.scenario.snapshots?.length ?? 0)) / this.#world.sessionsPerBackup)]
  }

  /** Harmless only if all its trees can be read; else the prune waits: it ends here, and a later one goes on. */
  #readDeclared(): void {
    const session = at(this.#state.intents, lowest(this.own.sessions)) - 1
    if (session < 0) return this.#go('GET intent: gone', this.#settled())
    const { live, missing } = this.#world.visible(at(this.#world.needs, session), this.#readable())
    if (missing === 0 || this.#world.breaks('X1 missing trees of a declared session are no error')) {
      this.#go(`counts ${lettersOf(live)} of a declared session as live`, { ...this.#settled(), live: this.own.live | live })
    } else this.#go(`waits: nobody sees below ${lettersOf(missing)}`, this.#end())
  }

  /** Blobs in packs that the listing showed and that are still there. */
  #readable(): number {
    return this.#world.blobsIn(this.#state, this.own.listed & this.#state.packs)
  }

  #expire(): void {
    const cell = lowest(this.own.sessions)
    const session = at(this.#state.intents, cell) - 1
    if (this.#world.breaks('N23 expires by removing the intent') || this.#world.breaks('N24 and the backup looks for its intent')) return this.#go('deems it expired', { at: 'remove intent' })
    if (this.#world.flags) return this.#go('PUT expired flag', { at: 'remove intent' }, session < 0 ? {} : { flags: this.#state.flags | 1 << session })
    const isFirst = at(this.#state.snapshots, cell) === 0
    this.#go(`PUT-if-absent snapshot = expired${isFirst ? '' : ': 412'}`, { at: 'remove intent' }, isFirst ? { snapshots: replaced(this.#state.snapshots, cell, expired) } : {})
  }

  #removeIntent(): void {
    this.#go('DELETE intent', this.#settled(), { intents: replaced(this.#state.intents, lowest(this.own.sessions), 0) })
  }

  #listSnapshots(): void {
    const { snapshots, flags } = this.#state
    const end = Math.min(snapshots.length, this.own.page + this.#pageSize())
    let { required, optional } = this.own
    for (let cell = this.own.page; cell < end; cell++) {
      const decision = at(snapshots, cell)
      if (!isManifest(decision)) continue
      const roots = at(this.#world.needs, sessionOf(decision))
      if (has(flags, sessionOf(decision))) optional |= roots
      else required |= roots
    }
    if (end < snapshots.length) return this.#go('LIST snapshots', { required, optional, page: end })
    this.#go('LIST snapshots', { required, optional, page: 0, at: this.#world.breaks('N07 lists snapshots before sessions') ? 'list sessions' : 'list packs' })
  }

  #listPacks(): void {
    if (this.#world.breaks('N15 lists packs before the record')) return this.#go('uses its old listing', { at: 'read trees' })
    const { packCount } = this.#world
    const end = Math.min(packCount, this.own.page + this.#pageSize())
    const listed = this.own.listed | this.#state.packs & packPage(this.#world, this.own.page, end)
    this.#go('LIST packs', end < packCount ? { listed, page: end } : { listed, page: 0, at: 'read trees' })
  }

  #pageSize(): number {
    return this.#fresh ? 99 : this.#world.scenario.page ?? 99
  }

  /** Follows what is needed, now that the packs are listed. What must be there and is not: another round, or nothing is deleted (R9). */
  #readTrees(): void {
    const readable = this.#readable()
    const required = this.#world.visible(this.own.required, readable)
    if (required.missing !== 0) return this.#go(`GET trees: ${lettersOf(required.missing)} is not there`, this.#anew())
    const optional = this.#world.visible(this.own.optional, readable)
    const live = this.own.live | required.live | optional.live
    if (optional.missing === 0 || this.#world.breaks('X2 missing trees of an unconfirmed snapshot are no error')) return this.#choose(live)
    if (this.#world.breaks('X6 believes one listing about the trees of an unconfirmed snapshot')) {
      const isGone = (optional.missing & this.#world.blobsIn(this.#state, this.own.listed)) !== 0
      return isGone ? this.#go('GET trees: one is gone', this.#anew()) : this.#choose(live)
    }
    this.#go(`GET trees: ${lettersOf(optional.missing)} of an unconfirmed snapshot is missing`, { live, listedBefore: this.own.listed, listed: 0, at: 'list packs once more' })
  }

  #listOnceMore(): void {
    const { packCount } = this.#world
    const end = Math.min(packCount, this.own.page + this.#pageSize())
    const listed = this.own.listed | this.#state.packs & packPage(this.#world, this.own.page, end)
    if (end < packCount) return this.#go('LIST packs once more', { listed, page: end })
    if (listed === this.own.listedBefore) this.#go('LIST packs once more: the same', { listed, page: 0, at: 'list records again' })
    else this.#go('LIST packs once more: others', this.#anew())
  }

  /** Nothing was moved while the packs were listed twice, so what lacks of an unconfirmed snapshot was never all there. */
  #listRecordsAgain(): void {
    const now = this.#state.records.reduce((set, packs, record) => (packs === 0 ? set : set | 1 << record), 0)
    if ((now & ~this.own.records) !== 0) this.#go('LIST gc: another record', this.#anew())
    else this.#choose(this.own.live)
  }

  #choose(needed: number): void {
    const { listed, retired } = this.own
    const live = this.#world.breaks('N06 never reads snapshots again') ? 0 : needed
    const cover = this.#world.believedIn(this.#state, listed & ~retired)
    const readable = this.#undamaged(listed)
    let copy = 0
    let doomed = 0
    let uncovered = 0
    for (const pack of bits(listed & retired)) {
      const wanted = this.#world.contentsOf(this.#state, pack) & live & ~cover
      if (wanted === 0) doomed |= 1 << pack
      else if ((wanted & ~readable) !== 0) {
        copy |= wanted & readable
        if (this.#world.breaks('X4 deletes what it cannot copy')) doomed |= 1 << pack
      } else {
        copy |= wanted & readable
        uncovered |= 1 << pack
      }
    }
    const clean = { required: 0, optional: 0, live: 0, retired: 0, listed: 0, listedBefore: 0 }
    if (copy !== 0 && this.#mayCopy()) return this.#go(`will copy ${lettersOf(copy)}`, { ...clean, copy, doomed: doomed | uncovered, at: 'read copy' })
    if (this.#world.breaks('N16 removes the record first') && this.own.records !== 0) return this.#go('will remove records', { ...clean, doomed, at: 'remove record' })
    this.#go(`will delete ${bits(doomed).join()}`, { ...clean, doomed, at: doomed === 0 ? 'list again' : 'delete' })
  }

  /** Blobs that can be read in a set of packs. */
  #undamaged(packs: number): number {
    const { damaged } = this.#world.scenario
    if (!damaged) return -1
    return bits(packs).reduce((blobs, pack) => blobs | this.#world.contentsOf(this.#state, pack) & ~this.#world.damagedIn(pack), 0)
  }

  #readCopy(): void {
    const isThere = (this.own.copy & ~this.#world.blobsIn(this.#state, this.#state.packs)) === 0
    if (isThere) this.#go(`GET ${lettersOf(this.own.copy)}`, { at: 'put copy' })
    else this.#go(`GET ${lettersOf(this.own.copy)}: gone`, this.own.first === 1 ? this.#end() : this.#anew())
  }

  #putCopy(): void {
    const slot = this.#index * this.#world.copiesOf(0) + this.own.copied
    const rest = { copied: replaced(this.#state.copied, slot, this.own.copy), packs: this.#state.packs | 1 << this.#world.firstCopy + slot }
    const at = this.own.first === 1 ? 'publish' : this.own.doomed === 0 ? 'list again' : 'delete'
    this.#go(`PUT pack ${this.#world.firstCopy + slot} = ${lettersOf(this.own.copy)}`, { copy: 0, first: 0, copied: this.own.copied + 1, at }, rest)
  }

  #delete(): void {
    if (this.own.doomed === 0) return this.#go('has nothing to delete', this.#end())
    for (const pack of bits(this.own.doomed)) {
      const doomed = this.own.doomed & ~(1 << pack)
      const next: PruneAt = doomed !== 0 ? 'delete' : this.#endsWithDeletions() ? 'done' : 'list again'
      this.#go(`DELETE pack ${pack}`, next === 'done' ? this.#end() : { doomed, at: next }, { packs: this.#state.packs & ~(1 << pack) })
    }
  }

  #endsWithDeletions(): boolean {
    return this.#world.breaks('N10 deletes by age') || this.#world.breaks('N16 removes the record first')
  }

  #listAgain(): void {
    const { packCount } = this.#world
    const end = Math.min(packCount, this.own.page + this.#pageSize())
    const listed = this.own.listed | this.#state.packs & packPage(this.#world, this.own.page, end)
    if (end < packCount) return this.#go('LIST packs again', { listed, page: end })
    const finished = bits(this.own.records).reduce((set, record) => ((at(this.#state.records, record) & listed) === 0 ? set | 1 << record : set), 0)
    this.#go('LIST packs again', finished === 0 ? this.#afterRecordsRemoved() : { records: finished, listed: 0, page: 0, at: 'remove record' })
  }

  #afterRecordsRemoved(): Partial<PruneState> {
    return this.#world.breaks('N18 collects tombstones') ? { ...this.#end(), at: 'remove tombstones' } : this.#end()
  }

  #removeRecord(): void {
    const record = lowest(this.own.records)
    const records = this.own.records & this.own.records - 1
    const rest = { records: replaced(this.#state.records, record, 0), acknowledged: replaced(this.#state.acknowledged, record, 0) }
    const isLast = records === 0
    const next = !isLast ? { records } : this.own.doomed !== 0 ? { records, at: 'delete' as const } : this.#afterRecordsRemoved()
    this.#go(`DELETE gc/${record}`, next, rest)
  }
}
