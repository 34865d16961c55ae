import { AzureServer } from '../../../servers/azure.ts'
import { resumeContract } from '../../../suites/resume-contract.ts'

resumeContract('Azure Blob Storage (Azurite)', async () => {
  const server = await AzureServer.start()
  return {
    address: server.address(await server.freshContainer()), credentials: server.credentials, stepBytes: 8 * 1024 * 1024,
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  }
})
