import { join } from 'node:path'
import type { DriveView } from '../api/contract.ts'
import type { Handlers } from '../api/dispatch.ts'
import { MainError } from '../api/errors.ts'
import type { Ask } from '../authority/ask.ts'
import { driveQuestion } from '../authority/drive-questions.ts'
import type { Folders } from '../authority/folders.ts'
import type { SizedDrive } from '../system/drives.ts'

export interface DriveHandlerPorts {
  /** The drives that a person may keep backups on. Never rejects. */
  readonly drives: () => Promise<readonly SizedDrive[]>
  readonly folders: Pick<Folders, 'add'>
  readonly ask: Ask
}

/** Folder of the repository on a disk. */
const folderName = 'Holdfast'

export function driveHandlers({ drives, folders, ask }: DriveHandlerPorts): Pick<Handlers, Extract<keyof Handlers, `drives.${string}`>> {
  return {
    'drives.list': async () => (await drives()).map(driveView),
    async 'drives.choose'({ id }) {
      const drive = (await drives()).find((one) => one.id === id)
      if (!drive) throw new MainError('not-found', 'This disk is not attached any more.', { reason: 'disk' })
      const path = join(drive.mount, folderName)
      await ask(driveQuestion(drive.name, path))
      const [folder] = folders.add('destination', [path])
      if (!folder) throw new MainError('internal', 'The folder was not taken.')
      return folder
    },
  }
}

function driveView({ id, name, mount, freeBytes, totalBytes, removable }: SizedDrive): DriveView {
  return { id, name, mount, freeBytes, totalBytes, removable }
}
