import { constants, link, open, rename, type FileHandle } from 'node:fs/promises'
import { throwIfAborted } from '../../base/abort.ts'
import type { PutOptions } from '../backend.ts'
import { grantedBytes } from '../flow/pace.ts'
import { hasErrno } from '../../base/errno.ts'
import type { Folder } from './folder.ts'

/** Copies go in pieces of this size: a cancel is seen between two of them, well within a second on any disk. */
const copyBytes = 1024 * 1024

/** A name in a folder of the repository, whether something has it or not. */
export interface Place {
  readonly folder: Folder
  readonly name: string
}

/** Moves a file to a name nobody has. False: the name is taken, and nothing changed. The old name goes only once the new one is durable. */
export async function linkInto(from: Place, to: Place): Promise<boolean> {
  try {
    await link(from.folder.entry(from.name), to.folder.entry(to.name))
  } catch (error) {
    if (hasErrno(error, 'EEXIST')) return false
    throw error
  }
  await to.folder.sync()
  await from.folder.remove(from.name)
  return true
}

/** Moves a file over whatever has the name. */
export async function renameInto(from: Place, to: Place): Promise<void> {
  await rename(from.folder.entry(from.name), to.folder.entry(to.name))
  await to.folder.sync()
}

/** Writes bytes to a new file and makes them durable. */
export async function writeNew({ folder, name }: Place, bytes: Uint8Array, options: PutOptions, signal: AbortSignal): Promise<void> {
  await using file = await folder.createFile(name)
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

/** Copies a file, from anywhere on this computer, to a new one and makes it durable. Resolves to the bytes copied. */
export async function copyNew(source: string, { folder, name }: Place, options: PutOptions, signal: AbortSignal): Promise<number> {
  await using from = await open(source, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0))
  await using to = await folder.createFile(name)
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
