import { HoldfastError } from '../../base/errors.ts'
import type { ObjectInfo } from '../backend.ts'
import type { Watch } from '../http/watch.ts'
import { isObjectName } from '../name.ts'
import { isStatus, status } from './errors.ts'
import { notInPlace, type Ground } from './ground.ts'
import type { Session } from './session.ts'

/** Far more than a 256th of the packs of 100 machines of 10 TB. */
const mostInFolder = 200_000
/** Folders that are read ahead: each costs a few round trips. */
const ahead = 8
/** Names that Holdfast gives: hex digits and numbers. Links of other names are strangers'. */
const ownName = /^[0-9a-f-]+$/

/** Runs one exchange with the server. */
export type Exchange = <T>(work: (session: Session, watch: Watch) => Promise<T>) => Promise<T>

type Found = ObjectInfo | { readonly folder: string }

/**
 * Objects below a folder of the repository, ascending by name. Holds the names of one folder per level, and of the next few of its folders.
 * Folders that vanish meanwhile are passed over, and so is all that is not an object name. What has the name of an object but is no
 * file is listed with size 0, so that it is missed and told. Errors: damaged (a link in the place of a folder), unsupported (a list without end).
 */
export async function* walkObjects(ground: Ground, prefix: string, exchange: Exchange): AsyncIterable<ObjectInfo> {
  const path = prefix.slice(0, Math.max(0, prefix.lastIndexOf('/')))
  const entries = await exchange(async (session, watch) => ((await ground.enter(path, session, watch)) ? foundIn(ground, path, prefix, session, watch) : undefined))
  if (entries) yield* walkFolder(ground, entries, prefix, exchange)
}

async function* walkFolder(ground: Ground, entries: readonly Found[], prefix: string, exchange: Exchange): AsyncIterable<ObjectInfo> {
  const folders = entries.filter((entry) => 'folder' in entry)
  const reading = new Map<string, Promise<readonly Found[] | undefined>>()
  let next = 0
  const readAhead = (): void => {
    for (; next < folders.length && reading.size < ahead; next++) {
      const folder = folders[next]?.folder ?? ''
      const read = exchange((session, watch) => foundIn(ground, folder, prefix, session, watch))
      // Nobody may want it any more.
      read.catch(() => undefined)
      reading.set(folder, read)
    }
  }
  for (const entry of entries) {
    if (!('folder' in entry)) {
      yield entry
      continue
    }
    readAhead()
    const below = await reading.get(entry.folder)
    reading.delete(entry.folder)
    if (below) yield* walkFolder(ground, below, prefix, exchange)
  }
}

/** What within a folder can be or lead to objects with the prefix, in the order of names: a folder's ends in `/`. Undefined: it is not there. */
async function foundIn(ground: Ground, path: string, prefix: string, session: Session, watch: Watch): Promise<readonly Found[] | undefined> {
  const begin = path === '' ? '' : `${path}/`
  const found = new Map<string, Found>()
  let handle: Buffer
  try {
    handle = await session.openFolder(ground.pathOf(path), watch)
  } catch (error) {
    if (isStatus(error, status.noSuchFile, status.noSuchPath)) return undefined
    throw error
  }
  try {
    let seen = 0
    for (let more = await session.nextEntries(handle, watch); more; more = await session.nextEntries(handle, watch)) {
      if ((seen += Math.max(1, more.length)) > mostInFolder) throw endless()
      for (const { name: entry, kind, size, modifiedMs } of more) {
        const name = begin + entry
        const whole = kind === 'folder' ? `${name}/` : name
        if (entry.includes('/') || !isObjectName(name) || !(whole.startsWith(prefix) || (kind === 'folder' && prefix.startsWith(whole)))) continue
        if (kind === 'folder') found.set(whole, { folder: name })
        else if (kind === 'file') found.set(whole, { name, size, modifiedMs })
        else if (ownName.test(entry)) found.set(whole, await stranger(ground, name, session, watch))
      }
    }
  } finally {
    session.closeSoon(handle)
  }
  return [...found].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, entry]) => entry)
}

/** Only looks: nothing is opened or listed through a link. */
async function stranger(ground: Ground, name: string, session: Session, watch: Watch): Promise<ObjectInfo> {
  const path = ground.pathOf(name)
  const target = await session.lookThrough(path, watch).catch(() => undefined)
  if (target?.kind === 'folder') throw notInPlace('folder', path, { ...target, kind: 'link' })
  return { name, size: 0, modifiedMs: target?.modifiedMs ?? 0 }
}

function endless(): HoldfastError {
  return new HoldfastError('unsupported', 'The server\'s list of a folder does not come to an end.', { data: { reason: 'BadListing' } })
}
