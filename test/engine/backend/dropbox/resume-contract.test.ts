import { DropboxServer } from '../../../servers/dropbox.ts'
import { resumeContract } from '../../../suites/resume-contract.ts'

resumeContract('Dropbox (stand-in)', async () => {
  const server = await DropboxServer.start()
  return {
    address: 'dropbox:/folder', credentials: { accessToken: 'token-1' }, environment: { HOLDFAST_SERVICE_DROPBOX: server.origin }, stepBytes: 8 * 1024 * 1024,
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  }
})
