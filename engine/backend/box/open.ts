import type { AddressValues } from '../../protocol/providers/description.ts'
import { systemClock } from '../../base/clock.ts'
import type { StorageBackend } from '../backend.ts'
import type { OpenOptions } from '../open.ts'
import { boxAddressOf } from './address.ts'
import { BoxBackend, maximumConnections } from './box.ts'
import { BoxClient } from './client.ts'

export function open(values: AddressValues, { credentials, service, clock = systemClock, uploadJournal, pause }: OpenOptions): StorageBackend {
  // Lists and single requests run beside the transfers that the cap is about.
  const client = new BoxClient({ credentials, connections: maximumConnections * 2 + 4, clock, service: 'Box', ...(pause ? { pause } : {}) }, service)
  return new BoxBackend(boxAddressOf(values), client, uploadJournal)
}
