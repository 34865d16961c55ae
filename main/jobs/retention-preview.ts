import * as v from 'valibot'
import type { Retention, RetentionPreview } from '../api/contract.ts'
import { MainError } from '../api/errors.ts'
import { requireSecrets } from '../repositories/address.ts'
import type { SecretStore } from '../settings/secrets.ts'
import { AskedEngine, type AskPorts } from './asked-engine.ts'
import { previewJobOf } from './engine-jobs.ts'
import type { JobRecord } from './store.ts'

export interface PreviewPorts extends AskPorts {
  readonly secrets: Pick<SecretStore, 'get'>
}

/** A preview is given up after this time: what a hundred thousand snapshots need has to be read first. */
const givenUpMs = 5 * 60_000

/** Of these it is told what would become of each. */
const mostShown = 500

const gone = v.array(v.object({ finishedMs: v.number() }))
const kept = v.array(v.object({ finishedMs: v.number(), reasons: v.array(v.string()) }))
/** What a dry run of a forget says in the details of its summary. */
const details = v.object({
  groups: v.array(v.object({ host: v.string(), kept, forgotten: gone })),
  estimate: v.exactOptional(v.object({ freedBytes: v.number() })),
})

/** Says what rules would do to the snapshots of a job, which nothing is done to. */
export class RetentionPreviews {
  readonly #ports: PreviewPorts
  readonly #engine: AskedEngine

  constructor(ports: PreviewPorts) {
    this.#ports = ports
    this.#engine = new AskedEngine(ports, 'A preview is being made already.')
  }

  /** Errors: `not-found` where there is no repository yet; `busy`; `password`; what the engine says. */
  async run(record: JobRecord, retention: Retention): Promise<RetentionPreview> {
    if (record.repository.repositoryId === undefined) throw new MainError('not-found', 'There is no snapshot of this job yet.', { reason: 'no-snapshot' })
    const secrets = requireSecrets(this.#ports.secrets, record.repository)
    const start = { job: previewJobOf(record, this.#ports.home, retention), secrets }
    const summary = await this.#engine.ask({ start, about: { job: record.config.name, operation: 'forget' }, givenUpMs })
    const parsed = v.safeParse(details, summary.details)
    if (!parsed.success) throw new MainError('internal', 'The preview gave no result.')
    return previewOf(parsed.output)
  }
}

function previewOf({ groups, estimate }: v.InferOutput<typeof details>): RetentionPreview {
  const kept = groups.flatMap((group) => group.kept)
  const hosts = new Set(groups.map(({ host }) => host))
  const snapshots = groups.flatMap(({ host, kept: staying, forgotten }) => {
    const of = hosts.size > 1 ? { host } : {}
    return [...staying.map(({ finishedMs, reasons }) => ({ finishedMs, ...of, stays: reasons })), ...forgotten.map(({ finishedMs }) => ({ finishedMs, ...of, stays: [] }))]
  })
  const oldestMs = kept.reduce((oldest, { finishedMs }) => Math.min(oldest, finishedMs), Infinity)
  return {
    kept: kept.length,
    forgotten: groups.reduce((sum, group) => sum + group.forgotten.length, 0),
    ...(kept.length > 0 && { oldestKeptMs: oldestMs }),
    ...(estimate && { freedBytes: estimate.freedBytes }),
    snapshots: snapshots.sort((a, b) => b.finishedMs - a.finishedMs).slice(0, mostShown),
  }
}
