import { forEachParallel } from '../base/parallel.ts'
import { hasCode } from '../base/errors.ts'
import { freeBuffer, HeapKeeper } from '../base/memory.ts'
import { fetchOpened } from '../repository/fetch.ts'
import { decodeIndex } from '../repository/index-codec.ts'
import { indexObject } from '../repository/names.ts'
import { readPackContents } from '../repository/pack-reader.ts'
import type { Repository } from '../repository/repository.ts'
import { openObject } from '../repository/sealed.ts'
import type { Catalog } from './catalog.ts'

/** Index objects hold up to 8 MiB each, decoded pack by pack, one object at a time; downloads in flight bound the memory. */
const indexDownloads = 2
const footerDownloads = 8

/** How far a refresh has come: objects read of objects to read. */
export type RefreshProgress = (done: number, total: number) => void

/** What could not be read: hints only, so a refresh goes on without them and their packs' footers tell the same. */
export interface RefreshResult {
  readonly read: number
  /** Names of damaged or vanished objects. */
  readonly unreadable: readonly string[]
}

/**
 * Brings the catalog up to date with the repository's index objects: reads those not read before, forgets those that are gone.
 * Each is taken in whole, so an interrupted refresh goes on where it stopped. Errors: `version`, those of the storage.
 */
export async function refreshIndex(repository: Repository, catalog: Catalog, signal: AbortSignal, onProgress: RefreshProgress = () => undefined): Promise<RefreshResult> {
  return await takeIndex(repository, catalog, await listIndex(repository, signal), signal, onProgress)
}

/** Names of the index objects that there are now: for whoever can list beside something else. */
export async function listIndex(repository: Repository, signal: AbortSignal): Promise<ReadonlySet<string>> {
  const listed = new Set<string>()
  for await (const info of repository.backend.list('index/', signal)) listed.add(info.name.slice('index/'.length))
  return listed
}

/** The rest of refreshIndex, of what was listed. */
export async function takeIndex(
  repository: Repository, catalog: Catalog, listed: ReadonlySet<string>, signal: AbortSignal, onProgress: RefreshProgress = () => undefined,
): Promise<RefreshResult> {
  for (const name of catalog.packs.indexNames()) if (!listed.has(name)) catalog.packs.forgetIndex(name)
  using heap = new HeapKeeper()
  const unseen = [...listed].filter((name) => /^[0-9a-f]{32}$/.test(name) && !catalog.packs.hasIndex(name))
  return await readEach(unseen, unseen.length, indexDownloads, signal, onProgress, async (name, until) => {
    const object = indexObject(name)
    const plain = await fetchOpened(() => repository.backend.get(object, 'all', until), (bytes) => openObject(repository.keys, object, 'index', bytes))
    catalog.packs.addIndex(name, relieved(decodeIndex(plain, object), heap))
    freeBuffer(plain)
    heap.relieve()
  })
}

/**
 * Reads the footers of usable packs that no index object has told of: packs of an interrupted run, of a lost index, or of another
 * machine that is at work right now. Errors: as refreshIndex.
 */
export async function adoptPacks(repository: Repository, catalog: Catalog, signal: AbortSignal, onProgress: RefreshProgress = () => undefined): Promise<RefreshResult> {
  return readEach(catalog.packs.unknownPacks(), catalog.packs.unknownCount(), footerDownloads, signal, onProgress, async (pack, until) => {
    const contents = await readPackContents(repository.backend, repository.keys, pack, until)
    catalog.packs.addPack({ ...pack, contents })
  })
}

/** Taking in an index object is one long stretch, in which as much dies as in a whole backup. */
function* relieved<T>(items: Iterable<T>, heap: HeapKeeper): Generator<T> {
  let count = 0
  for (const item of items) {
    if (++count % 64 === 0) heap.relieve()
    yield item
  }
}

async function readEach<T extends string | { readonly name: string }>(
  items: Iterable<T>, total: number, limit: number, signal: AbortSignal, onProgress: RefreshProgress, read: (item: T, signal: AbortSignal) => Promise<void>,
): Promise<RefreshResult> {
  const unreadable: string[] = []
  let done = 0
  await forEachParallel(items, limit, signal, async (item, until) => {
    try {
      await read(item, until)
    } catch (error) {
      if (!hasCode(error, 'damaged', 'not-found')) throw error
      unreadable.push(typeof item === 'string' ? item : item.name)
    }
    onProgress(++done, total)
  })
  return { read: done - unreadable.length, unreadable }
}
