import { DriveServer } from '../servers/gdrive.ts'
import { destinationJourney } from '../suites/journey.ts'

destinationJourney('Google Drive (stand-in)', async () => {
  const server = await DriveServer.start()
  return {
    address: 'gdrive:/Holdfast', credentials: { accessToken: 'token-1' }, environment: { HOLDFAST_SERVICE_GDRIVE: server.origin },
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  }
})
