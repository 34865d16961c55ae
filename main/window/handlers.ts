import type { AppState, FolderPurpose, LiveState, Notice, Request } from '../api/contract.ts'
import type { Handlers } from '../api/dispatch.ts'
import { MainError } from '../api/errors.ts'
import type { Folders } from '../authority/folders.ts'
import type { Restores } from '../runs/restores.ts'
import type { JobStore } from '../jobs/store.ts'
import type { Uncovered } from '../jobs/uncovered.ts'
import { assertNever } from '../system/never.ts'
import type { Notices } from './notices.ts'
import { folderToOpen } from './open-folder.ts'

export interface WindowHandlerPorts {
  readonly app: () => AppState
  readonly live: () => LiveState
  readonly store: JobStore
  readonly restores: Restores
  readonly notices: Notices
  readonly logFolder: string
  readonly folders: Pick<Folders, 'add'>
  readonly uncovered: Pick<Uncovered, 'path' | 'fine'>
  /** @param at where it begins */
  readonly chooseFolders: (purpose: FolderPurpose, at?: string) => Promise<readonly string[]>
  readonly chooseFile: () => Promise<string | undefined>
  /** Empty when it worked, else what went wrong. */
  readonly openFolder: (path: string) => Promise<string>
  /** Remembers that such a notice need not come again. */
  readonly onDismissed: (notice: Notice) => void
}

export function windowHandlers(ports: WindowHandlerPorts): Pick<Handlers, 'state.get' | 'dialog.folders' | 'dialog.file' | 'folder.open' | 'notice.dismiss' | 'uncovered.fine'> {
  return {
    'state.get': () => ({ app: ports.app(), live: ports.live() }),
    'dialog.folders': async ({ purpose, at }) => ports.folders.add(purpose, await ports.chooseFolders(purpose, at === undefined ? undefined : ports.uncovered.path(at))),
    async 'dialog.file'() {
      const path = await ports.chooseFile()
      return path === undefined ? {} : { path }
    },
    async 'folder.open'(request) {
      const problem = await ports.openFolder(await folderToOpen(folderOf(ports, request)))
      if (problem !== '') throw new MainError('not-found', 'The folder cannot be opened.')
    },
    'notice.dismiss'({ id }) {
      const gone = ports.notices.dismiss(id)
      if (gone) ports.onDismissed(gone)
    },
    'uncovered.fine': ({ name }) => { ports.uncovered.fine(name) },
  }
}

/** The window names what it means, never a path: main alone knows where that is. */
function folderOf({ store, restores, logFolder }: WindowHandlerPorts, request: Request<'folder.open'>): string {
  switch (request.type) {
    case 'source': {
      const path = store.get(request.jobId).config.sources[request.index]
      if (path === undefined) throw new MainError('not-found', 'There is no such source.')
      return path
    }
    case 'destination': {
      const { destination } = store.get(request.jobId).config
      if (destination.type !== 'folder') throw new MainError('unsupported', 'Only a folder can be opened.')
      return destination.path
    }
    case 'restore':
      return restores.target(request.restoreId)
    case 'logs':
      return logFolder
    default:
      return assertNever(request)
  }
}
