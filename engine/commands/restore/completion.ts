import { execFile } from 'node:child_process'
import { hash } from 'node:crypto'
import { mkdirSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import writeFileAtomic from 'write-file-atomic'
import type { ByteString } from '../../base/byte-string.ts'
import { HoldfastError } from '../../base/errors.ts'

const run = promisify(execFile)

/**
 * A note under HOLDFAST_HOME that a restore into a target has begun and that its files may not have reached the disk: after a loss of
 * power a file may have its size and its time and none of its bytes. While a note stands, nothing in that target is trusted by size and
 * time. One sync at the end takes the place of one for each file.
 */
export class Completion {
  readonly #note: string
  readonly #target: ByteString
  /** An earlier restore into this target did not come to its end. */
  readonly unfinished: boolean

  private constructor(note: string, target: ByteString, unfinished: boolean) {
    this.#note = note
    this.#target = target
    this.unfinished = unfinished
  }

  /**
   * @param target its real path.
   * @param what is restored: only the same again can say that everything the earlier run left is well.
   */
  static async begin(home: string, target: ByteString, what: readonly string[]): Promise<Completion> {
    const folder = join(home, 'restores')
    mkdirSync(folder, { recursive: true })
    const prefix = `${digest([target])}-`
    const unfinished = readdirSync(folder).some((name) => name.startsWith(prefix))
    const note = join(folder, prefix + digest(what))
    await writeFileAtomic(note, '')
    return new Completion(note, target, unfinished)
  }

  /**
   * All is written: brings it to the disk, then withdraws the note.
   * @param elsewhere some of it is on other file systems than the target's. Errors: denied (the disk does not take it).
   */
  async end(elsewhere: boolean): Promise<void> {
    try {
      await sync(elsewhere ? undefined : this.#target)
    } catch (cause) {
      throw new HoldfastError('denied', 'The restored files could not be brought to the disk.', { cause, data: { place: 'target' } })
    }
    rmSync(this.#note, { force: true })
  }
}

/** Node knows only fsync; the command has syncfs, and no thread of ours waits for it. */
async function sync(place: ByteString | undefined): Promise<void> {
  // A path that is not ASCII would have to go through an argument's UTF-8.
  const one = process.platform === 'linux' && place !== undefined && /^[\x20-\x7e]*$/.test(place)
  if (one) await run('sync', ['-f', '--', place])
  else if (process.platform !== 'win32') await run('sync')
}

function digest(parts: readonly string[]): string {
  return hash('sha256', JSON.stringify(parts)).slice(0, 24)
}
