import type { WaitReason } from '../api/contract.ts'

/** A backup that is due for so long, and waits for one of its conditions, or its disk. */
export interface Overdue {
  readonly jobId: string
  readonly name: string
  readonly wait: WaitReason
  /** How long ago a backup was complete last, in ms; absent: never yet. */
  readonly completeAgoMs?: number
}

export interface OverduePorts {
  readonly now: () => number
  /** Of all jobs, as things are now, those that have been due for so many ms. */
  readonly overdue: (ms: number) => readonly Overdue[]
  /** When it was told last, ms since 1970; kept for the next start. */
  readonly told: { get: () => number | undefined; set: (ms: number) => void }
  /** @returns whether that was wanted */
  readonly announce: (overdue: readonly Overdue[]) => boolean
}

const dayMs = 24 * 3_600_000

/** Tells, once a day at most, of backups that their conditions, or disks that are away, have kept from running for a day. */
export class OverdueTeller {
  readonly #ports: OverduePorts

  constructor(ports: OverduePorts) {
    this.#ports = ports
  }

  tick(): void {
    const { now, told, overdue, announce } = this.#ports
    const toldMs = told.get()
    // A clock that was set back keeps nobody in the dark for years.
    if (toldMs !== undefined && now() - toldMs < dayMs && toldMs <= now()) return
    const found = overdue(dayMs)
    if (found.length > 0 && announce(found)) told.set(now())
  }
}
