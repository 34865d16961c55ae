import { systemClock } from '../../base/clock.ts'
import type { AddressValues } from '../../protocol/providers/description.ts'
import { isReadableOnTheWay } from '../../protocol/plain-http.ts'
import type { StorageBackend } from '../backend.ts'
import { DavBackend } from '../dav/backend.ts'
import { ChunkedUploads } from '../dav/chunked.ts'
import { DavClient } from '../dav/client.ts'
import { DavServer } from '../dav/server.ts'
import type { OpenOptions } from '../open.ts'
import { webDavAddressOf } from './address.ts'

const maxConnections = 8

export function open(values: AddressValues, { credentials, clock = systemClock, uploadJournal: journal, pause }: OpenOptions): StorageBackend {
  const { origin, base, user, uploads } = webDavAddressOf(values)
  const client = new DavClient({
    // Lists and single requests run beside the transfers that the cap is about.
    connections: maxConnections * 2 + 4, clock, ...(pause ? { pause } : {}),
    place: async (signal) => ({ origin, user, password: (await credentials.current(signal))['password'] ?? '' }),
  })
  const server = new DavServer(client)
  return new DavBackend({
    label: `${origin}${base === '' ? '/' : base}`, base, server, clock, close: () => { client[Symbol.dispose]() },
    traits: { maxConnections, distance: 'far', account: `webdav:${origin}:${user}`, readableOnTheWay: isReadableOnTheWay(origin) },
    ...(uploads === undefined ? {} : { chunked: new ChunkedUploads({ server, folder: uploads, journal, addressOf: (path) => origin + path }) }),
  })
}
