import { fixedCredentials } from '../../../../engine/backend/credentials.ts'
import { openBackend } from '../../../../engine/backend/open.ts'
import { BoxServer } from '../../../servers/box.ts'
import { backendContract } from '../../../suites/backend-contract.ts'

const never = new AbortController().signal

backendContract('Box (stand-in)', async () => {
  const server = await BoxServer.start()
  return {
    open: () => openBackend('box:/Some/Földer', { credentials: fixedCredentials({ accessToken: 'token-1' }), signal: never, service: server.origin }),
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  }
})
