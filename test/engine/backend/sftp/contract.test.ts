import { mkdirSync } from 'node:fs'
import { fixedCredentials } from '../../../../engine/backend/credentials.ts'
import { openBackend } from '../../../../engine/backend/open.ts'
import { Sshd } from '../../../servers/sshd.ts'
import { backendContract } from '../../../suites/backend-contract.ts'

const never = new AbortController().signal

backendContract('SFTP (OpenSSH)', async () => {
  const sshd = await Sshd.start()
  mkdirSync(sshd.path('repository'))
  return {
    open: () => openBackend(sshd.address('repository'), { credentials: fixedCredentials({}), signal: never }),
    [Symbol.asyncDispose]: () => sshd[Symbol.asyncDispose](),
  }
})
