import { fixedCredentials } from '../../../../engine/backend/credentials.ts'
import { openBackend } from '../../../../engine/backend/open.ts'
import { DriveServer } from '../../../servers/gdrive.ts'
import { backendContract } from '../../../suites/backend-contract.ts'

const never = new AbortController().signal

backendContract('Google Drive (stand-in)', async () => {
  const server = await DriveServer.start()
  return {
    open: () => openBackend('gdrive:/Sicherung/é?account=anna@example.org'.replace('é', encodeURIComponent('é')), { credentials: fixedCredentials({ accessToken: 'token-1' }), signal: never, service: server.origin }),
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  }
})
