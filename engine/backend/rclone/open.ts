import { systemClock } from '../../base/clock.ts'
import type { AddressValues } from '../../protocol/providers/description.ts'
import type { StorageBackend } from '../backend.ts'
import { DavBackend } from '../dav/backend.ts'
import { DavClient } from '../dav/client.ts'
import { DavServer } from '../dav/server.ts'
import type { OpenOptions } from '../open.ts'
import { rcloneAddressOf } from './address.ts'
import { RcloneServer } from './process.ts'

const maxConnections = 8

/**
 * A repository on a remote of rclone's, which serves it as WebDAV on loopback. Whatever the remote can do, several machines have an rclone
 * each: nothing is created exclusively.
 */
export function open(values: AddressValues, { clock = systemClock, pause }: OpenOptions): StorageBackend {
  const address = rcloneAddressOf(values)
  const rclone = new RcloneServer(address)
  const client = new DavClient({ connections: maxConnections * 2 + 4, clock, place: (signal) => rclone.place(signal), witness: () => rclone.witness(), ...(pause ? { pause } : {}) })
  return new DavBackend({
    label: `rclone:${address.remote}`, base: '', server: new DavServer(client), clock,
    traits: { maxConnections, distance: 'far', account: `rclone:${address.remote.slice(0, address.remote.indexOf(':', 1))}` },
    async close() {
      client[Symbol.dispose]()
      await rclone[Symbol.asyncDispose]()
    },
  })
}
