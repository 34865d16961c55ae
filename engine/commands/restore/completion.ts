import { execFile } from 'node:child_process'
import { hash } from 'node:crypto'
import { readdirSync, unlinkSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import writeFileAtomic from 'write-file-atomic'
import type { ByteString } from '../../base/byte-string.ts'
import { diskError } from '../../base/disk-error.ts'
import { HoldfastError } from '../../base/errors.ts'
import { makePrivateFolder } from '../../base/private-folder.ts'
import { errnoOf } from '../../base/errno.ts'
import type { OpenFolder } from '../../target/system-calls.ts'

const run = promisify(execFile)

/**
 * A note under HOLDFAST_HOME that a restore into a target has begun and that its files may not have reached the disk: after a loss of
 * power a file may have its size and its time and none of its bytes. While a note stands, nothing in that target is trusted by size and
 * time. One sync at the end takes the place of one for each file.
 */
export class Completion {
  readonly #note: string
  /** An earlier restore into this target did not come to its end. */
  readonly unfinished: boolean

  private constructor(note: string, unfinished: boolean) {
    this.#note = note
    this.unfinished = unfinished
  }

  /**
   * @param target its real path.
   * @param what is restored: only the same again can say that everything the earlier run left is well.
   */
  static async begin(home: string, target: ByteString, what: readonly string[]): Promise<Completion> {
    const folder = join(home, 'restores')
    makePrivateFolder(folder)
    const prefix = `${digest([target])}-`
    const unfinished = readdirSync(folder).some((name) => name.startsWith(prefix))
    const note = join(folder, prefix + digest(what))
    await writeFileAtomic(note, '', { mode: 0o600 }).catch((error: unknown) => { throw diskError(error, note) })
    return new Completion(note, unfinished)
  }

  /**
   * All is written: brings it to the disk, then withdraws the note.
   * @param folder the target where all of it is on one file system, undefined else. Errors: denied (the disk does not take it).
   */
  async end(folder: OpenFolder | undefined): Promise<void> {
    try {
      await sync(folder)
    } catch (cause) {
      throw new HoldfastError('denied', 'The restored files could not be brought to the disk.', { cause, data: { place: 'target' } })
    }
    try {
      unlinkSync(this.#note)
    } catch (error) {
      // Another run of the same restore ended, too.
      if (errnoOf(error) !== 'ENOENT') throw error
    }
  }
}

/** Node knows only fsync; the command has syncfs, and no thread of ours waits for it. There a path is the descriptor's. */
async function sync(folder: OpenFolder | undefined): Promise<void> {
  const env = { PATH: process.env['PATH'] }
  if (process.platform === 'linux' && folder) await run('sync', ['-f', '.'], { cwd: folder.path.toString(), env })
  else if (process.platform !== 'win32') await run('sync', { env })
}

function digest(parts: readonly string[]): string {
  return hash('sha256', JSON.stringify(parts)).slice(0, 24)
}
