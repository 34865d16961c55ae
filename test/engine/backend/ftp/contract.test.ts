import { fixedCredentials } from '../../../../engine/backend/credentials.ts'
import { openBackend } from '../../../../engine/backend/open.ts'
import { Ftpd, type FtpdOptions } from '../../../servers/ftpd.ts'
import { backendContract } from '../../../suites/backend-contract.ts'

const never = new AbortController().signal
const servers: readonly FtpdOptions[] = [
  { program: 'vsftpd', tls: 'none' }, { program: 'vsftpd', tls: 'explicit' }, { program: 'proftpd', tls: 'none' }, { program: 'proftpd', tls: 'explicit' }, { program: 'proftpd', tls: 'implicit' },
]

for (const options of servers) {
  backendContract(`FTP (${options.program}, TLS ${options.tls})`, async () => {
    const ftpd = await Ftpd.start(options)
    ftpd.makeFolder('repository')
    return {
      open: () => openBackend(ftpd.address('repository'), { credentials: fixedCredentials(ftpd.secrets), signal: never }),
      [Symbol.asyncDispose]: () => ftpd[Symbol.asyncDispose](),
    }
  })
}
