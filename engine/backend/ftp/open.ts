import { systemClock } from '../../base/clock.ts'
import { HoldfastError } from '../../base/errors.ts'
import type { AddressValues } from '../../protocol/providers/description.ts'
import type { StorageBackend } from '../backend.ts'
import type { OpenOptions } from '../open.ts'
import { ftpAddressOf } from './address.ts'
import { FtpBackend } from './ftp.ts'

/** What servers like to see of somebody anonymous (RFC 1635). */
const anonymousPassword = 'anonymous@'

export async function open(values: AddressValues, { credentials, signal, clock = systemClock, uploadJournal, create = false }: OpenOptions): Promise<StorageBackend> {
  const address = ftpAddressOf(values)
  const { password } = await credentials.current(signal)
  if (!password && address.user !== 'anonymous') {
    throw new HoldfastError('credentials', 'The password for the FTP server is missing.', { data: { advice: 'Set HOLDFAST_FTP_PASSWORD, or leave the user away to log in as anonymous.' } })
  }
  // A command ends with its line.
  if (/[\r\n\0]/.test(password ?? '')) throw new HoldfastError('credentials', 'The password for the FTP server holds a line break, which FTP cannot send.', { data: { advice: 'Give it again. A line break at the end often comes from copying.' } })
  return new FtpBackend(address, { password: password || anonymousPassword, clock, uploadJournal, create })
}
