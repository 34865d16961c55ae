import { access, statfs } from 'node:fs/promises'
import { join } from 'node:path'
import { throwIfAborted } from '../../base/abort.ts'
import { systemClock, type Clock } from '../../base/clock.ts'
import { hasCode, HoldfastError } from '../../base/errors.ts'
import {
  maximumWholeBytes, type BackendTraits, type Body, type ByteRange, type ObjectInfo, type Pace, type PutOptions, type StagingFolder,
  type StorageBackend,
} from '../backend.ts'
import type { SpaceLeft } from '../../protocol/space.ts'
import { requireObjectName, requirePrefix } from '../name.ts'
import { grantedBytes } from '../flow/pace.ts'
import { hasHardLinks, moveUnderClaim, withoutLinks } from './claim.ts'
import { hasErrno } from '../../base/errno.ts'
import { localError } from './errors.ts'
import { copyNew, linkInto, paceWhole, renameInto, writeNew, type Place } from './files.ts'
import type { Folder } from './folder.ts'
import { Ground, type GroundOptions } from './ground.ts'
import { notInPlace } from './in-place.ts'
import { expectOwnFolder, makeRootFor } from './new-root.ts'
import { openStagingFolder, removeStaleStaged, stagedPlace, stagingFolder } from './staging.ts'
import { removeStaleTemporaries, temporaryName } from './temporary.ts'
import { walkObjects } from './walk.ts'

const maximumReadBytes = 4 * 1024 * 1024
const temporaryFolder = '.tmp'

export interface LocalOptions extends GroundOptions {
  /** A repository is about to be made: a missing folder is made. Without it a missing folder is `offline`: the disk is not plugged in. */
  readonly create?: boolean
  readonly clock?: Clock
  /** Only for tests: false acts as if the file system had no hard links. */
  readonly hardLinks?: boolean
}

/**
 * A repository in a folder: an object is a file of its name. Beside the objects lie `.tmp/` (files being written) and `.staging/`
 * (complete files that the engine is about to put; see `openStaging`), both made when they are first needed: opening changes nothing.
 * Errors: offline, denied, full, arguments (also with `create`: the folder holds other things).
 */
export async function openLocal(root: string, options: LocalOptions, signal: AbortSignal): Promise<StorageBackend> {
  throwIfAborted(signal)
  try {
    if (options.create) await makeRootFor(root, options)
    const ground = await Ground.open(root, options)
    return new LocalBackend(root, ground, options)
  } catch (error) {
    throw localError(error, root)
  }
}

class LocalBackend implements StorageBackend {
  readonly label: string
  readonly traits: BackendTraits
  readonly #ground: Ground
  readonly #clock: Clock
  /** Undefined until a creation tells. */
  #hardLinks: boolean | undefined
  /** The real path; undefined where it is no text: then nothing can be staged. */
  readonly #root: string | undefined

