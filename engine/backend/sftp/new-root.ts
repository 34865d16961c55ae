import { HoldfastError } from '../../base/errors.ts'
import type { FolderEntry } from '../flow/folder-walk.ts'
import { partsOf } from '../flow/server-folder.ts'
import type { Watch } from '../http/watch.ts'
import { isStatus, status } from './errors.ts'
import { notInPlace, type Ground } from './ground.ts'
import { folderEntry, type Session } from './session.ts'

const mostLookedAt = 1000

/** Makes the folder of a new repository where it is missing. Errors: arguments (it holds other things), denied, … */
export async function makeRootFor(ground: Ground, session: Session, watch: Watch): Promise<void> {
  const missing: string[] = []
  for (const path of [...partsOf(ground.root)].reverse()) {
    const found = await session.lookThrough(path, watch)
    if (found && found.kind !== 'folder') throw new HoldfastError('arguments', `No folder can be made at ${ground.root} on the server: ${path} is a file.`)
    if (found) break
    missing.unshift(path)
  }
  for (const path of missing) {
    await session.makeFolder(path, watch).catch((cause: unknown) => {
      // Some file systems bear no new folders.
      throw isStatus(cause, status.noSuchFile, status.noSuchPath) ? new HoldfastError('denied', `No folder can be made at ${path} on the server.`, { cause }) : cause
    })
  }
  await expectOwnFolder(ground, session, watch)
}

/** A repository is in the folder, or could be made there; false: it is missing. Nothing of strangers is touched. Errors: arguments (it holds other things). */
export function expectOwnFolder(ground: Ground, session: Session, watch: Watch): Promise<boolean> {
  return ground.expectOwn((folder) => entriesOf(ground.pathOf(folder), session, watch))
}

/** The first of them are enough to tell; undefined where there is no such folder. */
async function entriesOf(path: string, session: Session, watch: Watch): Promise<readonly FolderEntry[] | undefined> {
  const found = await session.lookThrough(path, watch)
  if (!found) return undefined
  if (found.kind !== 'folder') throw new HoldfastError('arguments', `The destination is not a folder on the server: ${path}`, { cause: notInPlace('folder', path, found) })
  const handle = await session.openFolder(path, watch)
  const entries: FolderEntry[] = []
  try {
    for (let more = await session.nextEntries(handle, watch); more && entries.length < mostLookedAt; more = await session.nextEntries(handle, watch)) {
      entries.push(...more.filter(({ name }) => name !== '.' && name !== '..').map(folderEntry))
    }
    return entries
  } catch (error) {
    if (isStatus(error, status.noSuchFile)) return undefined
    throw error
  } finally {
    session.closeSoon(handle)
  }
}
