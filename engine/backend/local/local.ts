import { access, link, mkdir, open, stat, unlink, writeFile } from 'node:fs/promises'
import { dirname, join, sep } from 'node:path'
import { throwIfAborted } from '../../base/abort.ts'
import { systemClock, type Clock } from '../../base/clock.ts'
import { hasCode, HoldfastError } from '../../base/errors.ts'
import {
  maximumWholeBytes, type BackendTraits, type Body, type ByteRange, type ObjectInfo, type Pace, type PutOptions, type StorageBackend,
} from '../backend.ts'
import { requireObjectName, requirePrefix } from '../name.ts'
import { grantedBytes } from '../pace.ts'
import { moveUnderClaim } from './claim.ts'
import { hasErrno, localError } from './errors.ts'
import { copyNew, linkInto, makeFolder, paceWhole, renameInto, syncFile, writeNew } from './files.ts'
import { removeStaleTemporaries, temporaryName } from './temporary.ts'
import { walkObjects } from './walk.ts'

const staleAfterMs = 24 * 60 * 60 * 1000
const maximumReadBytes = 4 * 1024 * 1024

export interface LocalOptions {
  /** Make the folder when it is missing. Without it a missing folder is `offline`: the disk is not plugged in. */
  readonly create?: boolean
  readonly clock?: Clock
  /** Only for tests: false acts as if the file system had no hard links. */
  readonly hardLinks?: boolean
}

/**
 * A repository in a folder: an object is a file of its name. Beside the objects lie `.tmp/` (files being written) and `.staging/`
 * (complete files that the engine is about to put; see `traits.stagingFolder`). Errors: offline, denied, full.
 */
export async function openLocal(root: string, options: LocalOptions, signal: AbortSignal): Promise<StorageBackend> {
  throwIfAborted(signal)
  try {
    if (options.create) await mkdir(root, { recursive: true })
    const device = await requireFolder(root)
    const writable = await prepare(root, (options.clock ?? systemClock).now())
    const hardLinks = options.hardLinks ?? (!writable || (await canLink(join(root, '.tmp'))))
    return new LocalBackend(root, device, hardLinks, await exists(join(root, '.tmp')))
  } catch (error) {
    throw localError(error, root)
  }
}

/** The device the folder is on. */
async function requireFolder(root: string): Promise<number> {
  const found = await stat(root).catch((error: unknown) => {
    if (hasErrno(error, 'ENOENT')) throw offline(root)
    throw error
  })
  if (!found.isDirectory()) throw new HoldfastError('arguments', `The destination is not a folder: ${root}`)
  return found.dev
}

/** False where nothing can be written: reading works all the same, and a put says why it fails. */
async function prepare(root: string, nowMs: number): Promise<boolean> {
  try {
    await makeFolder(root, join(root, '.tmp'))
    await makeFolder(root, join(root, '.staging'))
    await removeStaleTemporaries(join(root, '.tmp'), staleAfterMs, nowMs)
    await access(join(root, '.tmp'), 2)
    return true
  } catch (error) {
    if (hasErrno(error, 'EROFS', 'EACCES', 'EPERM', 'ENOSPC', 'EDQUOT')) return false
    throw error
  }
}

async function canLink(folder: string): Promise<boolean> {
  const probe = join(folder, temporaryName())
  const second = `${probe}-link`
  try {
    await writeFile(probe, '', { flag: 'wx' })
    await link(probe, second)
    return true
  } catch (error) {
    return !hasErrno(error, 'EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK')
  } finally {
    await unlink(probe).catch(() => undefined)
    await unlink(second).catch(() => undefined)
  }
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(() => true, () => false)
}

function offline(root: string): HoldfastError {
  return new HoldfastError('offline', `The destination folder is not there: ${root}. Is its disk connected?`)
}

class LocalBackend implements StorageBackend {
  readonly label: string
  readonly traits: BackendTraits
  readonly #root: string
  readonly #temporary: string
  readonly #staging: string
  readonly #hardLinks: boolean
  /** `.tmp` was there at the beginning: without it the folder is not the one that was opened. */
  readonly #marked: boolean
  /** Folders known to exist, so that a put need not make them. At most one entry per shard. */
  readonly #folders = new Set<string>()

