import { DriveServer } from '../../../servers/gdrive.ts'
import { resumeContract } from '../../../suites/resume-contract.ts'

resumeContract('Google Drive (stand-in)', async () => {
  const server = await DriveServer.start()
  return {
    address: 'gdrive:/Holdfast', credentials: { accessToken: 'token-1' }, environment: { HOLDFAST_SERVICE_GDRIVE: server.origin },
    // What was handed to the connection, and did not arrive.
    stepBytes: 8 * 1024 * 1024,
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  }
})
