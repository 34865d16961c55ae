import { fstatSync, type Dirent, type Stats } from 'node:fs'
import { constants, lstat, mkdir, open, readdir, unlink, type FileHandle } from 'node:fs/promises'
import { HoldfastError } from '../../base/errors.ts'
import { hasErrno } from '../../base/errno.ts'
import { expectInPlace, notInPlace } from './in-place.ts'

// Windows knows neither; there the look before and after has to do.
const { O_CREAT, O_DIRECTORY = 0, O_EXCL, O_NOFOLLOW = 0, O_NONBLOCK = 0, O_RDONLY, O_WRONLY } = constants

export interface Modes {
  readonly folder: number
  readonly file: number
}

/** For the user alone. */
export const ownModes: Modes = { folder: 0o700, file: 0o600 }
/** Where the user has made the root a folder that a group shares (set-group-id and writable by the group, as `chmod 2770` does). */
const sharedModes: Modes = { folder: 0o2770, file: 0o660 }
const sharedBits = 0o2020

export interface OpenedFile extends Disposable {
  readonly file: FileHandle
  readonly stats: Stats
}

interface Place {
  /** How the system calls the folder: through the held descriptor, or its path. */
  readonly address: string | Buffer
  /** Absent where entries are not addressed by descriptor. */
  readonly handle: FileHandle | undefined
  /** Relative to the root, '' for the root; and the root as people know it. */
  readonly path: string
  readonly root: string
  readonly device: number
  readonly inode: number
  readonly modes: Modes
}

/**
 * A folder of the repository that is being worked in; dispose it soon. Where the system has /proc/self/fd, its entries are addressed by
 * the folder's descriptor, so that nobody who swaps folders meanwhile leads anywhere else; elsewhere each is looked at before and after.
 * No entry is followed if it is a link, none is opened but regular files, and opening never waits (a pipe).
 */
export class Folder implements Disposable {
  readonly device: number
  readonly inode: number
  readonly modes: Modes
  readonly #place: Place

  private constructor(place: Place) {
    this.#place = place
    this.device = place.device
    this.inode = place.inode
    this.modes = place.modes
  }

  /** Errors: errno errors, ENOTDIR also for a link. */
  static async openRoot(path: Buffer, shown: string, byDescriptor: boolean): Promise<Folder> {
    const { address, handle, stats } = await openFolder(path, byDescriptor)
    const modes = (stats.mode & sharedBits) === sharedBits ? sharedModes : ownModes
    return new Folder({ address, handle, path: '', root: shown, device: stats.dev, inode: stats.ino, modes })
  }

  /** What node:fs calls an entry, for calls that follow no link (`lstat`, `link`, `rename`, `unlink`). Holds until this is disposed. */
  entry(name: string): string | Buffer {
    const { address } = this.#place
    return typeof address === 'string' ? `${address}/${name}` : Buffer.concat([address, Buffer.from(`/${name}`)])
  }

  /** For people. */
  shown(name: string): string {
    const { path, root } = this.#place
    return [root, path, name].filter((part) => part !== '').join('/')
  }

  /** A folder in this one. Errors: damaged (what is no folder of this device is in its place), errno errors (ENOENT). */
  async child(name: string): Promise<Folder> {
    const { handle: held, path, root, device, modes } = this.#place
    const opened = await openFolder(this.entry(name), held !== undefined).catch(async (error: unknown) => {
      if (hasErrno(error, 'ENOTDIR', 'ELOOP')) throw notInPlace('folder', this.shown(name), await this.info(name))
      throw error
    })
    const { dev, ino } = opened.stats
    const child = new Folder({ ...opened, path: path === '' ? name : `${path}/${name}`, root, device: dev, inode: ino, modes })
    if (child.device === device) return child
    child[Symbol.dispose]()
    const shown = this.shown(name)
    throw new HoldfastError('damaged', `Another file system is mounted at ${shown}, inside of the repository; nothing is read or written `
      + 'there. Unmount it, or keep the whole repository on it.')
  }

  /** As `child`; made when it is missing, with this folder's list of names durable. */
  async makeChild(name: string): Promise<Folder> {
    try {
      return await this.child(name)
    } catch (error) {
      if (!hasErrno(error, 'ENOENT')) throw error
    }
    await mkdir(this.entry(name), { mode: this.modes.folder }).catch((error: unknown) => {
      if (!hasErrno(error, 'EEXIST')) throw error
    })
    const made = await this.child(name)
    await made.#share()
    await this.sync()
    return made
  }

