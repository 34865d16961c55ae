import { mkdirSync } from 'node:fs'
import { fixedCredentials } from '../../../../engine/backend/credentials.ts'
import { openBackend } from '../../../../engine/backend/open.ts'
import { startRcloneSftp } from '../../../servers/rclone-sftp.ts'
import { backendContract } from '../../../suites/backend-contract.ts'

const never = new AbortController().signal

backendContract('SFTP (rclone)', async () => {
  const server = await startRcloneSftp()
  mkdirSync(server.path('repository'))
  return {
    open: () => openBackend(server.address('repository'), { credentials: fixedCredentials({ password: server.password }), signal: never }),
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  }
})
