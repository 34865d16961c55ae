import { link, mkdir, open, rename, unlink, type FileHandle } from 'node:fs/promises'
import { dirname } from 'node:path'
import { throwIfAborted } from '../../base/abort.ts'
import type { PutOptions } from '../backend.ts'
import { grantedBytes } from '../pace.ts'
import { hasErrno } from './errors.ts'

/** Copies go in pieces of this size: a cancel is seen between two of them, well within a second on any disk. */
const copyBytes = 1024 * 1024

/** Makes the names in a folder durable. Where folders cannot be synced (Windows, some network mounts) the file system sees to it. */
async function syncFolder(path: string): Promise<void> {
  try {
    await using folder = await open(path, 'r')
    await folder.sync()
  } catch (error) {
    if (!hasErrno(error, 'EISDIR', 'EPERM', 'EINVAL', 'ENOTSUP', 'EBADF')) throw error
  }
}

export async function syncFile(path: string): Promise<void> {
  await using file = await open(path, 'r')
  await file.sync()
}

/** Makes a folder and its parents below `root` (which must exist) durable; ENOENT when the root is gone. */
export async function makeFolder(root: string, path: string): Promise<void> {
  if (path === root) return
  try {
    await mkdir(path)
  } catch (error) {
    if (hasErrno(error, 'EEXIST')) return
    if (!hasErrno(error, 'ENOENT') || dirname(path) === root) throw error
    await makeFolder(root, dirname(path))
    await mkdir(path).catch((again: unknown) => {
      if (!hasErrno(again, 'EEXIST')) throw again
    })
  }
  await syncFolder(dirname(path))
}

/** Moves a file to a name nobody has. False: the name is taken, and nothing changed. The old name goes only once the new one is durable. */
export async function linkInto(source: string, target: string): Promise<boolean> {
  try {
    await link(source, target)
  } catch (error) {
    if (hasErrno(error, 'EEXIST')) return false
    throw error
  }
  await syncFolder(dirname(target))
  await unlink(source)
  return true
}

/** Moves a file over whatever has the name. */
export async function renameInto(source: string, target: string): Promise<void> {
  await rename(source, target)
  await syncFolder(dirname(target))
}

/** Writes bytes to a new file and makes them durable. */
export async function writeNew(path: string, bytes: Uint8Array, options: PutOptions, signal: AbortSignal): Promise<void> {
  await using file = await open(path, 'wx')
  for (let offset = 0; offset < bytes.length; ) {
    throwIfAborted(signal)
    const slice = await grantedBytes(Math.min(copyBytes, bytes.length - offset), options.pace)
    await writeFully(file, bytes.subarray(offset, offset + slice))
    offset += slice
    options.onProgress?.(offset)
  }
  throwIfAborted(signal)
  await file.sync()
}

/** Copies a file to a new one and makes it durable. Resolves to the bytes copied. */
export async function copyNew(source: string, path: string, options: PutOptions, signal: AbortSignal): Promise<number> {
  await using from = await open(source, 'r')
  await using to = await open(path, 'wx')
  const buffer = Buffer.allocUnsafe(copyBytes)
  for (let offset = 0; ; ) {
    throwIfAborted(signal)
    const slice = await grantedBytes(copyBytes, options.pace)
    const { bytesRead } = await from.read(buffer, 0, slice, offset)
    if (bytesRead === 0) {
      await to.sync()
      return offset
    }
    await writeFully(to, buffer.subarray(0, bytesRead))
    offset += bytesRead
    options.onProgress?.(offset)
  }
}

/** `write` may take fewer bytes than it is given, e.g. just before a disk is full. */
async function writeFully(file: FileHandle, bytes: Uint8Array): Promise<void> {
  for (let offset = 0; offset < bytes.length; ) {
    const { bytesWritten } = await file.write(bytes, offset, bytes.length - offset)
    offset += bytesWritten
  }
}

/** For moves, which cost the limit as much as a copy would: the bytes went to this file system when they were staged. */
export async function paceWhole(size: number, options: PutOptions): Promise<void> {
  for (let sent = 0; sent < size; options.onProgress?.(sent)) sent += await grantedBytes(size - sent, options.pace)
}
