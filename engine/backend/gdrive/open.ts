import type { AddressValues } from '../../protocol/providers/description.ts'
import { systemClock } from '../../base/clock.ts'
import type { StorageBackend } from '../backend.ts'
import { GoogleClient } from '../google/client.ts'
import type { OpenOptions } from '../open.ts'
import { driveAddressOf } from './address.ts'
import { driveCauses } from './errors.ts'
import { DriveBackend, maximumConnections } from './gdrive.ts'

export function open(values: AddressValues, { credentials, service = 'https://www.googleapis.com', clock = systemClock, uploadJournal, pause }: OpenOptions): StorageBackend {
  // Lists and single requests run beside the transfers that the cap is about.
  const client = new GoogleClient({ origin: service, credentials, connections: maximumConnections * 2 + 4, clock, causes: driveCauses, ...(pause ? { pause } : {}) })
  return new DriveBackend(driveAddressOf(values), client, uploadJournal)
}
