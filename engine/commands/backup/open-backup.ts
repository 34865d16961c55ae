import { copyFileSync, existsSync, mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { UploadJournal } from '../../backend/backend.ts'
import { type ByteString, fromText } from '../../base/byte-string.ts'
import { diskError } from '../../base/disk-error.ts'
import { hasCode } from '../../base/errors.ts'
import { makePrivateFolder } from '../../base/private-folder.ts'
import { openCatalog, type Catalog } from '../../catalog/catalog.ts'
import { lockJob } from '../../catalog/lock.ts'
import { catalogFolder, spoolFolder } from '../../catalog/paths.ts'
import type { BackupJob } from '../../protocol/job.ts'
import { jobKeyOf } from '../../repository/keys.ts'
import type { Repository } from '../../repository/repository.ts'
import type { CommandContext } from '../context.ts'
import { createRepository } from '../create.ts'
import { hostOf } from '../host.ts'
import { openMemory, type RepositoryMemory } from '../memory.ts'
import { expectRepository, openAt, openStorage, type OpenStorage } from '../open.ts'
import { openSpool } from './spool-folder.ts'

/** All that a backup works with, from opening to its end. */
export interface OpenBackup extends AsyncDisposable {
  readonly storage: OpenStorage
  readonly repository: Repository
  readonly memory: RepositoryMemory
  /** Whose snapshots this run makes. */
  readonly host: string
  readonly jobKey: string
  readonly catalog: Catalog
  /** Where packs are made. For this job on this machine alone. */
  readonly spool: string
  /** On this machine, for what is copied before it is read; removed at the end. As the spool, of this job alone. */
  readonly scratch: string
}

/** Nothing is written before it is certain that the repository is as new as this machine knows. Errors: busy, password, not-a-repository, another-repository, rolled-back, catalog, and those of the storage. */
export async function openBackup(job: BackupJob, context: CommandContext): Promise<OpenBackup> {
  await using cleanup = new AsyncDisposableStack()
  const uploads = new LateJournal()
  const storage = cleanup.use(await openStorage(job, context, { create: job.create === true && !job.dryRun, uploadJournal: uploads }))
  const { repository, created } = job.create && !job.dryRun
    ? await openOrCreateRepository(storage, job, context)
    : { repository: await openAt(storage.backend, job, context), created: false }
  const { repositoryId } = repository.config
  expectRepository(job, repositoryId)
  const jobKey = jobKeyOf(repository.keys, job.name)
  const memory = cleanup.use(openMemory(created ? { ...job, acceptOtherRepository: true } : job, repository, context, !job.dryRun))
  await memory.require(context.signal, job.acceptOlderRepository ? undefined : jobKey)
  cleanup.use(lockJob(job.home, repositoryId, jobKey))
  const home = job.dryRun ? cleanup.adopt(copyOfCatalog(job.home, repositoryId, jobKey), remove) : job.home
  const { catalog, recreated } = openCatalog(home, repositoryId, jobKey)
  cleanup.use(catalog)
  uploads.journal = catalog.uploads
  if (recreated) context.log.write('warning', 'The local catalog was damaged or outdated; it is made anew.')
  const spool = job.dryRun ? dryRunSpool(home) : await openSpool(storage.backend, catalog, { home, repositoryId, jobKey }, context.signal)
  const scratch = cleanup.adopt(makeScratchOf(spoolFolder(home, repositoryId, jobKey)), remove)
  const owned = cleanup.move()
  return { storage, repository, memory, host: hostOf(job), jobKey, catalog, spool, scratch, [Symbol.asyncDispose]: () => owned.disposeAsync() }
}

/** What no backup takes, wherever it lies: the folder of Holdfast itself, and the repository. */
export function neverStored(job: BackupJob, { storage }: Pick<OpenBackup, 'storage'>): readonly ByteString[] {
  const { traits, label } = storage.backend
  return [fromText(job.home), ...(traits.stagingFolder === undefined ? [] : [fromText(label)])]
}

/** A folder with the catalog as it is now, for a dry run to scribble in. Nobody writes to it meanwhile: the job is locked. */
function copyOfCatalog(home: string, repositoryId: string, jobKey: string): string {
  const [from, copy] = [catalogFolder(home, repositoryId), makeScratch(home)]
  try {
    const to = catalogFolder(copy, repositoryId)
    makePrivateFolder(to)
    for (const file of [`${jobKey}.db`, `${jobKey}.db-wal`]) if (existsSync(join(from, file))) copyFileSync(join(from, file), join(to, file))
  } catch (error) {
    remove(copy)
    throw diskError(error, copy)
  }
  return copy
}

/** In a folder that is the dry run's alone. */
function dryRunSpool(copy: string): string {
  const path = join(copy, 'spool')
  makePrivateFolder(path)
  return path
}

/** Empty, whatever a run left that died. */
function makeScratchOf(spool: string): string {
  const path = join(spool, 'databases')
  remove(path)
  makePrivateFolder(path)
  return path
}

function makeScratch(home: string): string {
  try {
    return mkdtempSync(join(home, 'dry-run-'))
  } catch (error) {
    throw diskError(error, home)
  }
}

function remove(folder: string): void {
  rmSync(folder, { recursive: true, force: true })
}

/** The catalog, and its journal, can only be opened when the repository has told its id. */
class LateJournal implements UploadJournal {
  journal: UploadJournal | undefined

  get(name: string): string | undefined {
    return this.journal?.get(name)
  }

  set(name: string, state: string): void {
    this.journal?.set(name, state)
  }

  delete(name: string): void {
    this.journal?.delete(name)
  }
}

/** The repository at the address, made first where there is none; of two that make it at once, one opens what the other made. */
async function openOrCreateRepository(storage: OpenStorage, job: BackupJob, context: CommandContext): Promise<{ readonly repository: Repository; readonly created: boolean }> {
  const open = async () => ({ repository: await openAt(storage.backend, job, context), created: false })
  try {
    return await open()
  } catch (error) {
    if (!hasCode(error, 'not-a-repository')) throw error
  }
  try {
    return { repository: await createRepository(storage.backend, context, job.home), created: true }
  } catch (error) {
    if (!hasCode(error, 'exists')) throw error
    return open()
  }
}
