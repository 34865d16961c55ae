import { fixedCredentials } from '../../../../engine/backend/credentials.ts'
import { openBackend } from '../../../../engine/backend/open.ts'
import { freshBucket } from '../../../servers/s3.ts'
import { backendContract } from '../../../suites/backend-contract.ts'

const never = new AbortController().signal

backendContract('S3 (radosgw)', async () => {
  const bucket = await freshBucket()
  return {
    open: () => openBackend(bucket.url('some/prefix'), { credentials: fixedCredentials(bucket.secrets), signal: never }),
    async [Symbol.asyncDispose]() { bucket.client.destroy() },
  }
})
