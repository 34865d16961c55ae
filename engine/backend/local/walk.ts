import type { Dirent } from 'node:fs'
import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { throwIfAborted } from '../../base/abort.ts'
import type { ObjectInfo } from '../backend.ts'
import { isObjectName } from '../name.ts'
import { hasErrno } from './errors.ts'

/** Files looked at together: enough to keep the disk busy, few enough to stop at once. */
const batchSize = 64

/**
 * Objects below a folder of the root, ascending by name; holds one folder's names per level at a time. Folders and files that vanish
 * meanwhile are passed over, and so is all that is not an object name: unfinished uploads, files of strangers.
 */
export async function* walkObjects(root: string, prefix: string, signal: AbortSignal): AsyncIterable<ObjectInfo> {
  const folder = prefix.slice(0, prefix.lastIndexOf('/') + 1)
  yield* walkFolder(root, folder, prefix, signal)
}

async function* walkFolder(root: string, folder: string, prefix: string, signal: AbortSignal): AsyncIterable<ObjectInfo> {
  throwIfAborted(signal)
  let files: string[] = []
  for (const name of await sortedNames(join(root, folder), folder, prefix)) {
    const isFolder = name.endsWith('/')
    if (!isFolder) files.push(name)
    if (isFolder || files.length === batchSize) {
      yield* await infos(root, files)
      throwIfAborted(signal)
      files = []
    }
    if (isFolder) yield* walkFolder(root, name, prefix, signal)
  }
  yield* await infos(root, files)
}

/** Names within a folder that can be or lead to objects with the prefix; folders end in `/`, which puts them into the order of names. */
async function sortedNames(path: string, folder: string, prefix: string): Promise<readonly string[]> {
  let entries: Dirent[]
  try {
    entries = await readdir(path, { withFileTypes: true })
  } catch (error) {
    if (hasErrno(error, 'ENOENT', 'ENOTDIR')) return []
    throw error
  }
  const names = entries.filter((entry) => (entry.isFile() || entry.isDirectory()) && isObjectName(folder + entry.name))
    .map((entry) => (entry.isDirectory() ? `${folder}${entry.name}/` : folder + entry.name))
  return names.filter((name) => name.startsWith(prefix)).sort()
}

async function infos(root: string, names: readonly string[]): Promise<readonly ObjectInfo[]> {
  const found = await Promise.all(names.map(async (name): Promise<ObjectInfo | undefined> => {
    try {
      const { size, mtimeMs } = await stat(join(root, name))
      return { name, size, modifiedMs: Math.floor(mtimeMs) }
    } catch (error) {
      if (hasErrno(error, 'ENOENT')) return undefined
      throw error
    }
  }))
  return found.filter((info) => info !== undefined)
}
