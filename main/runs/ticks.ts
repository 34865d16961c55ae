import { every, type Timers } from '../system/timers.ts'

/** What does something when it is told that time has passed; more often than necessary is the same. */
interface Ticking {
  tick(): void
}

export interface TickPorts {
  readonly timers: Timers
  /** Calls back when the computer has woken up. */
  readonly onWake: (action: () => void) => void
  readonly awake: { woke(): void; look(): void }
  readonly backups: Ticking & { continueInterrupted(jobIds: readonly string[]): void }
  readonly care: Ticking
  readonly copies: Ticking & { look(): Promise<void> }
  readonly watch: Ticking
  readonly reminder: Ticking
  readonly returns: { look(): Promise<void> }
  /** Jobs whose last run was cut off with the app. */
  readonly interrupted: readonly string[]
  /** What is shown depends on the time, too. */
  readonly refresh: () => void
}

const tickMs = 30_000
/** A disk that is plugged in again is noticed within this time. */
const lookMs = 30_000

/** From now on what is due starts by itself: at start, once in a while, and after wake-up. */
export function startTicks({ timers, onWake, awake, backups, care, copies, watch, reminder, returns, interrupted, refresh }: TickPorts): void {
  backups.continueInterrupted(interrupted)
  backups.tick()
  onWake(() => {
    awake.woke()
    backups.tick()
    void returns.look()
    refresh()
  })
  every(timers, lookMs, () => {
    void returns.look()
    void copies.look()
  })
  watch.tick()
  reminder.tick()
  every(timers, tickMs, () => {
    awake.look()
    for (const one of [backups, care, copies, watch, reminder]) one.tick()
    refresh()
  })
}
