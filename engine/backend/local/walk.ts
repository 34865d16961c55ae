import { stat } from 'node:fs/promises'
import { throwIfAborted } from '../../base/abort.ts'
import type { ObjectInfo } from '../backend.ts'
import { isObjectName } from '../name.ts'
import { hasErrno } from '../../base/errno.ts'
import type { Folder } from './folder.ts'
import type { Ground } from './ground.ts'
import { notInPlace } from './in-place.ts'

/** Files looked at together: enough to keep the disk busy, few enough to stop at once. */
const batchSize = 64

/** Names that Holdfast gives: hex digits and numbers, whatever the format makes of them. Links of other names are strangers'. */
const ownName = /^[0-9a-f-]+$/

/**
 * Objects below a folder of the root, ascending by name; holds one folder's names per level at a time. Folders and files that vanish
 * meanwhile are passed over, and so is all that is not an object name: unfinished uploads, files of strangers. What has the name of
 * an object but is no file is listed with size 0, so that it is missed and told; `damaged` at a link in the place of a folder.
 */
export async function* walkObjects(ground: Ground, prefix: string, signal: AbortSignal): AsyncIterable<ObjectInfo> {
  const path = prefix.slice(0, Math.max(0, prefix.lastIndexOf('/')))
  const folder = await found(ground.enter(path))
  if (folder) yield* walkFolder(folder, path === '' ? '' : `${path}/`, prefix, signal)
}

/** Undefined: it is not there. */
async function found(opening: Promise<Folder>): Promise<Folder | undefined> {
  try {
    return await opening
  } catch (error) {
    if (hasErrno(error, 'ENOENT')) return undefined
    throw error
  }
}

/** Disposes the folder. */
async function* walkFolder(opened: Folder, path: string, prefix: string, signal: AbortSignal): AsyncIterable<ObjectInfo> {
  using folder = opened
  throwIfAborted(signal)
  let files: string[] = []
  for (const name of await sortedNames(folder, path, prefix)) {
    const isFolder = name.endsWith('/')
    if (!isFolder) files.push(name)
    if (isFolder || files.length === batchSize) {
      yield* await infos(folder, path, files)
      throwIfAborted(signal)
      files = []
    }
    const child = isFolder ? await found(folder.child(name.slice(path.length, -1))) : undefined
    if (child) yield* walkFolder(child, name, prefix, signal)
  }
  yield* await infos(folder, path, files)
}

/** Names within a folder that can be or lead to objects with the prefix; folders end in `/`, which puts them into the order of names. */
async function sortedNames(folder: Folder, path: string, prefix: string): Promise<readonly string[]> {
  const names: string[] = []
  for (const entry of await folder.entries()) {
    const name = path + entry.name
    if (!isObjectName(name)) continue
    const whole = entry.isDirectory() ? `${name}/` : name
    if (!whole.startsWith(prefix) || !(entry.isFile() || entry.isDirectory() || ownName.test(entry.name))) continue
    if (entry.isSymbolicLink() && (await leadsToFolder(folder, entry.name))) {
      throw notInPlace('folder', folder.shown(entry.name), await folder.info(entry.name))
    }
    names.push(whole)
  }
  return names.sort()
}

/** Only looks: nothing is opened or listed through the link. */
async function leadsToFolder(folder: Folder, name: string): Promise<boolean> {
  return stat(folder.entry(name)).then((target) => target.isDirectory(), () => false)
}

async function infos(folder: Folder, path: string, names: readonly string[]): Promise<readonly ObjectInfo[]> {
  const all = await Promise.all(names.map(async (name): Promise<ObjectInfo | undefined> => {
    const info = await folder.info(name.slice(path.length))
    return info && { name, size: info.isFile() ? info.size : 0, modifiedMs: Math.floor(info.mtimeMs) }
  }))
  return all.filter((info) => info !== undefined)
}
