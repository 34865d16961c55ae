import type { JobConfig, RunView } from '../api/contract.ts'
import type { Timers } from '../system/timers.ts'
import type { JobRecord } from '../jobs/store.ts'
import { awayAfter } from './decide.ts'

/** What seemed to be there, and yet was not, is not tried again before this time: another cause than a missing disk is at work. */
const doubtfulMs = 15 * 60_000

export interface ReturnPorts {
  readonly timers: Timers
  readonly store: { readonly all: readonly JobRecord[] }
  readonly history: { last(jobId: string): RunView | undefined }
  readonly backups: { of(jobId: string): unknown; continueInterrupted(jobIds: readonly string[]): void; tick(): void }
  readonly isWithinReach: (config: JobConfig) => Promise<boolean>
}

/**
 * Starts runs again that ended because a disk or the network went away, as soon as it is back (E4), whatever their schedule. Looks when it is
 * told to: once in a while, and after wake-up.
 */
export class Returns {
  readonly #ports: ReturnPorts
  /** Runs after which the destination or the source was seen to be away. */
  readonly #away = new Set<string>()
  readonly #startedMs = new Map<string, number>()
  #looking = false

  constructor(ports: ReturnPorts) {
    this.#ports = ports
  }

  /** Looks at every job that waits. While one look goes on, another does nothing. Never rejects. */
  async look(): Promise<void> {
    if (this.#looking) return
    this.#looking = true
    try {
      const waiting = this.#ports.store.all.filter((record) => this.#waitingRun(record.id) !== undefined)
      await Promise.all(waiting.map((record) => this.#lookAt(record)))
    } finally {
      this.#looking = false
    }
  }

  async #lookAt({ id, config }: JobRecord): Promise<void> {
    const run = this.#waitingRun(id)
    const isThere = await this.#ports.isWithinReach(config)
    // Meanwhile somebody may have started it, or deleted it.
    if (!run || this.#waitingRun(id) !== run || !this.#ports.store.all.some((record) => record.id === id)) return
    if (!isThere) {
      this.#away.add(run.id)
      return
    }
    const now = this.#ports.timers.now()
    if (!this.#away.has(run.id) && now - (this.#startedMs.get(id) ?? -Infinity) < doubtfulMs) return
    this.#away.delete(run.id)
    this.#startedMs.set(id, now)
    this.#ports.backups.continueInterrupted([id])
    this.#ports.backups.tick()
  }

  /** The job's last run, if it ended for want of a disk or the network and nothing has followed yet. */
  #waitingRun(jobId: string): RunView | undefined {
    const { backups, history } = this.#ports
    const last = history.last(jobId)
    return backups.of(jobId) === undefined && awayAfter(last) !== undefined ? last : undefined
  }
}
