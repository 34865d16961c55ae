import { openCatalog, readerCatalog } from '../catalog/catalog.ts'
import type { Catalog } from '../catalog/catalog.ts'
import { refreshIndex } from '../catalog/refresh.ts'
import type { EngineJob } from '../protocol/job.ts'
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
  if (unreadable.length > 0) context.log.write('warning', `index objects that cannot be read: ${unreadable.join(', ')}`)
  const owned = cleanup.move()
  return {
    storage: opened,
    repository,
    catalog,
    trees: new TreeLoader(repository, catalog, context.signal),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}
