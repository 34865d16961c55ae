import type { Clock } from '../base/clock.ts'
import type { PauseGate } from '../base/pause.ts'
import { noCounters, type AtOnce, type Counters, type Operation, type Phase, type Progress, type SyncProgress, type TransferEvent } from '../protocol/progress.ts'
import { addSample, remainingTime, type ProgressSample } from './eta.ts'
import { SpeedWindow } from './speed.ts'
import { Traffic, type Lane } from './traffic.ts'

/** How often a run tells how it goes. Nothing behind this thins it out once more. */
const beatMs = 250

/** What a command knows of its own work; all else in a picture is the meter's. */
export interface Work {
  readonly phase: Phase
  readonly files: Counters
  readonly bytes: Counters
  readonly problems: number
  /** How much is done and how much there is in all, in units of the command's own: bytes, packs, objects. Total: undefined while unknown. */
  readonly done: number
  readonly total: number | undefined
  /** How much of it an interrupted run had done, which this one continues. */
  readonly continued?: number
  readonly currentPath?: string
  readonly sync?: SyncProgress
}

export interface MeterPorts {
  readonly clock: Clock
  readonly pauseGate: PauseGate
  readonly events: {
    progress(progress: Progress): void
    transfer(transfer: TransferEvent): void
  }
}

/**
 * How a run goes, as people read it: one throttle, one speed (bytes over the network, both directions), one way to tell the time that
 * remains, one list of lanes. Pictures and moving lanes are told four times a second; phases, and what is waited for, at once; the last
 * picture when it is disposed.
 */
export class Meter implements Disposable {
  readonly traffic = new Traffic()
  readonly #operation: Operation
  readonly #ports: MeterPorts
  readonly #speed = new SpeedWindow()
  /** Bytes of each lane as they were last told. */
  readonly #told = new Map<number, number>()
  #work: (() => Work) | undefined
  #toldWaiting = false
  #samples: readonly ProgressSample[] = []
  /** Time of this run without its pauses. */
  #activeMs = 0
  #beganActiveMs = 0
  #sentMs: number
  #timer: NodeJS.Timeout | undefined
  #ended = false

  constructor(operation: Operation, ports: MeterPorts) {
    this.#operation = operation
    this.#ports = ports
    this.#sentMs = ports.clock.monotonic()
    this.traffic.onWaiting = () => { this.tell() }
    this.#plan()
  }

  /** From now on pictures show this work; the time that remains is reckoned from here. Told at once. */
  show(work: () => Work): void {
    this.#work = work
    this.#samples = []
    this.#beganActiveMs = this.#activeMs
    this.tell()
  }

  /** For work that leaves no time to timers: tells when it is time to. */
  changed(): void {
    if (this.#ports.clock.monotonic() - this.#sentMs >= beatMs) this.tell()
  }

  /** Tells at once. */
  tell(): void {
    const nowMs = this.#ports.clock.monotonic()
    if (!this.#ports.pauseGate.paused) this.#activeMs += nowMs - this.#sentMs
    this.#sentMs = nowMs
    if (this.#work || this.traffic.waitingFor || this.#toldWaiting) this.#ports.events.progress(this.#picture(nowMs, this.#work?.() ?? opening))
    this.#toldWaiting = this.traffic.waitingFor !== undefined
    this.#tellLanes()
    this.#plan()
  }

  begin(lane: Lane): void {
    this.traffic.begin(lane)
    if (!isShown(lane)) return
    this.#told.set(lane.id, lane.bytes)
    this.#ports.events.transfer(lane.event('active'))
  }

  end(lane: Lane, state: 'done' | 'failed'): void {
    this.traffic.end(lane)
    if (this.#told.delete(lane.id)) this.#ports.events.transfer(lane.event(state))
  }

  [Symbol.dispose](): void {
    if (this.#ended) return
    if (this.#work) this.tell()
    this.#ended = true
    clearTimeout(this.#timer)
  }

  #plan(): void {
    clearTimeout(this.#timer)
    if (!this.#ended) this.#timer = setTimeout(() => { this.tell() }, beatMs).unref()
  }

  #tellLanes(): void {
    for (const lane of this.traffic.lanes) {
      const before = this.#told.get(lane.id)
      if (before === undefined || before === lane.bytes) continue
      this.#told.set(lane.id, lane.bytes)
      this.#ports.events.transfer(lane.event('active'))
    }
  }

  #picture(nowMs: number, work: Work): Progress {
    const { phase, files, bytes, problems, done, total, continued, currentPath, sync } = work
    const { waitingFor, uploadedBytes, downloadedBytes } = this.traffic
    const transferredBytes = uploadedBytes + downloadedBytes
    const etaMs = this.#remaining(done, total)
    const atOnce = this.#atOnce()
    return {
      operation: this.#operation, phase, paused: this.#ports.pauseGate.paused, files, bytes, transferredBytes,
      bytesPerSecond: this.#speed.read(nowMs, transferredBytes), problems,
      ...(waitingFor ? { waitingFor } : {}),
      ...(atOnce ? { atOnce } : {}),
      ...(total ? { fraction: Math.min(1, done / total) } : {}),
      ...(etaMs ? { etaMs } : {}),
      ...(continued !== undefined && total ? { continuedFraction: Math.min(1, continued / total) } : {}),
      ...(currentPath === undefined ? {} : { currentPath }),
      ...(sync === undefined ? {} : { sync }),
    }
  }

  /** Of uploads while there are any: a backup's downloads are what it reads back beside them. */
  #atOnce(): AtOnce | undefined {
    const directions = new Set(Array.from(this.traffic.lanes).filter(isShown).map(({ direction }) => direction))
    return directions.size === 0 ? undefined : this.traffic.atOnce?.(directions.has('up') ? 'up' : 'down')
  }

  #remaining(done: number, total: number | undefined): Progress['etaMs'] {
    const sample = { timeMs: this.#activeMs, done }
    const range = total ? remainingTime(this.#samples, sample, this.#beganActiveMs, total - done) : undefined
    this.#samples = addSample(this.#samples, sample)
    return range
  }
}

/** The repository's own small objects are over in a blink and say nothing to anybody; the sums have them. */
function isShown(lane: Lane): boolean {
  return lane.event('active').name.startsWith('pack ')
}

/** Until the command tells by itself how it goes, it is opening, and what that waits for is all there is to tell. */
const opening: Work = { phase: 'opening', files: noCounters, bytes: noCounters, problems: 0, done: 0, total: undefined }
