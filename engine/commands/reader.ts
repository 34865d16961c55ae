import { openCatalog, readerCatalog } from '../catalog/catalog.ts'
import type { Catalog } from '../catalog/catalog.ts'
import { hasCode } from '../base/errors.ts'
import { refreshIndex } from '../catalog/refresh.ts'
import type { EngineJob } from '../protocol/job.ts'
import { readRetireRecords } from '../repository/protocol/retired.ts'
import type { Repository } from '../repository/repository.ts'
import { BlobPlaces } from './blob-places.ts'
import type { CommandContext } from './context.ts'
import type { RepositoryMemory } from './memory.ts'
import { openForCommand } from './open.ts'
import type { OpenOptions, OpenRepository, OpenStorage } from './open.ts'
import { TreeLoader } from './tree-loader.ts'

/** A repository opened for reading, with a catalog that knows all of its index objects. */
export interface Reader extends AsyncDisposable {
  readonly storage: OpenStorage
  readonly repository: Repository
  readonly memory: RepositoryMemory
  readonly catalog: Catalog
  /** Where blobs are, with what other copies there are. */
  readonly places: BlobPlaces
  readonly trees: TreeLoader
}

/** Errors: those of openForCommand, and catalog. */
export async function openReader(job: EngineJob, context: CommandContext, options: OpenOptions = {}): Promise<Reader> {
  await using cleanup = new AsyncDisposableStack()
  const reader = cleanup.use(await readerOf(cleanup.use(await openForCommand(job, context, options)), job.home, context))
  const owned = cleanup.move()
  return { ...reader, [Symbol.asyncDispose]: () => owned.disposeAsync() }
}

/**
 * A reader of a repository that is open, and stays so when the reader is disposed.
 * @param home whose catalog it uses: HOLDFAST_HOME, or an empty folder for one that knows nothing yet
 */
export async function readerOf(opened: OpenRepository, home: string, context: CommandContext): Promise<Reader> {
  await using cleanup = new AsyncDisposableStack()
  const { repository, memory } = opened
  const { catalog, recreated } = openCatalog(home, repository.config.repositoryId, readerCatalog)
  cleanup.use(catalog)
  if (recreated) context.log.write('warning', 'the local catalog was damaged or outdated; it is made anew')
  const places = new BlobPlaces(repository, catalog, context)
  const [{ unreadable }, retired] = await Promise.all([refreshIndex(repository, catalog, context.signal), retiredPacks(repository, context.signal)])
  if (unreadable.length > 0) {
    context.log.write('warning', `index objects that cannot be read: ${unreadable.join(', ')}; reading the packs' own tables instead`)
    await places.readAllFooters()
  }
  for (const pack of retired) catalog.packs.markRetired(pack)
  const owned = cleanup.move()
  return {
    storage: opened,
    repository,
    memory,
    catalog,
    places,
    trees: new TreeLoader(repository, catalog, context.signal, places),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}

/**
 * A pack is retired when it is about to go or was found damaged, so another copy of its blobs is to be read first. An unreadable record
 * only costs that preference.
 */
async function retiredPacks(repository: Repository, signal: AbortSignal): Promise<string[]> {
  try {
    const records = await readRetireRecords(repository, new Map(), signal)
    return [...records.values()].flatMap(({ packs }) => packs)
  } catch (error) {
    if (hasCode(error, 'damaged', 'version', 'arguments')) return []
    throw error
  }
}
