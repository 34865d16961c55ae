import { BoxServer } from '../../../servers/box.ts'
import { resumeContract } from '../../../suites/resume-contract.ts'

resumeContract('Box (stand-in)', async () => {
  const server = await BoxServer.start()
  return {
    address: 'box:/folder', credentials: { accessToken: 'token-1' }, environment: { HOLDFAST_SERVICE_BOX: server.origin }, stepBytes: 8 * 1024 * 1024,
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  }
})