  constructor(root: string, device: number, hardLinks: boolean, marked: boolean) {
    this.label = root
    this.#root = root
    this.#temporary = join(root, '.tmp')
    this.#staging = join(root, '.staging')
    this.#hardLinks = hardLinks
    this.#marked = marked
    this.traits = { maxConnections: 16, exclusiveCreate: true, resumable: false, distance: 'near', account: `local:${device}`, stagingFolder: this.#staging }
  }

  async put(name: string, body: Body, options: PutOptions, signal: AbortSignal): Promise<void> {
    requireObjectName(name)
    throwIfAborted(signal)
    await this.#guarded(name, () =>
      body.type === 'file' && body.path.startsWith(this.#staging + sep)
        ? this.#putStaged(name, body.path, body.size, options, signal)
        : this.#putCopy(name, body, options, signal),
    ).catch(async (error: unknown) => {
      if (!hasCode(error, 'not-found')) throw error
      if (body.type === 'file' && !(await exists(body.path))) throw new HoldfastError('internal', `The file to be stored as ${name} is gone.`, { cause: error })
      throw new HoldfastError('unavailable', `A folder of the destination vanished while ${name} was being stored.`, { cause: error })
    })
  }

  async get(name: string, range: ByteRange | 'all', signal: AbortSignal, pace?: Pace): Promise<Uint8Array> {
    requireObjectName(name)
    throwIfAborted(signal)
    return this.#guarded(name, async () => {
      await using file = await open(join(this.#root, name), 'r')
      const { size } = await file.stat()
      const { offset, length } = range === 'all' ? { offset: 0, length: size } : range
      if (offset + length > size) throw new HoldfastError('damaged', `${name} ends before the bytes that were asked for.`)
      if (range === 'all' && size > maximumWholeBytes) throw new HoldfastError('damaged', `${name} is too large to be read whole.`)
      const bytes = Buffer.allocUnsafeSlow(length)
      for (let got = 0; got < length; ) {
        const slice = await grantedBytes(Math.min(maximumReadBytes, length - got), pace)
        throwIfAborted(signal)
        const { bytesRead } = await file.read(bytes, got, slice, offset + got)
        if (bytesRead === 0) throw new HoldfastError('damaged', `${name} shrank while it was being read.`)
        got += bytesRead
      }
      return bytes
    })
  }

  async stat(name: string, signal: AbortSignal): Promise<ObjectInfo> {
    requireObjectName(name)
    throwIfAborted(signal)
    return this.#guarded(name, async () => {
      const found = await stat(join(this.#root, name))
      if (!found.isFile()) throw new HoldfastError('not-found', `${name} does not exist.`)
      return { name, size: found.size, modifiedMs: Math.floor(found.mtimeMs) }
    })
  }

  async *list(prefix: string, signal: AbortSignal): AsyncIterable<ObjectInfo> {
    requirePrefix(prefix)
    throwIfAborted(signal)
    try {
      await this.#requireRoot()
      yield* walkObjects(this.#root, prefix, signal)
      // A disk pulled in the middle looks like empty folders.
      await this.#requireRoot()
    } catch (error) {
      throw localError(error, prefix)
    }
  }

  async remove(name: string, signal: AbortSignal): Promise<void> {
    requireObjectName(name)
    throwIfAborted(signal)
    await this.#guarded(name, () => unlink(join(this.#root, name))).catch((error: unknown) => {
      if (!hasCode(error, 'not-found')) throw error
    })
  }

  async abortStaleUploads(olderThanMs: number, signal: AbortSignal): Promise<number> {
    throwIfAborted(signal)
    return this.#guarded('.tmp', () => removeStaleTemporaries(this.#temporary, olderThanMs, Date.now()))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // Holds nothing open between operations.
  }

  /** The bytes lie on this file system already: make them durable, give them their name. */
  async #putStaged(name: string, source: string, size: number, options: PutOptions, signal: AbortSignal): Promise<void> {
    if ((await stat(source)).size !== size) throw new HoldfastError('internal', `The staged file of ${name} is not as long as it was sealed.`)
    await paceWhole(size, options)
    throwIfAborted(signal)
    await syncFile(source)
    throwIfAborted(signal)
    await this.#giveName(source, name, options, signal)
    options.onProgress?.(size)
  }

  async #putCopy(name: string, body: Body, options: PutOptions, signal: AbortSignal): Promise<void> {
    const temporary = join(this.#temporary, temporaryName())
    if (!this.#marked) await makeFolder(this.#root, this.#temporary)
    try {
      if (body.type === 'bytes') await writeNew(temporary, body.bytes, options, signal)
      else if ((await copyNew(body.path, temporary, options, signal)) !== body.size) {
        throw new HoldfastError('internal', `The file of ${name} is not as long as it was sealed.`)
      }
      throwIfAborted(signal)
      await this.#giveName(temporary, name, options, signal)
    } finally {
      await unlink(temporary).catch(() => undefined)
    }
  }

  async #giveName(source: string, name: string, options: PutOptions, signal: AbortSignal): Promise<void> {
    const target = join(this.#root, name)
    const folder = dirname(target)
    if (!this.#folders.has(folder)) {
      await makeFolder(this.#root, folder)
      this.#folders.add(folder)
    }
    const done = this.#hardLinks ? await linkInto(source, target) : options.ifAbsent ? await moveUnderClaim(this.#temporary, source, target, signal) : false
    if (done) return
    if (options.ifAbsent) throw new HoldfastError('exists', `${name} exists already.`)
    await renameInto(source, target)
  }

  /** Tells a missing object from a missing disk: both look like ENOENT. */
  async #guarded<T>(name: string, operation: () => Promise<T>): Promise<T> {
    try {
      return await operation()
    } catch (error) {
      if (!hasErrno(error, 'ENOENT', 'ENOTDIR', 'EISDIR')) throw localError(error, name)
      this.#folders.clear()
      await this.#requireRoot()
      throw new HoldfastError('not-found', `${name} does not exist.`, { cause: error })
    }
  }

  async #requireRoot(): Promise<void> {
    if (!(await exists(this.#marked ? this.#temporary : this.#root))) throw offline(this.#root)
  }
}
