import { AzureFront, AzureServer } from '../servers/azure.ts'
import { destinationJourney } from '../suites/journey.ts'

destinationJourney('Azure Blob Storage (Azurite)', async () => {
  const server = await AzureServer.start()
  const address = server.address(await server.freshContainer())
  return { address, credentials: server.credentials, [Symbol.asyncDispose]: () => server[Symbol.asyncDispose]() }
})

destinationJourney('Azure with a hierarchical namespace (a stand-in before Azurite)', async () => {
  const server = await AzureServer.start()
  const front = await AzureFront.before(server)
  front.hierarchical = true
  const address = server.address(await server.freshContainer(), 'some/prefix', front.origin)
  return {
    address, credentials: server.credentials,
    async [Symbol.asyncDispose]() {
      await front[Symbol.asyncDispose]()
      await server[Symbol.asyncDispose]()
    },
  }
})
