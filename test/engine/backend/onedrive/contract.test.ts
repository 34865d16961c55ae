import { fixedCredentials } from '../../../../engine/backend/credentials.ts'
import { openBackend } from '../../../../engine/backend/open.ts'
import { OneDriveServer } from '../../../servers/onedrive.ts'
import { backendContract } from '../../../suites/backend-contract.ts'

const never = new AbortController().signal

backendContract('OneDrive (stand-in)', async () => {
  const server = await OneDriveServer.start()
  return {
    open: () => openBackend('onedrive:/Some/Földer', { credentials: fixedCredentials({ accessToken: 'token-1' }), signal: never, service: server.origin }),
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  }
})
