import { AzureServer } from '../servers/azure.ts'
import { destinationJourney } from '../suites/journey.ts'

destinationJourney('Azure Blob Storage (Azurite)', async () => {
  const server = await AzureServer.start()
  const address = server.address(await server.freshContainer())
  return { address, credentials: server.credentials, [Symbol.asyncDispose]: () => server[Symbol.asyncDispose]() }
})
