import type { AddressValues } from '../protocol/providers/description.ts'
import type { StorageBackend } from './backend.ts'
import type { OpenOptions } from './open.ts'

/** What a provider's folder exports from its `open.ts`. Needs no network by itself. Errors: arguments, credentials, offline, denied. */
export interface ProviderModule {
  readonly open: (values: AddressValues, options: OpenOptions) => StorageBackend | Promise<StorageBackend>
}

/** By the id of the description (engine/protocol/providers/registry.ts). Loaded when it is used: an SDK costs a fifth of a second, which a backup to a disk does not pay. */
export const implementations: Readonly<Record<string, () => Promise<ProviderModule>>> = {
  s3: () => import('./s3/open.ts'),
  sftp: () => import('./sftp/open.ts'),
  ftp: () => import('./ftp/open.ts'),
  gdrive: () => import('./gdrive/open.ts'),
  gcs: () => import('./gcs/open.ts'),
  dropbox: () => import('./dropbox/open.ts'),
  box: () => import('./box/open.ts'),
  onedrive: () => import('./onedrive/open.ts'),
  azure: () => import('./azure/open.ts'),
  webdav: () => import('./webdav/open.ts'),
  rclone: () => import('./rclone/open.ts'),
}
