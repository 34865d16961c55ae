import { fixedCredentials } from '../../../../engine/backend/credentials.ts'
import { openBackend } from '../../../../engine/backend/open.ts'
import { DropboxServer } from '../../../servers/dropbox.ts'
import { backendContract } from '../../../suites/backend-contract.ts'

const never = new AbortController().signal

backendContract('Dropbox (stand-in)', async () => {
  const server = await DropboxServer.start()
  return {
    open: () => openBackend('dropbox:/Some/Földer', { credentials: fixedCredentials({ accessToken: 'token-1' }), signal: never, service: server.origin }),
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  }
})
