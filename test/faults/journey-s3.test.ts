import { freshBucket } from '../servers/s3.ts'
import { destinationJourney } from '../suites/journey.ts'

destinationJourney('S3 (radosgw)', async () => {
  const bucket = await freshBucket()
  return { address: bucket.url('some/prefix'), credentials: { ...bucket.secrets }, async [Symbol.asyncDispose]() { bucket.client.destroy() } }
})
