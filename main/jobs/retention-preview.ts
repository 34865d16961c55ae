import * as v from 'valibot'
import type { JobSecrets } from '../../engine/protocol/job.ts'
import type { Retention, RetentionPreview } from '../api/contract.ts'
import { EngineError, MainError } from '../api/errors.ts'
import type { Pace } from '../api/pace.ts'
import { keptSecrets } from '../repositories/address.ts'
import type { EngineStarter } from '../runs/backups.ts'
import { engineLog } from '../runs/engine-log.ts'
import type { SecretStore } from '../settings/secrets.ts'
import type { LogWriter } from '../system/logs.ts'
import type { Timers } from '../system/timers.ts'
import { previewJobOf } from './engine-jobs.ts'
import type { JobRecord } from './store.ts'

export interface PreviewPorts {
  readonly secrets: Pick<SecretStore, 'get'>
  readonly engines: EngineStarter
  readonly home: string
  readonly timers: Timers
  readonly log: LogWriter
  /** How often an engine may be started for it. */
  readonly pace: Pace
}

/** A preview is given up after this time: what a hundred thousand snapshots need has to be read first. */
const givenUpMs = 5 * 60_000
const stopGraceMs = 2_000

const snapshots = v.array(v.object({ finishedMs: v.number() }))
/** What a dry run of a forget says in the details of its summary. */
const details = v.object({
  groups: v.array(v.object({ kept: snapshots, forgotten: snapshots })),
  estimate: v.exactOptional(v.object({ freedBytes: v.number() })),
})

/** Says what rules would do to the snapshots of a job, which nothing is done to. One at a time: somebody sits in front of it. */
export class RetentionPreviews {
  readonly #ports: PreviewPorts
  #busy = false

  constructor(ports: PreviewPorts) {
    this.#ports = ports
  }

  /** Errors: `not-found` where there is no repository yet; `busy`; `password`; what the engine says. */
  async run(record: JobRecord, retention: Retention): Promise<RetentionPreview> {
    if (record.repository.repositoryId === undefined) throw new MainError('not-found', 'There is no snapshot of this job yet.', { reason: 'no-snapshot' })
    if (this.#busy) throw new MainError('busy', 'A preview is being made already.', { pace: true })
    const secrets = keptSecrets(this.#ports.secrets, record.repository)
    if (!secrets) throw new MainError('password', 'The password of this job is not stored, or cannot be opened.', { missing: true })
    this.#ports.pace.take()
    this.#busy = true
    try {
      return await this.#ask(record, retention, secrets)
    } finally {
      this.#busy = false
    }
  }

  async #ask(record: JobRecord, retention: Retention, secrets: JobSecrets): Promise<RetentionPreview> {
    const { engines, home, timers, log } = this.#ports
    const listener = engineLog(log, timers, { job: record.config.name, operation: 'forget' })
    const engine = engines.start({ job: previewJobOf(record, home, retention), secrets }, listener)
    const cancel = timers.after(givenUpMs, () => { engine.stop('cancel', stopGraceMs) })
    const exit = await engine.exited
    cancel()
    if (exit.type === 'failed') throw new EngineError(exit.error)
    if (exit.type === 'crashed') throw new MainError('crashed', `The engine process broke off: ${exit.detail}.`)
    const parsed = v.safeParse(details, exit.summary.details)
    if (!parsed.success) throw new MainError('internal', 'The preview gave no result.')
    return previewOf(parsed.output)
  }
}

function previewOf({ groups, estimate }: v.InferOutput<typeof details>): RetentionPreview {
  const kept = groups.flatMap((group) => group.kept)
  const oldestMs = kept.reduce((oldest, { finishedMs }) => Math.min(oldest, finishedMs), Infinity)
  return {
    kept: kept.length,
    forgotten: groups.reduce((sum, group) => sum + group.forgotten.length, 0),
    ...(kept.length > 0 && { oldestKeptMs: oldestMs }),
    ...(estimate && { freedBytes: estimate.freedBytes }),
  }
}
