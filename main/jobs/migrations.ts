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
