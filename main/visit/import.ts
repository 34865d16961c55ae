import { randomUUID } from 'node:crypto'
import { readRecoveryWords } from '../../engine/protocol/recovery-words.ts'
import type { JobConfig, Request } from '../api/contract.ts'
import { MainError } from '../api/errors.ts'
import { defaultRetention } from '../api/retention.ts'
import type { Ask } from '../authority/ask.ts'
import { retentionLoss } from '../authority/protection.ts'
import { importQuestion } from '../authority/questions.ts'
import { mostJobs, type JobStore } from '../jobs/store.ts'
import { repositoryUrl } from '../repositories/address.ts'
import { sharedRepository } from '../repositories/sharing.ts'
import type { SecretStore } from '../settings/secrets.ts'
import { arrivalsOf, type Here } from './machines.ts'
import { machineOf, type Visit, type Visits } from './visits.ts'

export interface ImportPorts {
  readonly visits: Visits
  readonly store: JobStore
  readonly secrets: SecretStore
  readonly ask: Ask
  readonly here: (visit: Visit) => Here
  readonly onChange: () => void
}

interface Arriving {
  readonly config: JobConfig
  /** Absent: this computer's own name. */
  readonly host: string | undefined
}

/**
 * Makes jobs of this computer of those that another one has left in the repository that is open, which they go on with. All of them or, where something
 * fails, none. Errors: `not-found` (visit, machine, job), `exists` (a job has this name), `arguments` (what cannot be a job here), `unsupported` (too many).
 */
export async function importJobs(ports: ImportPorts, request: Request<'visit.import'>): Promise<{ readonly jobIds: readonly string[] }> {
  const { visits, store, ask } = ports
  const visit = visits.get(request.visitId)
  const { machine, jobs } = chosenJobs(ports, visit, request)
  const losses = jobs.flatMap(({ config: { name, retention } }) => retentionLoss(defaultRetention, retention).map((loss) => ({ name, loss })))
  await ask(importQuestion({
    place: visit.place.name, jobs: jobs.map(({ config }) => config), losses, goesOnAs: request.replaces ? machine.host : undefined,
  }))
  // While somebody was asked, it may have been closed, and jobs may have been made.
  visits.get(request.visitId)
  for (const { config } of jobs) store.expectFreeName(config.name)
  const jobIds = await makeJobs(ports, visit, jobs)
  ports.onChange()
  return { jobIds }
}

function chosenJobs({ store, here }: ImportPorts, visit: Visit, { machineId, jobs: names, replaces }: Request<'visit.import'>) {
  const machine = machineOf(visit, machineId)
  const arrivals = arrivalsOf(machine, here(visit)) ?? []
  const jobs = [...new Set(names)].map((name): Arriving => {
    const found = arrivals.find((one) => one.name === name)
    if (!found) throw new MainError('not-found', 'This computer has left no such job.')
    if (found.problem === 'taken') store.expectFreeName(name)
    if (!found.config) throw new MainError('arguments', 'This job cannot run on this computer.', { field: 'jobs', reason: found.problem ?? 'unusable' })
    return { config: found.config, host: replaces ? found.host : undefined }
  })
  if (store.all.length + jobs.length > mostJobs) throw new MainError('unsupported', `There are ${mostJobs} jobs at most.`, { reason: 'many-jobs' })
  return { machine, jobs }
}

async function makeJobs({ store, secrets: kept }: ImportPorts, { place, secrets, found }: Visit, jobs: readonly Arriving[]): Promise<readonly string[]> {
  const { destination, repositoryId } = place.repository
  const address = repositoryUrl(destination)
  const shared = sharedRepository(store.repositories.all, kept, { address, secrets, repositoryId: found?.repositoryId })
  const repository = shared?.id ?? randomUUID()
  const made: string[] = []
  try {
    if (!shared) await kept.set(repository, address, secrets)
    for (const { config, host } of jobs) made.push((await store.add(config, repository, host)).id)
    // They go on with the repository that was looked into, and with no other.
    if (repositoryId !== undefined) await store.repositories.learn(repository, repositoryId, undefined)
    // Who came with the words of a kit has one.
    if (readRecoveryWords(secrets.password).ok) await store.repositories.leaveWithoutKit(repository)
  } catch (error) {
    for (const id of made) await store.remove(id)
    if (!shared) await kept.remove(repository)
    throw error
  }
  return made
}
