import { OneDriveServer } from '../servers/onedrive.ts'
import { destinationJourney } from '../suites/journey.ts'

destinationJourney('OneDrive (stand-in)', async () => {
  const server = await OneDriveServer.start()
  return {
    address: 'onedrive:/Holdfast', credentials: { accessToken: 'token-1' }, environment: { HOLDFAST_SERVICE_ONEDRIVE: server.origin },
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  }
})
