import type { Credentials } from '../../engine/backend/credentials.ts'
import { AzureServer } from './azure.ts'
import { BoxServer } from './box.ts'
import { DropboxServer } from './dropbox.ts'
import { GcsServer } from './gcs.ts'
import { DriveServer } from './gdrive.ts'
import { OneDriveServer } from './onedrive.ts'
import { freshBucket } from './s3.ts'
import { davPassword, davUser, startWebDav } from './webdav.ts'

/** A server, or a stand-in, on which a provider's repositories can be made. */
export interface DestinationPlace extends AsyncDisposable {
  /** Where it listens: http://127.0.0.1:port. */
  readonly origin: string
  /** Address of a repository there, by way of `origin` or of a proxy in front of it. */
  address(origin: string): string
  readonly credentials: Credentials
  /** What a process needs to find a stand-in. */
  environment(origin: string): Readonly<Record<string, string>>
}

/** By the id of the provider; all but rclone, which serves on a port of its own choice. */
export const destinationPlaces: Readonly<Record<string, () => Promise<DestinationPlace>>> = {
  async s3() {
    const { endpoint, bucket, secrets, client } = await freshBucket()
    return {
      origin: endpoint, credentials: { ...secrets }, environment: () => ({}),
      address: (origin) => `s3://${bucket}/some/prefix?endpoint=${encodeURIComponent(origin)}&region=us-east-1`,
      async [Symbol.asyncDispose]() { client.destroy() },
    }
  },
  async gcs() {
    const server = await GcsServer.start()
    return cloudPlace('gcs', server, `gs://${server.bucket}/some/prefix`, { serviceAccount: server.serviceAccount() })
  },
  async gdrive() {
    return cloudPlace('gdrive', await DriveServer.start(), 'gdrive:/some/folder', { accessToken: 'token-1' })
  },
  async dropbox() {
    return cloudPlace('dropbox', await DropboxServer.start(), 'dropbox:/some/folder', { accessToken: 'token-1' })
  },
  async onedrive() {
    return cloudPlace('onedrive', await OneDriveServer.start(), 'onedrive:/some/folder', { accessToken: 'token-1' })
  },
  async box() {
    return cloudPlace('box', await BoxServer.start(), 'box:/some/folder', { accessToken: 'token-1' })
  },
  async azure() {
    const server = await AzureServer.start()
    const container = await server.freshContainer()
    return {
      origin: server.origin, credentials: server.credentials, environment: () => ({}), address: (origin) => server.address(container, 'some/prefix', origin),
      [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
    }
  },
  async webdav() {
    const server = await startWebDav('apache')
    return {
      origin: server.origin, credentials: { password: davPassword }, environment: () => ({}),
      address: (origin) => `webdav:${origin}/some/folder?user=${davUser}`, [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
    }
  },
}

function cloudPlace(id: string, server: AsyncDisposable & { readonly origin: string }, address: string, credentials: Credentials): DestinationPlace {
  return {
    origin: server.origin, credentials, address: () => address,
    environment: (origin) => ({ [`HOLDFAST_SERVICE_${id.toUpperCase()}`]: origin }),
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  }
}
