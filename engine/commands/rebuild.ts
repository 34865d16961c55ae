import { copyFileSync, existsSync, readdirSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { keepNativeMemorySmall } from '../base/memory.ts'
import { openCatalog, readerCatalog } from '../catalog/catalog.ts'
import type { Catalog } from '../catalog/catalog.ts'
import { lockJob } from '../catalog/lock.ts'
import { forgetNames } from '../catalog/names/database.ts'
import { catalogFolder } from '../catalog/paths.ts'
import { adoptPacks, refreshIndex } from '../catalog/refresh.ts'
import type { RebuildJob } from '../protocol/job.ts'
import type { RunSummary } from '../protocol/progress.ts'
import { jobKeyOf } from '../repository/keys.ts'
import { packNameOf } from '../repository/names.ts'
import type { Repository } from '../repository/repository.ts'
import type { CommandContext } from './context.ts'
import { openForCommand } from './open.ts'
import { plainSummary } from './plain-summary.ts'
import { StepProgress } from './step-progress.ts'

/** Catalog under construction; an interrupted rebuild goes on with it. */
const building = 'rebuild'

/** `details` of a rebuild's summary. */
export interface RebuildDetails {
  readonly indexObjects: number
  /** Packs that no index object named, read by their footers. */
  readonly footers: number
  readonly packs: number
  /** Index objects and packs that could not be read. */
  readonly unreadable: readonly string[]
}

/**
 * Makes the local catalogs of a repository anew, from index objects and, where these lack, pack footers; needs nothing but address and
 * password. With a job name only that job's catalog, else all there are; the index of names is then taken in anew by whoever searches. Interrupted, it goes on where it stopped.
 * Errors: `busy` when one of the jobs is running, those of opening a repository.
 */
export async function rebuild(job: RebuildJob, context: CommandContext): Promise<RunSummary> {
  const startedMs = context.clock.now()
  await keepNativeMemorySmall()
  await using open = await openForCommand(job, context)
  const { repository } = open
  const { repositoryId } = repository.config
  const folder = catalogFolder(job.home, repositoryId)
  const names = job.name === undefined ? existingCatalogs(folder) : [jobKeyOf(repository.keys, job.name)]
  using locks = new DisposableStack()
  for (const name of names) if (name !== readerCatalog) locks.use(lockJob(job.home, repositoryId, name))
  const progress = new StepProgress(context, open.meter)
  const details = await build(repository, job.home, progress, context.signal)
  for (const name of names) install(folder, name)
  if (job.name === undefined) forgetNames(job.home, repositoryId)
  for (const suffix of ['', '-wal', '-shm']) rmSync(join(folder, `${building}.db${suffix}`), { force: true })
  return plainSummary('rebuild', startedMs, context.clock.now(), open.traffic, {
    outcome: details.unreadable.length > 0 ? 'warnings' : 'success', adoptedPacks: details.footers, problems: details.unreadable.length, repositoryId, details,
  })
}

async function build(repository: Repository, home: string, progress: StepProgress, signal: AbortSignal): Promise<RebuildDetails> {
  using catalog = openCatalog(home, repository.config.repositoryId, building).catalog
  progress.phase('scanning')
  const packs = await listPacks(repository, catalog, signal)
  progress.phase('working')
  const index = await refreshIndex(repository, catalog, signal, (done, total) => { progress.at(done, total) })
  progress.phase('finishing')
  const footers = await adoptPacks(repository, catalog, signal, (done, total) => { progress.at(done, total) })
  return { indexObjects: index.read, footers: footers.read, packs, unreadable: [...index.unreadable, ...footers.unreadable] }
}

async function listPacks(repository: Repository, catalog: Catalog, signal: AbortSignal): Promise<number> {
  let count = 0
  catalog.packs.beginUsable()
  for await (const info of repository.backend.list('packs/', signal)) {
    const name = packNameOf(info.name)
    if (name === undefined) continue
    catalog.packs.markUsable(name, info.size)
    count++
  }
  catalog.packs.endUsable()
  return count
}

/** Catalogs on this machine, the shared one always among them. */
function existingCatalogs(folder: string): string[] {
  const files = existsSync(folder) ? readdirSync(folder) : []
  const jobs = files.map((file) => /^([0-9a-f]{32})\.db$/.exec(file)?.[1]).filter((name) => name !== undefined)
  return [readerCatalog, ...jobs]
}

/** Puts a copy of the finished catalog in place of an old one, which stays whole until then. */
function install(folder: string, name: string): void {
  const copy = join(folder, `${name}.db.new`)
  copyFileSync(join(folder, `${building}.db`), copy)
  for (const suffix of ['-wal', '-shm']) rmSync(join(folder, `${name}.db${suffix}`), { force: true })
  renameSync(copy, join(folder, `${name}.db`))
}
