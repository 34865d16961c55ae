import { fixedCredentials } from '../../../../engine/backend/credentials.ts'
import { openBackend } from '../../../../engine/backend/open.ts'
import { GcsServer } from '../../../servers/gcs.ts'
import { backendContract } from '../../../suites/backend-contract.ts'

const never = new AbortController().signal

backendContract('Google Cloud Storage (stand-in)', async () => {
  const server = await GcsServer.start()
  const credentials = fixedCredentials({ serviceAccount: server.serviceAccount() })
  return {
    open: () => openBackend(`gs://${server.bucket}/some/prefix`, { credentials, signal: never, service: server.origin }),
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  }
})
