import { closeSync, constants, openSync, readSync, statSync } from 'node:fs'
import { type ByteString, toFilePath } from '../../base/byte-string.ts'
import { fromHex } from '../../base/bytes.ts'
import type { Folder } from '../../source/folder.ts'

/** `HF`, kind 1, version 1, then the repository's id: see FORMAT.md. */
const head = Buffer.of(0x48, 0x46, 1, 1)
const idBytes = 16

/**
 * The folders that no backup takes, by what they are and not by how they are called: a bind mount, a symlink on the way or another mount
 * leads to them under another path, and a repository that is stored into itself grows with every run.
 */
export class OwnFolders {
  readonly #folders: ReadonlySet<string>
  readonly #head: Buffer

  /** @param paths of the repository and of Holdfast's own folder. */
  constructor(paths: readonly ByteString[], repositoryId: string) {
    this.#folders = new Set(paths.map(identityOf).filter((identity) => identity !== undefined))
    this.#head = Buffer.concat([head, fromHex(repositoryId)])
  }

  /** By device and inode; and this repository also by its config, where another file system shows it under numbers of its own. */
  readonly isOwn = (folder: Folder, names: readonly ByteString[]): boolean => {
    if (this.#folders.has(`${folder.stat.device}:${folder.stat.inode}`)) return true
    return names.includes('config') && names.includes('keys') && this.#isRepository(folder)
  }

  #isRepository(folder: Folder): boolean {
    const address = folder.address('config')
    if (!address.ok) return false
    const found = Buffer.alloc(head.length + idBytes)
    try {
      const descriptor = openSync(toFilePath(address.value), constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
      try {
        readSync(descriptor, found, 0, found.length, 0)
      } finally {
        closeSync(descriptor)
      }
    } catch {
      return false
    }
    return found.equals(this.#head)
  }
}

function identityOf(path: ByteString): string | undefined {
  try {
    const { dev, ino } = statSync(toFilePath(path), { bigint: true })
    return `${dev}:${ino}`
  } catch {
    return undefined
  }
}
