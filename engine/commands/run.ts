import { assertNever, HoldfastError } from '../base/errors.ts'
import { catalogsFolder } from '../catalog/paths.ts'
import type { EngineJob } from '../protocol/job.ts'
import type { RunSummary } from '../protocol/progress.ts'
import type { CommandContext } from './context.ts'

/**
 * Runs a job to its end. Only the code of its own command is loaded. A catalog that turns out to be damaged is made anew, once.
 * Errors: a HoldfastError, as RunFailed where the run had begun. A browse, a serve and a watch job talk with whoever started them and have their own entries, serveBrowse, serveFiles and serveWatch.
 */
export async function runJob(job: EngineJob, context: CommandContext): Promise<RunSummary> {
  try {
    return await runOnce(job, context)
  } catch (error) {
    const { isCatalogDamage, suspectDatabases } = await import('../catalog/database.ts')
    if (context.signal.aborted || !isCatalogDamage(error)) throw error
    suspectDatabases(catalogsFolder(job.home))
    context.log.write('warning', 'The local catalog is damaged. It is made anew from the repository, and the run begins again.')
    return await runOnce(job, context)
  }
}

async function runOnce(job: EngineJob, context: CommandContext): Promise<RunSummary> {
  switch (job.type) {
    case 'backup': return (await import('./backup.ts')).backup(job, context)
    case 'restore': return (await import('./restore.ts')).restore(job, context)
    case 'check': return (await import('./check.ts')).check(job, context)
    case 'forget': return (await import('./forget.ts')).forget(job, context)
    case 'prune': return (await import('./prune.ts')).prune(job, context)
    case 'care': return (await import('./care.ts')).care(job, context)
    case 'drill': return (await import('./drill.ts')).drill(job, context)
    case 'rebuild': return (await import('./rebuild.ts')).rebuild(job, context)
    case 'test': return (await import('./test.ts')).test(job, context)
    case 'sync': return (await import('./sync.ts')).sync(job, context)
    case 'browse': throw new HoldfastError('internal', 'Browsing needs somebody who asks.')
    case 'watch': throw new HoldfastError('internal', 'Watching needs somebody who asks.')
    case 'serve': throw new HoldfastError('internal', 'A door needs somebody who is told where it is.')
    default: return assertNever(job)
  }
}