  constructor(label: string, ground: Ground, { clock = systemClock, hardLinks }: LocalOptions) {
    this.label = label
    this.#ground = ground
    this.#clock = clock
    this.#hardLinks = hardLinks
    this.#root = ground.text
    this.traits = {
      maxConnections: 16, exclusiveCreate: true, resumable: false, distance: 'near', listing: { order: 'ascending', cost: 'prefix' }, largestPut: Number.MAX_SAFE_INTEGER,
      account: `local:${ground.identity.device}`,
      ...(this.#root === undefined ? {} : { stagingFolder: join(this.#root, stagingFolder) }),
    }
  }

  async put(name: string, body: Body, options: PutOptions, signal: AbortSignal): Promise<void> {
    requireObjectName(name)
    throwIfAborted(signal)
    try {
      await this.#putBody(name, body, options, signal)
    } catch (error) {
      if (!hasErrno(error, 'ENOENT')) throw localError(error, name)
      if (body.type === 'file' && !(await exists(body.path))) throw changed(name, 'gone', error)
      throw new HoldfastError('unavailable', `A folder of the destination vanished while ${name} was being stored.`, { cause: error })
    }
    if (name === 'config') await this.#ground.remember()
  }

  async get(name: string, range: ByteRange | 'all', signal: AbortSignal, pace?: Pace): Promise<Uint8Array> {
    requireObjectName(name)
    throwIfAborted(signal)
    return this.#guarded(name, async () => {
      const place = await this.#enter(name)
      using folder = place.folder
      using opened = await folder.openFile(place.name)
      const { file, stats: { size } } = opened
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
      const place = await this.#enter(name)
      using folder = place.folder
      const found = await folder.info(place.name)
      if (!found) throw notThere(name)
      if (!found.isFile()) throw notInPlace('file', folder.shown(place.name), found)
      return { name, size: found.size, modifiedMs: Math.floor(found.mtimeMs) }
    })
  }

  async *list(prefix: string, signal: AbortSignal): AsyncIterable<ObjectInfo> {
    requirePrefix(prefix)
    throwIfAborted(signal)
    try {
      yield* walkObjects(this.#ground, prefix, signal)
      // A disk pulled in the middle looks like empty folders.
      using _root = await this.#ground.enter('')
    } catch (error) {
      throw localError(error, prefix)
    }
  }

  async remove(name: string, signal: AbortSignal): Promise<void> {
    requireObjectName(name)
    throwIfAborted(signal)
    await this.#guarded(name, async () => {
      const place = await this.#enter(name)
      using folder = place.folder
      await folder.remove(place.name)
    }).catch((error: unknown) => {
      if (!hasCode(error, 'not-found')) throw error
    })
  }

  async abortStaleUploads(olderThanMs: number, signal: AbortSignal): Promise<number> {
    throwIfAborted(signal)
    const nowMs = this.#clock.now()
    const temporaries = this.#cleared(temporaryFolder, async () => {
      using folder = await this.#ground.enter(temporaryFolder)
      return await removeStaleTemporaries(folder, olderThanMs, nowMs)
    })
    return (await temporaries) + (await this.#cleared(stagingFolder, () => removeStaleStaged(this.#ground, olderThanMs, nowMs)))
  }

  async openStaging(owner: string, signal: AbortSignal): Promise<StagingFolder | undefined> {
    throwIfAborted(signal)
    const root = this.#root
    return root === undefined ? undefined : this.#guarded(stagingFolder, () => openStagingFolder(this.#ground, root, owner))
  }

  async tryWriting(signal: AbortSignal): Promise<boolean> {
    throwIfAborted(signal)
    await this.#guarded(this.label, async () => {
      await expectOwnFolder(this.#ground, this.label)
      await this.#ground.tryWriting()
    })
    return true
  }

  async space(signal: AbortSignal): Promise<SpaceLeft | undefined> {
    throwIfAborted(signal)
    return this.#guarded(this.label, async () => {
      using root = await this.#ground.enter('')
      const { bavail, blocks, bsize } = await statfs(root.entry('.'))
      // Some network file systems tell nothing.
      return blocks === 0 ? undefined : { freeBytes: bavail * bsize, totalBytes: blocks * bsize }
    })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // Holds nothing open between operations.
  }

  async #putBody(name: string, body: Body, options: PutOptions, signal: AbortSignal): Promise<void> {
    const staged = body.type === 'file' && this.#root !== undefined ? stagedPlace(this.#root, body.path) : undefined
    if (!staged || body.type !== 'file') return this.#putCopy(name, body, options, signal)
    using folder = await this.#ground.enter(staged.folder)
    await this.#putStaged(name, { folder, name: staged.name }, body.size, options, signal)
  }

  /** The bytes lie on this file system already: make them durable, give them their name. */
  async #putStaged(name: string, from: Place, size: number, options: PutOptions, signal: AbortSignal): Promise<void> {
    using opened = await from.folder.openFile(from.name)
    if (opened.stats.size !== size) throw changed(name, 'not as long as it was made')
    await paceWhole(size, options)
    throwIfAborted(signal)
    await from.folder.share(opened.file)
    await opened.file.sync()
    throwIfAborted(signal)
    await this.#giveName(from, name, options, signal)
    options.onProgress?.(size)
  }

  async #putCopy(name: string, body: Body, options: PutOptions, signal: AbortSignal): Promise<void> {
    using folder = await this.#ground.make(temporaryFolder)
    const temporary = { folder, name: temporaryName() }
    try {
      if (body.type === 'bytes') await writeNew(temporary, body.bytes, options, signal)
      else if ((await copyNew(body.path, temporary, options, signal)) !== body.size) throw changed(name, 'not as long as it was made')
      throwIfAborted(signal)
      await this.#giveName(temporary, name, options, signal)
    } finally {
      await folder.remove(temporary.name).catch(() => undefined)
    }
  }

  async #giveName(from: Place, object: string, options: PutOptions, signal: AbortSignal): Promise<void> {
    const [path, name] = split(object)
    using folder = await this.#ground.make(path)
    const to = { folder, name }
    if (await this.#create(from, to, object, options, signal)) return
    if (!options.ifAbsent) return await renameInto(from, to)
    const found = await folder.info(name)
    if (found && !found.isFile()) throw notInPlace('file', folder.shown(name), found)
    throw new HoldfastError('exists', `${object} exists already.`)
  }

  /** False: the name is taken, or whether it is does not matter. */
  async #create(from: Place, to: Place, object: string, options: PutOptions, signal: AbortSignal): Promise<boolean> {
    if (this.#hardLinks !== false) {
      try {
        return await linkInto(from, to)
      } catch (error) {
        if (!hasErrno(error, ...withoutLinks) || (await this.#canLink())) throw error
      }
    }
    if (!options.ifAbsent) return false
    using temporary = await this.#ground.make(temporaryFolder)
    return await moveUnderClaim(temporary, object, from, to, signal)
  }

  async #canLink(): Promise<boolean> {
    using temporary = await this.#ground.make(temporaryFolder)
    this.#hardLinks = await hasHardLinks(temporary)
    return this.#hardLinks
  }

  /** The folder of an object, which must be there, and the object's name in it. */
  async #enter(object: string): Promise<{ readonly folder: Folder; readonly name: string }> {
    const [path, name] = split(object)
    return { folder: await this.#ground.enter(path), name }
  }

  /** How many were cleared away; none where the folder is not there. */
  async #cleared(name: string, clear: () => Promise<number>): Promise<number> {
    return this.#guarded(name, clear).catch((error: unknown) => {
      if (hasCode(error, 'not-found')) return 0
      throw error
    })
  }

  async #guarded<T>(name: string, operation: () => Promise<T>): Promise<T> {
    try {
      return await operation()
    } catch (error) {
      throw hasErrno(error, 'ENOENT') ? notThere(name, error) : localError(error, name)
    }
  }
}

/** Another program, or a failing disk, had its way with a file between its making and its storing. */
function changed(name: string, how: string, cause?: unknown): HoldfastError {
  return new HoldfastError('damaged', `The file that was to be stored as ${name} is ${how}: something else changed it. Run the command again.`, { cause })
}

function notThere(name: string, cause?: unknown): HoldfastError {
  return new HoldfastError('not-found', `${name} does not exist.`, { cause })
}

function split(object: string): readonly [folder: string, name: string] {
  const cut = object.lastIndexOf('/')
  return [object.slice(0, Math.max(0, cut)), object.slice(cut + 1)]
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(() => true, () => false)
}
