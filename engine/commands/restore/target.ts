import { availableParallelism } from 'node:os'
import { dirname } from 'node:path'
import { existsSync, mkdirSync, realpathSync, statSync } from 'node:fs'
import { fromBytes, toFilePath } from '../../base/byte-string.ts'
import type { ByteString } from '../../base/byte-string.ts'
import { HoldfastError } from '../../base/errors.ts'
import type { RepositoryKeys } from '../../repository/keys.ts'
import { EntryWriter } from '../../target/entry-writer.ts'
import { TargetFolders } from '../../target/folders.ts'
import { loadNative } from '../../target/native.ts'
import { WriterPool } from '../../target/writer-pool.ts'

/** More threads than this do not write faster: the disk or the decryption is busy. */
const maxThreads = 4

/** A folder that a restore writes to, and the threads that do. */
export interface RestoreTarget extends AsyncDisposable {
  /** Its real path. */
  readonly root: ByteString
  readonly device: number
  readonly folders: TargetFolders
  readonly entries: EntryWriter
  readonly pool: WriterPool
}

/** Makes the folder if need be. Errors: denied, arguments, full. */
export async function openTarget(path: string, keys: RepositoryKeys): Promise<RestoreTarget> {
  const root = fromBytes(makeFolder(path))
  const asRoot = process.getuid?.() === 0
  const native = await loadNative()
  const folders = new TargetFolders(root)
  const threads = Math.min(maxThreads, Math.max(1, availableParallelism()))
  const pool = new WriterPool({ root, asRoot, packsKey: keys.packs, blobIdKey: keys.blobId }, threads)
  return {
    root,
    device: statSync(toFilePath(root)).dev,
    folders,
    entries: new EntryWriter(folders, native, asRoot),
    pool,
    async [Symbol.asyncDispose]() {
      folders[Symbol.dispose]()
      await pool[Symbol.asyncDispose]()
    },
  }
}

/** The one place where a symlink is followed: the folder that the user named may be one. */
function makeFolder(path: string): Buffer {
  try {
    makePath(path)
    return realpathSync(path, 'buffer')
  } catch (cause) {
    throw targetError(cause, path)
  }
}

/** A folder with its parents. Node's own `recursive` never returns where a parent exists and refuses with ENOENT, as /proc does. */
function makePath(path: string): void {
  try {
    mkdirSync(path)
  } catch (error) {
    const code: unknown = error instanceof Error ? Reflect.get(error, 'code') : undefined
    if (code === 'EEXIST' && statSync(path).isDirectory()) return
    if (code !== 'ENOENT' || existsSync(dirname(path))) throw error
    makePath(dirname(path))
    mkdirSync(path)
  }
}

function targetError(cause: unknown, path: string): HoldfastError {
  const code: unknown = cause instanceof Error ? Reflect.get(cause, 'code') : undefined
  if (code === 'ENOTDIR' || code === 'EEXIST') return new HoldfastError('arguments', `The target is not a folder: ${path}`, { cause })
  return fatalWriteError(code, cause) ?? new HoldfastError('denied', `The target folder cannot be made or entered: ${path}`, { cause, data: { place: 'target' } })
}

/** Errors of the target's file system that no other file would be spared; undefined for those of one file. */
export function fatalWriteError(code: unknown, cause: unknown): HoldfastError | undefined {
  if (code === 'ENOSPC' || code === 'EDQUOT') return new HoldfastError('full', 'The disk of the target folder is full.', { cause, data: { place: 'target' } })
  if (code === 'EROFS') return new HoldfastError('denied', 'The target folder is on a read-only file system.', { cause, data: { place: 'target' } })
  return undefined
}
