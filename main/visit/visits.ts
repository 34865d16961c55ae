import { randomUUID } from 'node:crypto'
import type { JobSecrets } from '../../engine/protocol/job.ts'
import type { MachineRecord } from '../../engine/protocol/messages.ts'
import type { Destination, PlaceRef } from '../api/contract.ts'
import { MainError } from '../api/errors.ts'
import { destinationName } from '../authority/questions.ts'
import type { VisitedPlace } from '../repositories/places.ts'

/** Transfers at a time, where no job says how many. */
const concurrency = 4

/** What a look into the repository has found. */
export interface Found {
  readonly repositoryId: string
  readonly machines: readonly MachineRecord[]
}

export interface Visit extends VisitedPlace {
  /** Absent until it was looked into. */
  readonly found?: Found
}

export interface VisitPorts {
  /** Ends the engine that reads a place. */
  readonly close: (place: PlaceRef) => void
  readonly onChange: () => void
}

/**
 * The one repository that somebody has opened without a job. What opens it is in memory alone: nothing of it is written before jobs are made of it. A
 * restore that was started from it goes on when it ends.
 */
export class Visits {
  #ports: VisitPorts | undefined
  #visit: Visit | undefined

  /** What is told when visits end and change; nothing is before. */
  tell(ports: VisitPorts): void {
    this.#ports = ports
  }

  /** Another one ends with it. */
  begin(destination: Destination, secrets: JobSecrets): Visit {
    this.end()
    const id = randomUUID()
    this.#visit = { place: { id, ref: { visitId: id }, name: destinationName(destination), repository: { id, destination }, concurrency }, secrets }
    return this.#visit
  }

  /** It could be opened, and from now on it is this repository and no other. Errors: `not-found` where it has ended meanwhile. */
  opened(visitId: string, found: Found): Visit {
    const { place, secrets } = this.get(visitId)
    this.#visit = { place: { ...place, repository: { ...place.repository, repositoryId: found.repositoryId } }, secrets, found }
    this.#ports?.onChange()
    return this.#visit
  }

  /** Errors: `not-found`. */
  get(visitId: string): Visit {
    if (this.#visit?.place.id !== visitId) throw new MainError('not-found', 'This backup is no longer open.', { reason: 'visit' })
    return this.#visit
  }

  /** The one that is open, once it could be looked into. */
  get current(): Visit | undefined {
    return this.#visit?.found ? this.#visit : undefined
  }

  /** Without effect where none is open, or another one. */
  end(visitId = this.#visit?.place.id): void {
    if (visitId === undefined || this.#visit?.place.id !== visitId) return
    this.#visit = undefined
    this.#ports?.close({ visitId })
    this.#ports?.onChange()
  }
}

/** The machines that left their jobs in a repository, by ids that are good as long as it is open; the newest first. */
export function machineIds({ found }: Visit): readonly string[] {
  return (found?.machines ?? []).map((_machine, at) => String(at))
}

/** Errors: `not-found`. */
export function machineOf({ found }: Visit, id: string): MachineRecord {
  const machine = found?.machines[Number(id)]
  if (!machine) throw new MainError('not-found', 'No such computer has left its jobs here.')
  return machine
}
