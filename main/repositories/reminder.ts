import * as v from 'valibot'
import type { JobRecord, JobStore } from '../jobs/store.ts'
import { keptRuns, type RunHistory } from '../runs/history.ts'
import { isComplete } from '../runs/run-view.ts'
import type { SecretStore } from '../settings/secrets.ts'
import { VersionedFile } from '../settings/versioned-file.ts'
import type { Timers } from '../system/timers.ts'
import { same } from './store.ts'

/** When somebody showed that the password of a repository is known. Times in ms since 1970. */
export interface Recalled {
  /** The first backup that this machine made to it. */
  readonly sinceMs: number
  readonly knownMs?: number
  /** Somebody was asked, and puts it off until then. */
  readonly laterMs?: number
  /** When a notification asked for it last. */
  readonly toldMs?: number
}

interface Reminders {
  /** By the id of the repository's record. */
  readonly repositories: Readonly<Record<string, Recalled>>
  /** Several repositories are asked for one after the other. */
  readonly quietUntilMs?: number
}

const schema: v.GenericSchema<unknown, Reminders> = v.object({
  repositories: v.record(v.string(), v.object({ sinceMs: v.number(), knownMs: v.exactOptional(v.number()), laterMs: v.exactOptional(v.number()), toldMs: v.exactOptional(v.number()) })),
  quietUntilMs: v.exactOptional(v.number()),
})

/** What the app remembers of its questions. */
export function openReminders(path: string, now: () => number): VersionedFile<Reminders> {
  return new VersionedFile({ path, schema, migrations: [], initial: { repositories: {} }, now })
}

const dayMs = 24 * 3_600_000
const firstMs = 30 * dayMs
const againMs = 60 * dayMs
const putOffMs = 7 * dayMs

/** A month after the first backup, then every two months (requirement G14); a question that was put off a week later. Pure. */
export function askAtMs({ sinceMs, knownMs, laterMs = 0 }: Recalled): number {
  return Math.max(knownMs === undefined ? sinceMs + firstMs : knownMs + againMs, laterMs)
}

export interface ReminderPorts {
  readonly file: Pick<VersionedFile<Reminders>, 'value' | 'set'>
  readonly store: Pick<JobStore, 'all'>
  readonly history: Pick<RunHistory, 'page'>
  readonly secrets: Pick<SecretStore, 'has'>
  readonly timers: Pick<Timers, 'now'>
  /** Shows the question, in place of the one before; undefined: there is none. */
  readonly show: (jobId: string | undefined) => void
  /** Announces it, once for each time that it comes up. */
  readonly announce: (record: JobRecord) => void
}

/**
 * Asks, kindly, whether somebody still knows the password of a repository, as long as this machine keeps it: the day on which it is needed is the day on
 * which this machine is gone. One repository at a time, at most one a day.
 */
export class PasswordReminder {
  readonly #ports: ReminderPorts
  #asked: string | undefined

  constructor(ports: ReminderPorts) {
    this.#ports = ports
  }

  /** Whether the password of this repository is asked for now. */
  asksFor(repository: string): boolean {
    return this.#asked === repository
  }

  /** Brings up a question that is due. Calling it more often changes nothing. */
  tick(): void {
    const { file, timers, show, announce } = this.#ports
    const byRepository = this.#repositories()
    const known = { ...file.value.repositories }
    for (const id of Object.keys(known)) if (!byRepository.has(id)) delete known[id]
    for (const [id, records] of byRepository) if (!known[id]) Object.assign(known, this.#begun(id, records))
    this.#keep(known)
    const nowMs = timers.now()
    const due = Object.entries(known).filter(([, one]) => askAtMs(one) <= nowMs).sort(([, a], [, b]) => askAtMs(a) - askAtMs(b))
    const [id, recalled] = due.find(([one]) => one === this.#asked) ?? due[0] ?? []
    const record = id === undefined || nowMs < (file.value.quietUntilMs ?? 0) ? undefined : byRepository.get(id)?.[0]
    this.#asked = record && id
    show(record?.id)
    if (!record || id === undefined || !recalled || (recalled.toldMs ?? -Infinity) >= askAtMs(recalled)) return
    this.#keep({ ...known, [id]: { ...recalled, toldMs: nowMs } })
    announce(record)
  }

  /** Somebody has typed the password of a repository. */
  known(repository: string): void {
    this.#answered(repository, ({ sinceMs }, knownMs) => ({ sinceMs, knownMs }))
  }

  /** Not now. Without effect where nothing is asked. */
  putOff(): void {
    if (this.#asked !== undefined) this.#answered(this.#asked, (old, nowMs) => ({ ...old, laterMs: nowMs + putOffMs }))
  }

  #answered(repository: string, change: (old: Recalled, nowMs: number) => Recalled): void {
    const { file, timers } = this.#ports
    const old = file.value.repositories[repository]
    if (!old) return
    const nowMs = timers.now()
    void file.set({ repositories: { ...file.value.repositories, [repository]: change(old, nowMs) }, quietUntilMs: nowMs + dayMs })
    this.tick()
  }

  /** Those with a backup whose password this machine keeps. */
  #repositories(): ReadonlyMap<string, readonly JobRecord[]> {
    const { store, secrets } = this.#ports
    const found = new Map<string, JobRecord[]>()
    for (const record of store.all) {
      const { repository: { id, repositoryId } } = record
      if (repositoryId !== undefined && secrets.has(id).password) found.set(id, [...(found.get(id) ?? []), record])
    }
    return found
  }

  /** Nothing where no backup is complete yet. */
  #begun(id: string, records: readonly JobRecord[]): Readonly<Record<string, Recalled>> {
    const runs = records.flatMap((record) => this.#ports.history.page(record.id, keptRuns).runs).filter(isComplete)
    return runs.length === 0 ? {} : { [id]: { sinceMs: Math.min(...runs.map(({ finishedMs }) => finishedMs)) } }
  }

  #keep(repositories: Reminders['repositories']): void {
    const { file } = this.#ports
    if (!same(repositories, file.value.repositories)) void file.set({ ...file.value, repositories })
  }
}
