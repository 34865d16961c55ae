import * as v from 'valibot'
import type { JobReport, ReportKind, ReportView, RunView } from '../api/contract.ts'
import { MainError } from '../api/errors.ts'
import { readReportAddress } from '../api/report-address.ts'
import type { JobRecord } from '../jobs/store.ts'
import type { SecretStore } from '../settings/secrets.ts'
import { VersionedFile } from '../settings/versioned-file.ts'
import type { Timers } from '../system/timers.ts'
import { reportRequest, type ReportRequest, type Told } from './message.ts'

/** What is kept in plain; the address is a secret. */
interface Kept {
  readonly kind: ReportKind
  readonly origin: string
}
type AllKept = Readonly<Record<string, Kept>>

const schema: v.GenericSchema<unknown, AllKept> = v.record(v.string(), v.object({ kind: v.picklist(['ping', 'json']), origin: v.string() }))

/** By the ids of jobs. */
export function openReportsFile(path: string, now: () => number): VersionedFile<AllKept> {
  return new VersionedFile({ path, schema, migrations: [], initial: {}, now })
}

export interface ReportPorts {
  readonly file: Pick<VersionedFile<AllKept>, 'value' | 'set'>
  readonly secrets: Pick<SecretStore, 'get' | 'set' | 'remove'>
  readonly timers: Timers
  /** This machine's name, for jobs that have none of their own. */
  readonly host: string
  readonly log: (level: 'warning', message: string) => void
  readonly onChange: () => void
  /** How long an answer may take, in ms. */
  readonly timeoutMs?: number
}

/** Before the second and the third try, in ms. */
const pausesMs = [2_000, 10_000]
const answerMs = 10_000

/** Tells addresses that people chose of the start and the end of backups. A backup never waits for it, and nothing comes of what is answered but a note. */
export class Reports {
  readonly #ports: ReportPorts
  /** What is told of a job goes one after the other, so that no start arrives behind its end. */
  readonly #sending = new Map<string, Promise<void>>()
  readonly #failed = new Map<string, NonNullable<ReportView['failed']>>()

  constructor(ports: ReportPorts) {
    this.#ports = ports
  }

  view(jobId: string): ReportView | undefined {
    const kept = this.#ports.file.value[jobId]
    const failed = this.#failed.get(jobId)
    return kept && { ...kept, ...(failed && { failed }) }
  }

  /** The address that is told of a job, with what identifies its owner. */
  address(jobId: string): string | undefined {
    const kept = this.#ports.file.value[jobId]
    return kept && this.#ports.secrets.get(secretId(jobId), boundTo(kept.origin))?.password
  }

  /** From now on this address is told; undefined: none is. Errors: `arguments` for what cannot be one. */
  async set(jobId: string, report: JobReport | undefined): Promise<void> {
    const { file, secrets, onChange } = this.#ports
    const { [jobId]: _before, ...others } = file.value
    this.#failed.delete(jobId)
    if (report) {
      const { address, origin } = expectAddress(report.address)
      // Both count at once, so that nothing that is under way finds one without the other.
      await Promise.all([secrets.set(secretId(jobId), boundTo(origin), { password: address, storage: {} }), file.set({ ...others, [jobId]: { kind: report.kind, origin } })])
    } else await Promise.all([file.set(others), secrets.remove(secretId(jobId))])
    onChange()
  }

  /** The job is gone. */
  async forget(jobId: string): Promise<void> {
    if (this.#ports.file.value[jobId]) await this.set(jobId, undefined)
  }

  started(startedMs: number, record: JobRecord): void {
    this.#tell(record, { startedMs })
  }

  ended(run: RunView, record: JobRecord): void {
    this.#tell(record, { startedMs: run.startedMs, ended: run })
  }

  #tell({ id, config, host }: JobRecord, told: Pick<Told, 'startedMs' | 'ended'>): void {
    const kept = this.#ports.file.value[id]
    if (!kept) return
    const before = this.#sending.get(id) ?? Promise.resolve()
    const sending = before.then(() => this.#send(id, kept, { job: config.name, host: host ?? this.#ports.host, ...told })).finally(() => {
      if (this.#sending.get(id) === sending) this.#sending.delete(id)
    })
    this.#sending.set(id, sending)
  }

  /** Never rejects. */
  async #send(jobId: string, kept: Kept, told: Told): Promise<void> {
    const { secrets, timers, log, file, onChange } = this.#ports
    const address = secrets.get(secretId(jobId), boundTo(kept.origin))?.password
    let reason = address === undefined ? 'lost' : await this.#post(reportRequest(kept.kind, address, told))
    for (const pauseMs of pausesMs) {
      if (address === undefined || reason === undefined || !mayPass(reason)) break
      await new Promise<void>((resolve) => { timers.after(pauseMs, resolve) })
      // Somebody chose another one meanwhile, or none.
      if (file.value[jobId] !== kept) return
      reason = await this.#post(reportRequest(kept.kind, address, told))
    }
    if (file.value[jobId] !== kept) return
    if (reason === undefined) {
      if (this.#failed.delete(jobId)) onChange()
      return
    }
    log('warning', `${kept.origin} could not be told of the backup “${told.job}”: ${reason}`)
    this.#failed.set(jobId, { atMs: timers.now(), reason })
    onChange()
  }

  /** Why it failed, in a word without the address: `offline`, `timeout`, or the status of the answer; undefined: it did not. */
  async #post({ url, type, body }: ReportRequest): Promise<string | undefined> {
    try {
      const response = await fetch(url, {
        method: 'POST', body, headers: { 'content-type': type, 'user-agent': 'Holdfast' }, redirect: 'manual', credentials: 'omit',
        signal: AbortSignal.timeout(this.#ports.timeoutMs ?? answerMs),
      })
      await response.body?.cancel()
      return response.ok ? undefined : String(response.status)
    } catch (error) {
      // Its words quote the address.
      return error instanceof Error && error.name === 'TimeoutError' ? 'timeout' : 'offline'
    }
  }
}

/** Whether another try may help: not where the address is refused for good. */
function mayPass(reason: string): boolean {
  return !/^[34]\d\d$/.test(reason) || reason === '408' || reason === '429'
}

/** Errors: `arguments`. */
export function expectAddress(typed: string): { readonly address: string; readonly origin: string } {
  const read = readReportAddress(typed)
  if ('problem' in read) throw new MainError('arguments', 'This address cannot be told of backups.', { field: 'report.address', problem: read.problem })
  return read
}

function secretId(jobId: string): string {
  return `report-${jobId}`
}

function boundTo(origin: string): string {
  return `report:${origin}`
}