  /** Opens a regular file for reading. Errors: damaged (something else is in its place), errno errors (ENOENT). */
  async openFile(name: string): Promise<OpenedFile> {
    const file = await open(this.entry(name), O_RDONLY | O_NOFOLLOW | O_NONBLOCK).catch(async (error: unknown) => {
      if (!hasErrno(error, 'ENOENT')) expectInPlace(this.shown(name), await this.info(name))
      throw error
    })
    try {
      const stats = fstatSync(file.fd)
      expectInPlace(this.shown(name), stats)
      if (!this.#place.handle) await this.#expectSame(name, stats)
      return { file, stats, [Symbol.dispose]: () => { closeSoon(file) } }
    } catch (error) {
      closeSoon(file)
      throw error
    }
  }

  /** Makes a file with a name that nobody has (EEXIST). */
  async createFile(name: string): Promise<FileHandle> {
    const file = await open(this.entry(name), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, this.modes.file)
    await this.share(file)
    return file
  }

  /** Opens something in this folder with flags that neither follow nor keep anything, and closes it. Where the system cannot, it passes. */
  async tryFile(flags: number): Promise<void> {
    try {
      await (await open(this.entry('.'), flags, this.modes.file)).close()
    } catch (error) {
      if (!hasErrno(error, 'EOPNOTSUPP', 'ENOTSUP', 'EISDIR', 'EINVAL', 'ENOENT')) throw error
    }
  }

  /** The entry itself, never what it points to; undefined when it is not there. */
  async info(name: string): Promise<Stats | undefined> {
    try {
      return await lstat(this.entry(name))
    } catch (error) {
      if (hasErrno(error, 'ENOENT')) return undefined
      throw error
    }
  }

  entries(): Promise<Dirent[]> {
    return readdir(this.#place.address, { withFileTypes: true })
  }

  /** Removes a file or whatever else has its name, but no folder. False: it was not there. */
  async remove(name: string): Promise<boolean> {
    try {
      await unlink(this.entry(name))
      return true
    } catch (error) {
      if (hasErrno(error, 'ENOENT')) return false
      const found = await this.info(name)
      if (found?.isDirectory()) throw notInPlace('file', this.shown(name), found, error)
      throw error
    }
  }

  /** Makes the names in this folder durable. Where folders cannot be synced (Windows, some network mounts) the file system sees to it. */
  async sync(): Promise<void> {
    try {
      if (this.#place.handle) return await this.#place.handle.sync()
      await using folder = await open(this.#place.address, O_RDONLY | O_DIRECTORY | O_NOFOLLOW)
      await folder.sync()
    } catch (error) {
      if (!hasErrno(error, 'EISDIR', 'EPERM', 'EINVAL', 'ENOTSUP', 'EBADF')) throw error
    }
  }

  /** In a shared repository, lets the group in, whatever the umask was. */
  async share(file: FileHandle): Promise<void> {
    if (this.modes === sharedModes) await file.chmod(this.modes.file).catch(passUnsupported)
  }

  [Symbol.dispose](): void {
    if (this.#place.handle) closeSoon(this.#place.handle)
  }

  async #share(): Promise<void> {
    if (this.modes === sharedModes) await this.#place.handle?.chmod(this.modes.folder).catch(passUnsupported)
  }

  async #expectSame(name: string, stats: Stats): Promise<void> {
    const found = await this.info(name)
    expectInPlace(this.shown(name), found ?? stats)
    if (found?.ino === stats.ino && found.dev === stats.dev) return
    throw new HoldfastError('unavailable', `Another program works on ${this.shown(name)} at the same time.`)
  }
}

interface OpenedFolder extends Pick<Place, 'address' | 'handle'> {
  readonly stats: Stats
}

async function openFolder(path: string | Buffer, byDescriptor: boolean): Promise<OpenedFolder> {
  if (!byDescriptor) {
    const stats = await lstat(path)
    if (!stats.isDirectory()) throw Object.assign(new Error('no folder'), { code: 'ENOTDIR' })
    return { address: path, handle: undefined, stats }
  }
  const handle = await open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW)
  try {
    return { address: `/proc/self/fd/${String(handle.fd)}`, handle, stats: fstatSync(handle.fd) }
  } catch (error) {
    closeSoon(handle)
    throw error
  }
}

/** Nobody need wait for the end of what was only read, and it has nothing to tell. */
function closeSoon(handle: FileHandle): void {
  handle.close().catch(() => undefined)
}

/** File systems without modes (exFAT, many network mounts). */
function passUnsupported(error: unknown): void {
  if (!hasErrno(error, 'EPERM', 'EINVAL', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS')) throw error
}
