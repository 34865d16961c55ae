import { join } from 'node:path'
import { HoldfastError } from '../../base/errors.ts'
import type { StagingFolder } from '../backend.ts'
import type { Ground } from './ground.ts'
import { removeStale } from './temporary.ts'

export const stagingFolder = '.staging'

/** Whose folder it is: nothing that leads elsewhere. */
const ownerPattern = /^[0-9a-z][0-9a-z-]{0,100}$/
/** Packs as backups and as prunes name them while they are made. Nothing else is ever removed from a staging folder. */
const stagedPattern = /^(?:[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\.pack|prune-[0-9a-f]{32})$/

/** The staging folder of an owner, or the common one (''); made when missing. @param root the repository's real path. */
export async function openStagingFolder(ground: Ground, root: string, owner: string): Promise<StagingFolder> {
  if (owner !== '' && !ownerPattern.test(owner)) throw new HoldfastError('arguments', `Not the name of a staging folder: ${JSON.stringify(owner)}`)
  const path = owner === '' ? stagingFolder : `${stagingFolder}/${owner}`
  using folder = await ground.make(path)
  const names = (await folder.entries()).filter((entry) => entry.isFile() && stagedPattern.test(entry.name)).map(({ name }) => name)
  return {
    path: join(root, path),
    names,
    async remove(name) {
      if (!stagedPattern.test(name)) return
      using again = await ground.enter(path)
      if ((await again.info(name))?.isFile()) await again.remove(name)
    },
  }
}

/** Where a staged file lies, if the path is one: its folder below the root, and its name. */
export function stagedPlace(root: string, path: string): { readonly folder: string; readonly name: string } | undefined {
  if (!path.startsWith(join(root, stagingFolder) + '/')) return undefined
  const parts = path.slice(root.length + 1).split('/')
  return { folder: parts.slice(0, -1).join('/'), name: parts.at(-1) ?? '' }
}

/** A prune may sleep with its machine; its pack is then still wanted. */
const staleStagedMs = 7 * 24 * 3_600_000

/** Packs of prunes and repairs that died. Those of backups are cleared away by the next backup of their job, which knows them. */
export async function removeStaleStaged(ground: Ground, olderThanMs: number, nowMs: number): Promise<number> {
  using folder = await ground.enter(stagingFolder)
  return await removeStale(folder, (name) => stagedPattern.test(name), Math.max(olderThanMs, staleStagedMs), nowMs)
}
