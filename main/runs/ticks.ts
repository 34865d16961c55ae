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
  readonly whereabouts: { refresh(): Promise<void> }
  readonly uncovered: { refresh(): Promise<void> }
  readonly watch: Ticking
  readonly reminder: Ticking
  readonly kits: Ticking
  readonly overdue: Ticking
  readonly limits: Ticking
  readonly queue: { readonly minds: boolean; pump(): void }
  readonly surroundings: { look(): Promise<void> }
  readonly disks: { look(): Promise<void>; glance(): Promise<boolean> }
  readonly returns: { look(): Promise<void> }
  /** Jobs whose last run was cut off with the app. */
  readonly interrupted: readonly string[]
  /** What is shown depends on the time, too. */
  readonly refresh: () => void
}

const tickMs = 30_000
/** What was away, and is back, is noticed within this time. */
const lookMs = 30_000

/** How soon it is noticed that a disk was plugged in, or taken away. */
const glanceMs = 5_000
/** How soon it is noticed that a run under way has to stand still for its conditions, or may go on. */
const mindMs = 5_000

/** From now on what is due starts by itself: at start, once in a while, and after wake-up; nothing before this computer was looked at. */
export function startTicks(ports: TickPorts): void {
  const { timers, onWake, awake, backups, care, copies, whereabouts, uncovered, watch, reminder, kits, overdue, limits, returns, queue, surroundings, disks, interrupted, refresh } = ports
  const looked = (action: () => void): void => { void Promise.all([surroundings.look(), disks.look()]).finally(action) }
  looked(() => {
    backups.continueInterrupted(interrupted)
    backups.tick()
    refresh()
  })
  onWake(() => {
    awake.woke()
    limits.tick()
    looked(() => {
      backups.tick()
      queue.pump()
      void returns.look()
      void copies.look()
      refresh()
    })
  })
  every(timers, lookMs, () => {
    void returns.look()
    void copies.look()
    void whereabouts.refresh()
    void uncovered.refresh()
  })
  watch.tick()
  reminder.tick()
  kits.tick()
  every(timers, tickMs, () => {
    awake.look()
    looked(() => {
      queue.pump()
      for (const one of [limits, backups, care, copies, watch, reminder, kits, overdue]) one.tick()
      refresh()
    })
  })
  every(timers, glanceMs, () => {
    void disks.glance().then((changed) => {
      if (!changed) return
      looked(() => {
        queue.pump()
        backups.tick()
        void returns.look()
        refresh()
      })
    })
  })
  every(timers, mindMs, () => { if (queue.minds) looked(() => { queue.pump() }) })
}
