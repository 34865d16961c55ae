import { closeSync, constants, existsSync, lstatSync, openSync } from 'node:fs'
import { HoldfastError } from '../base/errors.ts'
import { toFilePath, toShown } from '../base/byte-string.ts'
import type { ByteString } from '../base/byte-string.ts'

/** Folders held open at a time; each costs a descriptor. Two whole chains of parents always fit, so that two paths can be in use. */
const openFolders = 48

const openFlags = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW

/**
 * The folders below a restore's target. Every call on an entry goes through `entry`, which reaches the folder one name at a time
 * without following a symlink. Where the system has /proc/self/fd, the path it gives is relative to a held descriptor, so that even
 * somebody who swaps folders for symlinks meanwhile leads nothing outside of the target. Elsewhere each folder is looked at before.
 */
export class TargetFolders implements Disposable {
  readonly #root: ByteString
  readonly #byDescriptor = process.platform === 'linux' && existsSync('/proc/self/fd')
  /** Folder (relative, '' is the target) → how to address it; least recently used first. */
  #limit = openFolders
  readonly #open = new Map<ByteString, { readonly prefix: ByteString; readonly descriptor?: number }>()

  /** @param root the target's real path, an existing folder. */
  constructor(root: ByteString) {
    this.#root = root
  }

  /**
   * What node:fs calls an entry of a folder. Use it at once: it holds for one more call with another folder, not for two.
   * @param folder relative to the target, `/`-separated, '' for the target itself.
   * @throws unsafe-path when a symlink, or what is no folder, is on the way or the name is no plain name; errno errors.
   */
  entry(folder: ByteString, name: ByteString): string | Buffer {
    checkName(name)
    return toFilePath(`${this.#prefix(folder)}/${name}`)
  }

  /** As `entry`, for a folder itself. */
  folder(folder: ByteString): string | Buffer {
    if (folder === '') return toFilePath(this.#root)
    const cut = folder.lastIndexOf('/')
    return this.entry(cut < 0 ? '' : folder.slice(0, cut), folder.slice(cut + 1))
  }

  /** Forgets a folder that was replaced. */
  forget(folder: ByteString): void {
    for (const [path, { descriptor }] of this.#open) {
      if (path !== folder && !path.startsWith(`${folder}/`)) continue
      this.#open.delete(path)
      if (descriptor !== undefined) closeSync(descriptor)
    }
  }

  [Symbol.dispose](): void {
    for (const { descriptor } of this.#open.values()) if (descriptor !== undefined) closeSync(descriptor)
    this.#open.clear()
  }

  #prefix(folder: ByteString): ByteString {
    const known = this.#open.get(folder)
    if (known) {
      this.#open.delete(folder)
      this.#open.set(folder, known)
      return known.prefix
    }
    const path = folder === '' ? this.#root : this.folder(folder)
    const opened = this.#byDescriptor ? openFolder(path, folder) : lookAt(path, folder)
    this.#open.set(folder, opened)
    this.#limit = Math.max(this.#limit, 2 * folder.split('/').length + 2)
    if (this.#open.size > this.#limit) this.#closeOldest()
    return opened.prefix
  }

  #closeOldest(): void {
    for (const [folder, { descriptor }] of this.#open) {
      this.#open.delete(folder)
      if (descriptor !== undefined) closeSync(descriptor)
      return
    }
  }
}

/** A name that stays in its folder. @throws unsafe-path */
function checkName(name: ByteString): void {
  if (name === '' || name === '.' || name === '..' || name.includes('/') || name.includes('\0') || name.length > 255) {
    throw new HoldfastError('unsafe-path', `The snapshot holds an entry with a name that would leave its folder: ${toShown(name)}`)
  }
}

function openFolder(path: string | Buffer, folder: ByteString): { prefix: ByteString; descriptor: number } {
  try {
    const descriptor = openSync(path, openFlags)
    return { prefix: `/proc/self/fd/${String(descriptor)}`, descriptor }
  } catch (error) {
    throw isInTheWay(error) ? notAFolder(folder) : error
  }
}

function lookAt(path: string | Buffer, folder: ByteString): { prefix: ByteString } {
  if (!lstatSync(path).isDirectory()) throw notAFolder(folder)
  return { prefix: typeof path === 'string' ? path : path.toString('latin1') }
}

function isInTheWay(error: unknown): boolean {
  const code: unknown = error instanceof Error ? Reflect.get(error, 'code') : undefined
  return code === 'ELOOP' || code === 'ENOTDIR'
}

function notAFolder(folder: ByteString): HoldfastError {
  return new HoldfastError('unsafe-path', `A symbolic link or a file stands where the folder ${toShown(folder)} belongs; nothing is written through it.`)
}
