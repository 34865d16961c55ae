import type { AddressValues } from '../../protocol/providers/description.ts'
import { systemClock } from '../../base/clock.ts'
import type { StorageBackend } from '../backend.ts'
import type { OpenOptions } from '../open.ts'
import { dropboxAddressOf } from './address.ts'
import { DropboxApi } from './api.ts'
import { DropboxBackend, maximumConnections } from './dropbox.ts'

export function open(values: AddressValues, { credentials, service, clock = systemClock, uploadJournal }: OpenOptions): StorageBackend {
  // Lists and single requests run beside the transfers that the cap is about.
  const api = new DropboxApi({ credentials, connections: maximumConnections * 2 + 4, clock, service: 'Dropbox' }, service)
  return new DropboxBackend(dropboxAddressOf(values), api, uploadJournal, clock)
}
