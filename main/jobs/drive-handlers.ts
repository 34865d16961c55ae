import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { DriveFolderView, DriveView } from '../api/contract.ts'
import type { Handlers } from '../api/dispatch.ts'
import { MainError } from '../api/errors.ts'
import type { Folders } from '../authority/folders.ts'
import type { SizedDrive } from '../system/drives.ts'
import { exists } from './reach.ts'

export interface DriveHandlerPorts {
  /** The drives that a person may keep backups on. Never rejects. */
  readonly drives: () => Promise<readonly SizedDrive[]>
  readonly folders: Pick<Folders, 'offer'>
}

/** Folder of the repository on a disk. */
export const folderOnDrive = 'Holdfast'
/** Folders at the top of a disk that are looked into for a repository. */
const mostFolders = 200

export function driveHandlers({ drives, folders }: DriveHandlerPorts): Pick<Handlers, Extract<keyof Handlers, `drives.${string}`>> {
  return {
    'drives.list': async () => (await drives()).map(driveView),
    async 'drives.choose'({ id }): Promise<DriveFolderView> {
      const drive = (await drives()).find((one) => one.id === id)
      if (!drive) throw new MainError('not-found', 'This disk is not attached any more.', { reason: 'disk' })
      const found = await repositoryOn(drive.mount)
      return { ...folders.offer('destination', found ?? join(drive.mount, folderOnDrive)), repository: found !== undefined }
    },
  }
}

/** The folder of a repository on a disk: the usual one, or else the disk itself or a folder at its top. Undefined where none is. Never rejects. */
async function repositoryOn(mount: string): Promise<string | undefined> {
  const entries = await readdir(mount, { withFileTypes: true }).catch(() => [])
  const names = entries.filter((entry) => entry.isDirectory() && entry.name !== folderOnDrive && !entry.name.includes('\ufffd')).map(({ name }) => name)
  for (const folder of [join(mount, folderOnDrive), mount, ...names.sort().slice(0, mostFolders).map((name) => join(mount, name))]) {
    if ((await Promise.all([exists(join(folder, 'config')), exists(join(folder, 'packs'))])).every((isThere) => isThere)) return folder
  }
  return undefined
}

function driveView({ id, name, mount, freeBytes, totalBytes, removable }: SizedDrive): DriveView {
  return { id, name, mount, freeBytes, totalBytes, removable }
}
