import type { JobSecrets } from '../../engine/protocol/job.ts'
import type { PlaceRef } from '../api/contract.ts'
import type { JobStore } from '../jobs/store.ts'
import type { SecretStore } from '../settings/secrets.ts'
import { requireSecrets } from './address.ts'
import type { RepositoryRecord } from './store.ts'

/** A repository that is looked at: that of a job, or one that somebody opened without a job. */
export interface Place {
  /** Of the job, or of the visit. */
  readonly id: string
  readonly ref: PlaceRef
  /** What people call it. */
  readonly name: string
  readonly repository: RepositoryRecord
  readonly concurrency: number
  /** The computer's name in snapshots, where it is not the system's. */
  readonly host?: string
}

/** A place that no job goes to, with what opens it. */
export interface VisitedPlace {
  readonly place: Place
  readonly secrets: JobSecrets
}

export interface PlacePorts {
  readonly store: Pick<JobStore, 'get'>
  readonly secrets: Pick<SecretStore, 'get'>
  /** The repository that is open without a job. Errors: `not-found`. */
  readonly visits: { get(visitId: string): VisitedPlace }
}

/** Where files can be looked at and restored from. */
export class Places {
  readonly #ports: PlacePorts

  constructor(ports: PlacePorts) {
    this.#ports = ports
  }

  /** Errors: `not-found`; `password` where none is kept. */
  open(ref: PlaceRef): VisitedPlace {
    if ('visitId' in ref) return this.#ports.visits.get(ref.visitId)
    const { id, config: { name, concurrency }, repository, host } = this.#ports.store.get(ref.jobId)
    const place: Place = { id, ref, name, repository, concurrency, ...(host !== undefined && { host }) }
    return { place, secrets: requireSecrets(this.#ports.secrets, repository) }
  }
}

/** Different for different places, whatever ids somebody makes up. */
export function placeKey(ref: PlaceRef): string {
  return 'visitId' in ref ? `visit ${ref.visitId}` : `job ${ref.jobId}`
}
