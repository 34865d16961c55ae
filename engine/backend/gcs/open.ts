import type { AddressValues } from '../../protocol/providers/description.ts'
import { systemClock } from '../../base/clock.ts'
import type { StorageBackend } from '../backend.ts'
import { GoogleClient } from '../google/client.ts'
import type { OpenOptions } from '../open.ts'
import { gcsAddressOf } from './address.ts'
import { gcsCauses } from './errors.ts'
import { GcsBackend, maximumConnections } from './gcs.ts'
import { serviceAccountOf, TokenSource } from './token.ts'

export async function open(values: AddressValues, { credentials, service, clock = systemClock, uploadJournal, signal, pause }: OpenOptions): Promise<StorageBackend> {
  const account = serviceAccountOf(await credentials.current(signal)) ?? ''
  const tokens = new TokenSource(credentials, service, clock)
  // Lists and single requests run beside the transfers that the cap is about.
  const client = new GoogleClient({ origin: service ?? 'https://storage.googleapis.com', credentials: tokens, connections: maximumConnections * 2 + 4, clock, causes: gcsCauses, ...(pause ? { pause } : {}) })
  return new GcsBackend(gcsAddressOf(values), { client, tokens, journal: uploadJournal, account })
}
