import { partsOf, ServerFolder } from '../flow/server-folder.ts'
import type { Watch } from '../http/watch.ts'
import type { FtpConnection } from './connection.ts'
import { isReply } from './errors.ts'
import { entriesOf, isFolder } from './files.ts'

/** The folder of a repository on a server, and the folders in it. */
export class Ground extends ServerFolder {
  /** Makes a folder where it is missing, and those on the way to it, but for the root. Errors: offline (no root), denied, … */
  async make(folder: string, connection: FtpConnection, watch: Watch): Promise<void> {
    for (const part of partsOf(folder)) {
      if (this.isKnown(part)) continue
      await makeFolder(this.pathOf(part), connection, watch).catch(async (error: unknown) => {
        throw (await isFolder(this.root, connection, watch)) ? error : this.noRoot(error)
      })
      this.know(part)
    }
  }

  /** Makes the folder of a new repository where it is missing. Errors: arguments (it holds other things), denied, … */
  async makeRoot(nowMs: number, connection: FtpConnection, watch: Watch): Promise<void> {
    const paths = partsOf(this.root)
    let there = paths.length
    while (there > 0 && !(await isFolder(paths[there - 1] ?? '/', connection, watch))) there--
    for (const path of paths.slice(there)) await makeFolder(path, connection, watch)
    await this.expectOwnFolder(nowMs, connection, watch)
  }

  /** See `expectOwn`. */
  expectOwnFolder(nowMs: number, connection: FtpConnection, watch: Watch): Promise<boolean> {
    return this.expectOwn((folder) => entriesOf(this.pathOf(folder), nowMs, connection, watch))
  }
}

/** Repeating is safe: 550 also says that it is there. */
async function makeFolder(path: string, connection: FtpConnection, watch: Watch): Promise<void> {
  try {
    await connection.command(`MKD ${path}`, watch)
  } catch (error) {
    if (!isReply(error, 521, 550, 553) || !(await isFolder(path, connection, watch))) throw error
  }
}
