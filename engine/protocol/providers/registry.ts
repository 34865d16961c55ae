import type { ProviderDescription } from './description.ts'
import { azure } from './azure.ts'
import { box } from './box.ts'
import { dropbox } from './dropbox.ts'
import { ftp } from './ftp.ts'
import { gcs } from './gcs.ts'
import { gdrive } from './gdrive.ts'
import { onedrive } from './onedrive.ts'
import { rclone } from './rclone.ts'
import { s3 } from './s3.ts'
import { sftp } from './sftp.ts'
import { webdav } from './webdav.ts'

/** Every storage that has an address of its own, in the order in which people see them. A folder on this machine is beside them: it is a path. */
export const providers: readonly ProviderDescription[] = [
  s3,
  sftp,
  ftp,
  webdav,
  dropbox,
  gdrive,
  gcs,
  onedrive,
  box,
  azure,
  rclone,
]
