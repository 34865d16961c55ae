import { Ftpd, type FtpdOptions } from '../servers/ftpd.ts'
import { destinationJourney } from '../suites/journey.ts'

const servers: readonly FtpdOptions[] = [{ program: 'vsftpd', tls: 'explicit' }, { program: 'proftpd', tls: 'none' }]

for (const options of servers) {
  destinationJourney(`FTP (${options.program}, TLS ${options.tls})`, async () => {
    const ftpd = await Ftpd.start(options)
    return { address: ftpd.address('a folder/é'), credentials: ftpd.secrets, [Symbol.asyncDispose]: () => ftpd[Symbol.asyncDispose]() }
  })
}
