import { HoldfastError } from '../../base/errors.ts'
import type { ObjectInfo } from '../backend.ts'
import { isObjectName } from '../name.ts'

/** What a storage with folders tells of one entry of a folder. `other`: a link, a pipe, a device. */
export interface FolderEntry {
  readonly name: string
  readonly kind: 'file' | 'folder' | 'other'
  readonly size: number
  readonly modifiedMs: number
}

export interface FolderReader {
  /** The entries of a folder below the repository's ('' for that); undefined where there is none. Called for several at once. */
  read(folder: string): Promise<readonly FolderEntry[] | undefined>
  /** What has the name of an object and is no file: it is listed with size 0, so that it is missed and told, unless this throws. */
  meet?(name: string): Promise<void>
}

/** Folders that are read ahead: each costs a few round trips. */
const ahead = 8
/** Names that Holdfast gives: hex digits and numbers. Links of other names are strangers'. */
const ownName = /^[0-9a-f-]+$/
/** Far more than a 256th of the packs of 100 machines of 10 TB. */
const mostInFolder = 200_000

/**
 * Objects below a prefix, ascending by name, of a storage that lists a folder at a time. Holds the names of one folder per level, and of the
 * next few of its folders. Folders that vanish meanwhile are passed over, and so is all that is not an object name.
 */
export async function* walkFolders(prefix: string, reader: FolderReader): AsyncIterable<ObjectInfo> {
  yield* walk(prefix.slice(0, Math.max(0, prefix.lastIndexOf('/'))), prefix, reader)
}

/** For readers that collect a folder's entries. Errors: unsupported (it does not come to an end). */
export function expectEnd(entries: number): void {
  if (entries > mostInFolder) throw new HoldfastError('unsupported', 'The server\'s list of a folder does not come to an end.', { data: { reason: 'BadListing' } })
}

type Found = ObjectInfo | { readonly folder: string }

async function* walk(folder: string, prefix: string, reader: FolderReader, reading = found(folder, prefix, reader)): AsyncIterable<ObjectInfo> {
  const entries = (await reading) ?? []
  const folders = entries.filter((entry) => 'folder' in entry)
  const begun = new Map<string, ReturnType<typeof found>>()
  let next = 0
  for (const entry of entries) {
    if (!('folder' in entry)) {
      yield entry
      continue
    }
    for (; next < folders.length && begun.size < ahead; next++) {
      const path = folders[next]?.folder ?? ''
      const early = found(path, prefix, reader)
      // Nobody may want it any more.
      early.catch(() => undefined)
      begun.set(path, early)
    }
    yield* walk(entry.folder, prefix, reader, begun.get(entry.folder))
    begun.delete(entry.folder)
  }
}

/** What within a folder can be or lead to objects with the prefix, in the order of names: a folder's ends in `/`. */
async function found(folder: string, prefix: string, reader: FolderReader): Promise<readonly Found[] | undefined> {
  const entries = await reader.read(folder)
  if (!entries) return undefined
  const all = new Map<string, Found>()
  for (const { name: entry, kind, size, modifiedMs } of entries) {
    const name = folder === '' ? entry : `${folder}/${entry}`
    const whole = kind === 'folder' ? `${name}/` : name
    const mayBe = whole.startsWith(prefix) || (kind === 'folder' && prefix.startsWith(whole))
    if (!mayBe || entry.includes('/') || !isObjectName(name)) continue
    if (kind === 'folder') all.set(whole, { folder: name })
    else if (kind === 'file') all.set(whole, { name, size, modifiedMs })
    else if (ownName.test(entry)) {
      await reader.meet?.(name)
      all.set(whole, { name, size: 0, modifiedMs })
    }
  }
  return [...all].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, one]) => one)
}
