import { availableParallelism } from 'node:os'
import { dirname } from 'node:path'
import { existsSync, mkdirSync, realpathSync, statSync } from 'node:fs'
import type { BigIntStats } from 'node:fs'
import { fromBytes } from '../../base/byte-string.ts'
import type { ByteString } from '../../base/byte-string.ts'
import { HoldfastError } from '../../base/errors.ts'
import type { RepositoryKeys } from '../../repository/keys.ts'
import { Dresser } from '../../target/dress.ts'
import { EntryWriter } from '../../target/entry-writer.ts'
import { TargetFolders } from '../../target/folders.ts'
import type { FolderPlace } from '../../target/folders.ts'
import { loadSystemCalls } from '../../target/system-calls.ts'
import type { OpenFolder } from '../../target/system-calls.ts'
import { WriterPool } from '../../target/writer-pool.ts'
import { fatalWriteError } from './write-errors.ts'

/** More threads than this do not write faster: the disk or the decryption is busy. */
const maxThreads = 4

/** A folder that a restore writes to, and the threads that do. */
export interface RestoreTarget extends AsyncDisposable {
  /** Its real path, for notes about it; nothing is reached by it any more. */
  readonly path: ByteString
  readonly root: FolderPlace
  readonly folders: TargetFolders
  readonly entries: EntryWriter
  readonly pool: WriterPool
}

/** Makes the folder if need be. Errors: denied, arguments, full. */
export async function openTarget(path: string, keys: RepositoryKeys): Promise<RestoreTarget> {
  const real = makeFolder(path)
  const asRoot = process.geteuid?.() === 0
  const calls = await loadSystemCalls()
  const held = openRoot(() => calls.openRoot(real), path)
  const folders = new TargetFolders(held, calls)
  const threads = Math.min(maxThreads, Math.max(1, availableParallelism()))
  const pool = new WriterPool({ root: held, asRoot, packsKey: keys.packs, blobIdKey: keys.blobId }, threads)
  return {
    path: fromBytes(real),
    root: folders.rootPlace(),
    folders,
    entries: new EntryWriter(folders, calls, new Dresser(calls, asRoot), asRoot),
    pool,
    async [Symbol.asyncDispose]() {
      await pool[Symbol.asyncDispose]()
      folders[Symbol.dispose]()
      calls.closeFolder(held)
    },
  }
}

/** What stands in a folder that a restore is to write to; nothing is changed. */
export interface TargetView extends Disposable {
  readonly root: FolderPlace
  /** Never follows a symbolic link. */
  look(folder: FolderPlace, name: ByteString): BigIntStats | undefined
  /** A folder that stands there. Errors: those of the file system, unsafe-path. */
  enter(folder: FolderPlace, name: ByteString): FolderPlace
}

/** @returns undefined: there is no such folder yet. Errors: denied, arguments. */
export async function viewTarget(path: string): Promise<TargetView | undefined> {
  if (!existsSync(path)) return undefined
  const calls = await loadSystemCalls()
  const held = openRoot(() => calls.openRoot(realpathSync.native(path, 'buffer')), path)
  const folders = new TargetFolders(held, calls)
  return {
    root: folders.rootPlace(),
    look: (folder, name) => calls.look(folders.open(folder), name),
    enter: (folder, name) => folders.enter(folder, name, undefined),
    [Symbol.dispose]() {
      folders[Symbol.dispose]()
      calls.closeFolder(held)
    },
  }
}

function openRoot(open: () => OpenFolder, path: string): OpenFolder {
  try {
    return open()
  } catch (cause) {
    throw targetError(cause, path)
  }
}

/** The one place where a symbolic link is followed: the folder that the user named may be one. */
function makeFolder(path: string): Buffer {
  if (path === '' || path.includes('\0')) throw new HoldfastError('arguments', 'A target folder has to be named.')
  try {
    // A name that is not UTF-8 comes here with this character in place of its bytes: another folder than the one that was named.
    if (path.includes('\ufffd') && !existsSync(path)) throw new HoldfastError('arguments', 'The name of the target folder is not UTF-8. Name it by a symbolic link, or choose another.')
    makePath(path)
    return realpathSync.native(path, 'buffer')
  } catch (cause) {
    throw targetError(cause, path)
  }
}

/** A folder with its parents. Node's own `recursive` never returns where a parent exists and refuses with ENOENT, as /proc does. */
function makePath(path: string): void {
  try {
    mkdirSync(path, folderMode)
  } catch (error) {
    const code: unknown = error instanceof Error ? Reflect.get(error, 'code') : undefined
    if ((code === 'EEXIST' || code === 'EISDIR' || code === 'EROFS') && existsSync(path) && statSync(path).isDirectory()) return
    if (code !== 'ENOENT' || existsSync(dirname(path))) throw error
    makePath(dirname(path))
    mkdirSync(path, folderMode)
  }
}

/** Not writable by others, whatever the umask. */
const folderMode = 0o755

function targetError(cause: unknown, path: string): HoldfastError {
  if (cause instanceof HoldfastError) return cause
  const code: unknown = cause instanceof Error ? Reflect.get(cause, 'code') : undefined
  if (code === 'ENOTDIR' || code === 'EEXIST') return new HoldfastError('arguments', `The target is not a folder: ${path}`, { cause })
  return fatalWriteError(code, cause) ?? new HoldfastError('denied', `The target folder cannot be made or entered: ${path}`, { cause, data: { place: 'target' } })
}
