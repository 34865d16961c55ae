import { systemClock } from '../../base/clock.ts'
import type { AddressValues } from '../../protocol/providers/description.ts'
import type { StorageBackend } from '../backend.ts'
import type { OpenOptions } from '../open.ts'
import { sftpAddressOf } from './address.ts'
import { HostKeys } from './host-keys.ts'
import { loginOf } from './login.ts'
import { SftpBackend } from './sftp.ts'

export async function open(values: AddressValues, { credentials, signal, clock = systemClock, uploadJournal, create = false, home }: OpenOptions): Promise<StorageBackend> {
  const address = sftpAddressOf(values)
  const login = await loginOf(address, await credentials.current(signal), process.env)
  return new SftpBackend(address, { login, hostKeys: new HostKeys(home), clock, uploadJournal, create })
}
