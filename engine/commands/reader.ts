import { openCatalog, readerCatalog } from '../catalog/catalog.ts'
import type { Catalog } from '../catalog/catalog.ts'
import { hasCode } from '../base/errors.ts'
import { adoptPacks, refreshIndex } from '../catalog/refresh.ts'
import type { EngineJob } from '../protocol/job.ts'
import { listPacks } from '../repository/protocol/listing.ts'
import { readRetireRecords } from '../repository/protocol/retired.ts'
import type { Repository } from '../repository/repository.ts'
import type { CommandContext } from './context.ts'
import { openForCommand } from './open.ts'
import type { OpenStorage } from './open.ts'
import { TreeLoader } from './tree-loader.ts'

/** A repository opened for reading, with a catalog that knows all of its index objects. */
export interface Reader extends AsyncDisposable {
  readonly storage: OpenStorage
  readonly repository: Repository
  readonly catalog: Catalog
  readonly trees: TreeLoader
}

/** Errors: those of openForCommand, and catalog. */
export async function openReader(job: EngineJob, context: CommandContext): Promise<Reader> {
  await using cleanup = new AsyncDisposableStack()
  const opened = cleanup.use(await openForCommand(job, context))
  const { repository } = opened
  const { catalog, recreated } = openCatalog(job.home, repository.config.repositoryId, readerCatalog)
  cleanup.use(catalog)
  if (recreated) context.log.write('warning', 'the local catalog was damaged or outdated; it is made anew')
  const { unreadable } = await refreshIndex(repository, catalog, context.signal)
  if (unreadable.length > 0) {
    context.log.write('warning', `index objects that cannot be read: ${unreadable.join(', ')}; reading the packs' own tables instead`)
    await readAllFooters(repository, catalog, context.signal)
  }
  await preferUnretired(repository, catalog, context.signal)
  const owned = cleanup.move()
  return {
    storage: opened,
    repository,
    catalog,
    // A prune may have moved blobs since this catalog learned where they are.
    trees: new TreeLoader(repository, catalog, context.signal, async (pack) => {
      catalog.packs.dropPack(pack)
      await refreshIndex(repository, catalog, context.signal)
    }),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}

/** What an index object would have told, from the packs themselves. */
async function readAllFooters(repository: Repository, catalog: Catalog, signal: AbortSignal): Promise<void> {
  catalog.packs.beginUsable()
  for await (const pack of listPacks(repository.backend, 16, signal)) catalog.packs.markUsable(pack.name, pack.size)
  catalog.packs.endUsable()
  await adoptPacks(repository, catalog, signal)
}

/**
 * A pack is retired when it is about to go or was found damaged, so another copy of its blobs is read first. An unreadable record only
 * costs that preference.
 */
async function preferUnretired(repository: Repository, catalog: Catalog, signal: AbortSignal): Promise<void> {
  try {
    const records = await readRetireRecords(repository, new Map(), signal)
    for (const { packs } of records.values()) for (const pack of packs) catalog.packs.markRetired(pack)
  } catch (error) {
    if (!hasCode(error, 'damaged', 'version', 'arguments')) throw error
  }
}
