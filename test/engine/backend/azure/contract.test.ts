import { fixedCredentials } from '../../../../engine/backend/credentials.ts'
import { openBackend } from '../../../../engine/backend/open.ts'
import { AzureServer } from '../../../servers/azure.ts'
import { backendContract } from '../../../suites/backend-contract.ts'

const never = new AbortController().signal

backendContract('Azure Blob Storage (Azurite)', async () => {
  const server = await AzureServer.start()
  const container = await server.freshContainer()
  return {
    open: () => openBackend(server.address(container), { credentials: fixedCredentials(server.credentials), signal: never }),
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  }
})
