import { HoldfastError } from '../../base/errors.ts'
import { partsOf, ServerFolder } from '../flow/server-folder.ts'
import type { Watch } from '../http/watch.ts'
import { isStatus, status } from './errors.ts'
import type { Info, Session } from './session.ts'

/**
 * The folder of a repository on a server. Objects lie in folders below it that are reached through no link, so that nothing is read or
 * written outside; what was looked at once is taken to stay while the connection does. Only the root itself may be named through links.
 */
export class Ground extends ServerFolder {
  /** False: it is not there. Errors: damaged (a link or something else is in the place of a folder). */
  async enter(folder: string, session: Session, watch: Watch): Promise<boolean> {
    for (const part of partsOf(folder)) {
      if (this.isKnown(part)) continue
      const found = await session.lookAt(this.pathOf(part), watch)
      if (!found) return false
      if (found.kind !== 'folder') throw notInPlace('folder', this.pathOf(part), found)
      this.know(part)
    }
    return true
  }

  /** The same; folders that are missing are made, but for the root. Errors: damaged, offline (no root), denied, … */
  async make(folder: string, session: Session, watch: Watch): Promise<void> {
    for (const part of partsOf(folder)) {
      if (this.isKnown(part)) continue
      try {
        await session.makeFolder(this.pathOf(part), watch)
      } catch (error) {
        if (isStatus(error, status.noSuchFile, status.noSuchPath)) throw this.noRoot(error)
        const found = isStatus(error, status.failure, status.exists) ? await session.lookAt(this.pathOf(part), watch) : undefined
        throw found ? notInPlace('folder', this.pathOf(part), found) : error
      }
      this.know(part)
    }
  }
}

/** Something that cannot be ours has the place of a file or a folder of the repository. */
export function notInPlace(wanted: 'file' | 'folder', path: string, { kind }: Info): HoldfastError {
  const found = { file: 'a file', folder: 'a folder', link: 'a symbolic link', other: 'something else' }[kind]
  const advice = kind === 'link' ? 'No link inside of a repository is followed.' : 'It is neither read nor written.'
  return new HoldfastError('damaged', `At ${path} on the server, where a ${wanted} of the repository belongs, is ${found}. ${advice} Find out who put it there, and move it out of the repository.`, { data: { found } })
}
