import { chmodSync, lstatSync, mkdirSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { diskError } from '../../base/disk-error.ts'
import { makePrivateFolder } from '../../base/private-folder.ts'
import { lockFile } from '../../catalog/lock.ts'
import type { Random } from '../../repository/crypto.ts'

/** An empty folder that is gone when it is disposed. */
export interface Scratch extends Disposable {
  readonly path: string
}

const lockName = 'lock'

/**
 * A folder of this user's alone under HOLDFAST_HOME for what a drill restores. What a drill that was killed has left is removed before. One drill at a
 * time on a machine. Errors: `busy`, `full`, `denied`.
 */
export function openScratch(home: string, random: Random): Scratch {
  const folder = join(home, 'drills')
  makePrivateFolder(folder)
  const lock = lockFile(join(folder, lockName), 'A restore drill is under way on this machine already.')
  try {
    for (const name of readdirSync(folder)) if (!name.startsWith(lockName)) removeFolder(join(folder, name))
    const path = join(folder, Buffer.from(random(8)).toString('hex'))
    mkdirSync(path, { mode: 0o700 })
    return {
      path,
      [Symbol.dispose]: () => {
        try {
          removeFolder(path)
        } finally {
          lock[Symbol.dispose]()
        }
      },
    }
  } catch (error) {
    lock[Symbol.dispose]()
    throw diskError(error, folder)
  }
}

/** Restored folders keep their rights, and may be closed to their owner. */
function removeFolder(path: string): void {
  openFolders(Buffer.from(path))
  rmSync(path, { recursive: true, force: true })
}

function openFolders(path: Buffer): void {
  if (!lstatSync(path).isDirectory()) return
  chmodSync(path, 0o700)
  for (const entry of readdirSync(path, { withFileTypes: true, encoding: 'buffer' })) {
    if (entry.isDirectory()) openFolders(Buffer.concat([path, Buffer.from('/'), entry.name]))
  }
}
