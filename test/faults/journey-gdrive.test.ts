import { DriveServer, type StoredFile } from '../servers/gdrive.ts'
import { destinationJourney, type JourneyStorage } from '../suites/journey.ts'

function placeOf(server: DriveServer): JourneyStorage {
  return {
    address: 'gdrive:/Holdfast', credentials: { accessToken: 'token-1' }, environment: { HOLDFAST_SERVICE_GDRIVE: server.origin },
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  }
}

destinationJourney('Google Drive (stand-in)', async () => placeOf(await DriveServer.start()))

/**
 * Another machine makes each folder, too: some before and some after, as the services' clocks have it, and some only when the first
 * machine has gone on for a while.
 */
destinationJourney('Google Drive where every folder is there twice', async () => {
  const server = await DriveServer.start()
  const later: { readonly at: number; readonly folder: StoredFile; readonly olderMs: number }[] = []
  let folders = 0
  server.onFolder = (folder) => {
    folders++
    later.push({ at: server.requests.length + (folders % 3) * 7, folder, olderMs: folders % 2 ? 5 : -5 })
  }
  server.choose = () => {
    while (later[0] && later[0].at <= server.requests.length) {
      const { folder: { name, parents: [parent], createdMs }, olderMs } = later.shift() ?? later[0]
      server.add(name, undefined, parent, createdMs - olderMs)
    }
    return undefined
  }
  return placeOf(server)
})
