import { DropboxServer } from '../servers/dropbox.ts'
import { destinationJourney } from '../suites/journey.ts'

destinationJourney('Dropbox (stand-in)', async () => {
  const server = await DropboxServer.start()
  return {
    address: 'dropbox:/Backups/Anna', credentials: { accessToken: 'token-1' }, environment: { HOLDFAST_SERVICE_DROPBOX: server.origin },
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  }
})
