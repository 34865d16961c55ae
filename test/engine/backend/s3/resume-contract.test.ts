import { freshBucket } from '../../../servers/s3.ts'
import { resumeContract } from '../../../suites/resume-contract.ts'

resumeContract('S3 (radosgw)', async () => {
  const bucket = await freshBucket()
  // Up to four parts of 8 MiB are on their way at once.
  return { address: bucket.url('p'), credentials: bucket.secrets, stepBytes: 32 * 1024 * 1024, async [Symbol.asyncDispose]() { bucket.client.destroy() } }
})
