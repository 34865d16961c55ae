import type { AddressValues } from '../../protocol/providers/description.ts'
import { systemClock } from '../../base/clock.ts'
import type { StorageBackend, RequestPause } from '../backend.ts'
import type { OpenOptions } from '../open.ts'
import { dropboxAddressOf } from './address.ts'
import { DropboxApi } from './api.ts'
import { DropboxBackend, maximumConnections } from './dropbox.ts'
import { isLocked } from './turns.ts'

export function open(values: AddressValues, { credentials, service, clock = systemClock, uploadJournal, pause }: OpenOptions): StorageBackend {
  // Lists and single requests run beside the transfers that the cap is about.
  const api = new DropboxApi({ credentials, connections: maximumConnections * 2 + 4, clock, service: 'Dropbox', ...(pause ? { pause: pauseOf(pause) } : {}) }, service)
  return new DropboxBackend(dropboxAddressOf(values), api, uploadJournal, clock)
}

/** That another change of the account is being made is a matter of turns, and keeps nobody from sending. */
function pauseOf(pause: RequestPause): RequestPause {
  return { pass: (signal) => pause.pass(signal), heed: (error) => { if (!isLocked(error)) pause.heed(error) } }
}
