import { backupCommand } from '../../engine/protocol/backup-command.ts'
import { shellWord } from '../../engine/protocol/shell-word.ts'
import { repositoryUrl } from '../repositories/address.ts'
import type { JobRecord } from './store.ts'

/**
 * What to type into a terminal to back up a job as the app does it, for a POSIX shell; without secrets: the command asks for the password, and takes keys from
 * variables. @param machine its name where the job has none of its own. Errors: `arguments` where this version does not know the storage.
 */
export function commandLine({ config, host, repository: { destination } }: Pick<JobRecord, 'config' | 'host' | 'repository'>, machine: string): string {
  const { name, sources, excludes, concurrency, uploadBytesPerSecond } = config
  const job = { name, sources, excludes, ...(host !== undefined && { host }) }
  return [
    backupCommand(job, machine, (path) => path), '--repo', shellWord(repositoryUrl(destination)), '--concurrency', String(concurrency),
    ...(uploadBytesPerSecond === undefined ? [] : ['--limit-upload', String(uploadBytesPerSecond)]),
  ].join(' ')
}
