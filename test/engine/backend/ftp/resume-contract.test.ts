import { Ftpd, type FtpdOptions } from '../../../servers/ftpd.ts'
import { resumeContract } from '../../../suites/resume-contract.ts'

const servers: readonly FtpdOptions[] = [{ program: 'vsftpd', tls: 'explicit' }, { program: 'proftpd', tls: 'none' }]

for (const options of servers) {
  resumeContract(`FTP (${options.program}, TLS ${options.tls})`, async () => {
    const ftpd = await Ftpd.start(options)
    ftpd.makeFolder('repository')
    return {
      // Handed to the system, and not to the server yet: what the buffers of both ends hold.
      address: ftpd.address('repository'), credentials: ftpd.secrets, stepBytes: 12 * 1024 * 1024,
      [Symbol.asyncDispose]: () => ftpd[Symbol.asyncDispose](),
    }
  })
}
