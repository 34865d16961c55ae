import { mkdirSync } from 'node:fs'
import { Sshd } from '../../../servers/sshd.ts'
import { resumeContract } from '../../../suites/resume-contract.ts'

resumeContract('SFTP (OpenSSH)', async () => {
  const sshd = await Sshd.start()
  mkdirSync(sshd.path('repository'))
  return {
    // What was on its way, and one reading of the file.
    address: sshd.address('repository'), credentials: {}, stepBytes: 2 * 1024 * 1024,
    [Symbol.asyncDispose]: () => sshd[Symbol.asyncDispose](),
  }
})
