import type { AddressValues } from '../../protocol/providers/description.ts'
import { systemClock } from '../../base/clock.ts'
import type { StorageBackend } from '../backend.ts'
import type { OpenOptions } from '../open.ts'
import { azureAddressOf } from './address.ts'
import { AzureBackend } from './azure.ts'

/** What stands for Azure in tests knows its accounts by the first part of the path, as Azurite does. Errors: credentials. */
export async function open(values: AddressValues, { credentials, service, clock = systemClock, uploadJournal, signal, pause }: OpenOptions): Promise<StorageBackend> {
  const address = azureAddressOf(values)
  const endpoint = service === undefined ? address.endpoint : `${service}/${address.storageAccount}`
  return new AzureBackend({ ...address, endpoint }, await credentials.current(signal), { clock, journal: uploadJournal, ...(pause ? { pause } : {}) })
}
