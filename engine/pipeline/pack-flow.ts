import { rmSync } from 'node:fs'
import { throwIfAborted } from '../base/abort.ts'
import type { PauseGate } from '../base/pause.ts'
import type { SpoolEntry } from '../catalog/spool.ts'
import type { SealedPack } from '../repository/pack-info.ts'
import { Channel } from './channel.ts'
import { runStage } from './stage.ts'

export interface PackFlowOptions {
  /** Uploads at a time. */
  readonly concurrency: number
  readonly pauseGate: PauseGate
  /** Commits the pack to the catalog before its upload may begin (C3). */
  readonly record: (pack: SealedPack) => SpoolEntry
  readonly upload: (entry: SpoolEntry, signal: AbortSignal) => Promise<void>
  /** Nothing new begins when it fires. */
  readonly signal: AbortSignal
  /** Uploads in flight break off when it fires. */
  readonly transferSignal: AbortSignal
}

/**
 * The last stage: sealed packs go to the storage, several at a time. At most as many wait as are sent at once, so a slow link holds up the
 * sealing, and the spool on disk stays small. Packs that wait when the run ends stay in the catalog, for the next run to send.
 */
export class PackFlow {
  readonly #options: PackFlowOptions
  readonly #packs: Channel<SpoolEntry>
  readonly #stage: Promise<void>
  #unfinished = 0
  #idle: (() => void)[] = []

  constructor(options: PackFlowOptions) {
    const { concurrency, signal } = options
    this.#options = options
    this.#packs = new Channel<SpoolEntry>(concurrency).failOn(signal)
    this.#stage = runStage({ input: this.#packs, concurrency, work: (entry) => this.#upload(entry) })
    this.#stage.catch(() => undefined)
  }

  /** Ends when closed and all is sent; rejects when an upload failed for good, or the run was stopped. No upload is left then. */
  get done(): Promise<void> {
    return this.#stage
  }

  /** Resolves when there is room for the next. */
  async add(pack: SealedPack): Promise<void> {
    await this.addRecorded(this.#options.record(pack))
  }

  /** A pack that is in the catalog already, of an interrupted run. */
  async addRecorded(entry: SpoolEntry): Promise<void> {
    this.#unfinished++
    await this.#packs.send(entry)
  }

  /** Waits until every pack that was given has arrived. */
  async flush(): Promise<void> {
    if (this.#unfinished === 0) return
    const idle = new Promise<void>((resolve) => { this.#idle.push(resolve) })
    await Promise.race([idle, this.#stage])
  }

  close(): void {
    this.#packs.close()
  }

  async #upload(entry: SpoolEntry): Promise<void> {
    const { pauseGate, signal, transferSignal, upload } = this.#options
    await pauseGate.pass(signal)
    throwIfAborted(signal)
    await upload(entry, transferSignal)
    if (--this.#unfinished > 0) return
    for (const resolve of this.#idle.splice(0)) resolve()
  }
}

/** For a dry run: the pack has been made, and that is all. */
export function discardPack(pack: SealedPack): void {
  rmSync(pack.path, { force: true })
}
