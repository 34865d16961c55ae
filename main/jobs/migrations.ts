import * as v from 'valibot'
import { checkedValues, providerById } from '../api/providers.ts'

const oldDestination = v.object({
  type: v.literal('s3'),
  bucket: v.string(),
  prefix: v.string(),
  endpoint: v.exactOptional(v.string()),
  region: v.exactOptional(v.string()),
})
const oldRecord = v.looseObject({ config: v.looseObject({ destination: oldDestination }) })

/** Version 2 of the job file: S3 is one storage of many. What is not understood stays, for the schema to judge. */
export function providerDestinations(jobs: unknown): unknown {
  return Array.isArray(jobs) ? jobs.map(withProvider) : jobs
}

function withProvider(record: unknown): unknown {
  const parsed = v.safeParse(oldRecord, record)
  if (!parsed.success) return record
  const { config, ...rest } = parsed.output
  const { type: provider, ...typed } = config.destination
  const description = providerById(provider)
  const given = Object.fromEntries(Object.entries(typed).filter(([, value]) => value !== ''))
  // What is no value of the storage any more is kept as it is: the job says so when it runs, and can be edited.
  const values = description ? { ...given, ...checkedValues(description, given) } : given
  return { ...rest, config: { ...config, destination: { type: 'provider', provider, values } } }
}

const recordOfVersion2 = v.looseObject({ id: v.string(), config: v.looseObject({ destination: v.unknown() }), repositoryId: v.optional(v.unknown()), known: v.optional(v.unknown()) })

/**
 * Version 3 of the job file: a repository is a thing of its own. Each job's gets the id of the job, under which its secrets are kept already; those of
 * one place are joined later, when their secrets can be compared.
 */
export function ownRepositories(jobs: unknown): unknown {
  const parsed = v.safeParse(v.array(recordOfVersion2), jobs)
  if (!parsed.success) return jobs
  const records = parsed.output.map(({ config: { destination, ...config }, repositoryId, known, ...job }) => ({
    job: { ...job, config, repository: job.id },
    repository: { id: job.id, destination, ...(repositoryId !== undefined && { repositoryId }), ...(known !== undefined && { known }) },
  }))
  return { repositories: records.map((one) => one.repository), jobs: records.map((one) => one.job) }
}

/**
 * Version 4 of the job file: a job may say which snapshots are kept. Nobody has chosen for those that are there, so nothing of theirs is removed. An older
 * Holdfast, which would take no such job for one, leaves a file of this version alone.
 */
export function unchosenRetention(jobs: unknown): unknown {
  return jobs
}

/** Version 5 of the job file: repositories have copies. There are none yet. */
export function noCopies(stored: unknown): unknown {
  return typeof stored === 'object' && stored !== null ? { ...stored, copies: [] } : stored
}

/** Version 6 of the job file: there are more schedules. Those of before are what they were; an older Holdfast, which would take no such job for one, leaves a file of this version alone. */
export function moreSchedules(jobs: unknown): unknown {
  return jobs
}

/** Version 7 of the job file: a job may say when it runs by itself. Those of before always may; an older Holdfast leaves a file of this version alone. */
export function noConditions(jobs: unknown): unknown {
  return jobs
}

/** Version 8 of the job file: jobs run when something changes. As of version 6. */
export function continuousSchedules(jobs: unknown): unknown {
  return jobs
}

/** Version 9 of the job file: repositories have recovery kits. None was made here yet; an older Holdfast, which would forget them, leaves a file of this version alone. */
export function noKits(stored: unknown): unknown {
  return stored
}

/** Version 10 of the job file: repositories know their disks. What is known of them is learned anew; an older Holdfast, which would forget it, leaves a file of this version alone. */
export function noDisks(stored: unknown): unknown {
  return stored
}
