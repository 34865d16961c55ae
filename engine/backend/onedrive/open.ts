import type { AddressValues } from '../../protocol/providers/description.ts'
import { systemClock } from '../../base/clock.ts'
import type { StorageBackend } from '../backend.ts'
import type { OpenOptions } from '../open.ts'
import { oneDriveAddressOf } from './address.ts'
import { OneDriveApi } from './api.ts'
import { OneDriveClient } from './client.ts'
import { maximumConnections, OneDriveBackend } from './onedrive.ts'

export function open(values: AddressValues, { credentials, service, clock = systemClock, uploadJournal, pause }: OpenOptions): StorageBackend {
  // Lists and single requests run beside the transfers that the cap is about.
  const client = new OneDriveClient({ credentials, connections: maximumConnections * 2 + 4, clock, service: 'Microsoft', ...(pause ? { pause } : {}) }, service)
  return new OneDriveBackend(oneDriveAddressOf(values), new OneDriveApi(client), uploadJournal)
}
