import writeFileAtomic from 'write-file-atomic'
import { heartbeatMs, type AppStatus } from '../../engine/protocol/app-status.ts'
import type { AppState } from '../api/contract.ts'
import type { JobStore } from '../jobs/store.ts'
import { keptRuns, type RunHistory } from '../runs/history.ts'
import { ownFile } from '../system/private-folder.ts'
import type { Timers } from '../system/timers.ts'
import { appStatus } from './status.ts'

export interface StatusFilePorts {
  readonly path: string
  readonly timers: Timers
  readonly status: (running: boolean) => AppStatus
  readonly log: (level: 'warning', message: string) => void
}

/** Changes in quick succession are written as one. */
const leastBetweenMs = 3_000

/** Keeps the file that tells others how things are: written soon after a change, and now and then without one, so that readers see that the app is there. */
export class StatusFile {
  readonly #ports: StatusFilePorts
  #writing: Promise<void> = Promise.resolve()
  #written: { readonly text: string; readonly atMs: number } | undefined
  #planned = false
  #closed = false
  #failed = false

  constructor(ports: StatusFilePorts) {
    this.#ports = ports
  }

  /** Something may have changed. Calling it more often than necessary, and once in a while, is what it expects. */
  changed(): void {
    if (this.#planned || this.#closed) return
    const { timers } = this.#ports
    const sinceMs = timers.now() - (this.#written?.atMs ?? -Infinity)
    this.#planned = true
    // A clock that was set back holds nothing up.
    timers.after(sinceMs < 0 ? 0 : Math.max(0, leastBetweenMs - sinceMs), () => {
      this.#planned = false
      if (!this.#closed) this.#write(true)
    })
  }

  /** The app ends: the last word. Resolves when it is on disk. */
  async close(): Promise<void> {
    if (!this.#closed) {
      this.#closed = true
      this.#write(false)
    }
    await this.#writing
  }

  #write(running: boolean): void {
    const { path, timers, status, log } = this.#ports
    const nowMs = timers.now()
    const told = status(running)
    const text = JSON.stringify({ ...told, writtenMs: 0 })
    const age = nowMs - (this.#written?.atMs ?? -Infinity)
    if (text === this.#written?.text && age >= 0 && age < heartbeatMs) return
    this.#written = { text, atMs: nowMs }
    this.#writing = this.#writing.then(() => writeFileAtomic(path, `${JSON.stringify(told, undefined, 2)}\n`, ownFile())).then(
      () => { this.#failed = false },
      (error: unknown) => {
        this.#written = undefined
        if (!this.#failed) log('warning', `the status file is not written: ${String(error)}`)
        this.#failed = true
      },
    )
  }
}

/** The file for what the window shows. */
export function openStatusFile({ state, store, history, ...ports }: Omit<StatusFilePorts, 'status'> & {
  readonly state: () => AppState
  readonly store: Pick<JobStore, 'get'>
  readonly history: Pick<RunHistory, 'page'>
}): StatusFile {
  const facts = { runs: (jobId: string) => history.page(jobId, keptRuns).runs, sinceMs: (jobId: string) => store.get(jobId).scheduledSinceMs, pid: process.pid }
  return new StatusFile({ ...ports, status: (running) => appStatus(state(), { ...facts, running, nowMs: ports.timers.now() }) })
}
