import { BoxServer } from '../servers/box.ts'
import { destinationJourney } from '../suites/journey.ts'

destinationJourney('Box (stand-in)', async () => {
  const server = await BoxServer.start()
  return {
    address: 'box:/Backups/Anna', credentials: { accessToken: 'token-1' }, environment: { HOLDFAST_SERVICE_BOX: server.origin },
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  }
})
