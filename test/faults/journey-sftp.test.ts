import { Sshd } from '../servers/sshd.ts'
import { destinationJourney } from '../suites/journey.ts'

destinationJourney('SFTP (OpenSSH)', async () => {
  const sshd = await Sshd.start()
  return { address: sshd.address('a folder/é'), credentials: {}, [Symbol.asyncDispose]: () => sshd[Symbol.asyncDispose]() }
})
