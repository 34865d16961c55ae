import { Meter, type Work } from '../../progress/meter.ts'
import { SpeedWindow } from '../../progress/speed.ts'
import type { Counters, Phase, Problem, SyncProgress } from '../../protocol/progress.ts'
import type { Tally } from '../../pipeline/tally.ts'
import type { CommandContext } from '../context.ts'
import { Side } from './side.ts'

const keptProblems = 100

/** A snapshot on its way. */
export interface Underway {
  readonly group: string
  readonly snapshot: string
  readonly files: number
  readonly totalBytes: number
  /** Bytes of files that were looked at, that were found to lack, and that of these have come. */
  walkedBytes: number
  lackingBytes: number
  readBytes: number
}

/** How a sync goes: by group, by snapshot, by pack, and in both directions. */
export class SyncRunProgress implements Disposable {
  readonly meter: Meter
  readonly source: Side
  readonly destination: Side
  /** One for each lane. */
  readonly tallies: Tally[] = []
  readonly problems: Problem[] = []
  problemCount = 0
  groupsDone = 0
  copied = 0
  readonly #context: CommandContext
  readonly #read = new SpeedWindow()
  readonly #sent = new SpeedWindow()
  readonly #underway = new Set<Underway>()
  #phase: Phase = 'opening'
  #groups = 0
  #snapshots = 0
  #snapshotsDone = 0
  #files = { total: 0, done: 0 }
  #bytes = { total: 0, done: 0 }
  #lanes = 0

  constructor(context: CommandContext) {
    this.#context = context
    this.meter = new Meter('sync', context)
    const number = (): number => ++this.#lanes
    this.source = new Side(this.meter, number)
    this.destination = new Side(this.meter, number)
  }

  phase(phase: Phase): void {
    this.#phase = phase
    this.meter.tell()
  }

  /** What is planned; from now on there are shares. */
  expect(groups: number, snapshots: readonly { readonly files: number; readonly bytes: number }[]): void {
    this.#groups = groups
    this.#snapshots = snapshots.length
    for (const { files, bytes } of snapshots) {
      this.#files.total += files
      this.#bytes.total += bytes
    }
    this.meter.show(() => this.#work())
  }

  begin(snapshot: Pick<Underway, 'group' | 'snapshot' | 'files' | 'totalBytes'>): Underway {
    const underway = { ...snapshot, walkedBytes: 0, lackingBytes: 0, readBytes: 0 }
    this.#underway.add(underway)
    this.meter.tell()
    return underway
  }

  /** It is at the destination, or will not come. */
  end(underway: Underway): void {
    this.#underway.delete(underway)
    this.#snapshotsDone++
    this.#files.done += underway.files
    this.#bytes.done += underway.totalBytes
    this.meter.tell()
  }

  problem(problem: Problem): void {
    this.problemCount++
    if (this.problems.length < keptProblems) this.problems.push(problem)
    this.#context.events.problem(problem)
  }

  [Symbol.dispose](): void {
    this.meter[Symbol.dispose]()
  }

  get files(): Counters {
    const { total, done } = this.#files
    return { found: total, unchanged: 0, deduplicated: 0, uploaded: done, waiting: Math.max(0, total - done) }
  }

  /** `unchanged`: in folders that were there already, or never looked at. */
  get bytes(): Counters {
    const done = this.#doneBytes
    const sum = (of: (tally: Tally) => number): number => this.tallies.reduce((total, tally) => total + of(tally), 0)
    const uploaded = sum(({ bytes }) => bytes.uploaded)
    const deduplicated = sum(({ bytes }) => bytes.deduplicated)
    return { found: this.#bytes.total, uploaded, deduplicated, unchanged: Math.max(0, done - uploaded - deduplicated), waiting: Math.max(0, this.#bytes.total - done) }
  }

  get #doneBytes(): number {
    return this.#bytes.done + [...this.#underway].reduce((sum, each) => sum + doneOf(each), 0)
  }

  #work(): Work {
    const at = [...this.#underway].map((each) => ({ group: each.group, snapshot: each.snapshot, doneBytes: doneOf(each), totalBytes: each.totalBytes }))
    return {
      phase: this.#phase, files: this.files, bytes: this.bytes, problems: this.problemCount, done: this.#doneBytes, total: this.#bytes.total, sync: this.#sync(at),
      ...(at.length > 0 ? { currentPath: at.map(({ group, snapshot }) => `${group} › ${snapshot}`).join(', ') } : {}),
    }
  }

  #sync(at: SyncProgress['at']): SyncProgress {
    const nowMs = this.#context.clock.monotonic()
    const readBytes = this.source.traffic.downloadedBytes
    const sentBytes = this.destination.traffic.uploadedBytes
    return {
      groups: { done: this.groupsDone, total: this.#groups }, snapshots: { done: this.#snapshotsDone, total: this.#snapshots }, at,
      readBytes, sentBytes, readBytesPerSecond: this.#read.read(nowMs, readBytes), sentBytesPerSecond: this.#sent.read(nowMs, sentBytes),
    }
  }
}

function doneOf({ walkedBytes, lackingBytes, readBytes, totalBytes }: Underway): number {
  return Math.max(0, Math.min(totalBytes, walkedBytes - lackingBytes + readBytes))
}
