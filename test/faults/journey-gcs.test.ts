import { GcsServer } from '../servers/gcs.ts'
import { destinationJourney } from '../suites/journey.ts'

destinationJourney('Google Cloud Storage (stand-in)', async () => {
  const server = await GcsServer.start()
  return {
    address: `gs://${server.bucket}/some/prefix`, credentials: { serviceAccount: server.serviceAccount() }, environment: { HOLDFAST_SERVICE_GCS: server.origin },
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  }
})
