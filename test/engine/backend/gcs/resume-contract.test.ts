import { GcsServer } from '../../../servers/gcs.ts'
import { resumeContract } from '../../../suites/resume-contract.ts'

resumeContract('Google Cloud Storage (stand-in)', async () => {
  const server = await GcsServer.start()
  return {
    address: `gs://${server.bucket}/some/prefix`, credentials: { serviceAccount: server.serviceAccount() }, environment: { HOLDFAST_SERVICE_GCS: server.origin },
    // What was handed to the connection, and did not arrive.
    stepBytes: 8 * 1024 * 1024,
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  }
})
