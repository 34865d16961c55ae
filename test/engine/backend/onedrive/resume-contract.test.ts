import { OneDriveServer } from '../../../servers/onedrive.ts'
import { resumeContract } from '../../../suites/resume-contract.ts'

resumeContract('OneDrive (stand-in)', async () => {
  const server = await OneDriveServer.start()
  return {
    address: 'onedrive:/folder', credentials: { accessToken: 'token-1' }, environment: { HOLDFAST_SERVICE_ONEDRIVE: server.origin }, stepBytes: 10 * 1024 * 1024,
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  }
})
