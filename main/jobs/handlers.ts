import type { Destination, JobConfig, SecretsInput } from '../api/contract.ts'
import { MainError } from '../api/errors.ts'
import type { Handlers } from '../api/dispatch.ts'
import { mergeSecrets } from '../settings/secrets.ts'
import type { SecretStore } from '../settings/secrets.ts'
import type { LogFiles } from '../system/logs.ts'
import type { Backups } from './backups.ts'
import type { Browsing } from './browsing.ts'
import { testDestination } from './destination-test.ts'
import type { TestPorts } from './destination-test.ts'
import { configProblem } from './engine-jobs.ts'
import type { RunHistory } from './history.ts'
import type { Restores } from './restores.ts'
import type { JobStore } from './store.ts'

export interface JobHandlerPorts {
  readonly store: JobStore
  readonly history: RunHistory
  readonly secrets: SecretStore
  readonly backups: Backups
  readonly restores: Restores
  readonly browsing: Browsing
  readonly test: TestPorts
  readonly logs: Pick<LogFiles, 'linesOf'>
  readonly copy: (text: string) => void
  /** Jobs, secrets or history changed. */
  readonly onChange: () => void
}

type Named<Prefix extends string> = Pick<Handlers, Extract<keyof Handlers, `${Prefix}.${string}`>>

export function jobHandlers(ports: JobHandlerPorts): Named<'job' | 'jobs'> {
  const { store, secrets, backups, browsing, history, onChange } = ports
  return {
    async 'job.add'({ config, secrets: input }) {
      check(config)
      const merged = mergeSecrets(undefined, input)
      if (!merged) throw new MainError('arguments', 'A job needs a password.', { field: 'secrets.password' })
      const record = await store.add(config)
      try {
        await secrets.set(record.id, merged)
      } catch (error) {
        await store.remove(record.id)
        throw error
      }
      onChange()
      return { jobId: record.id }
    },
    async 'job.update'({ jobId, config, secrets: input }) {
      check(config)
      store.get(jobId)
      if (input.password !== undefined || input.storage !== undefined) await storeSecrets(secrets, jobId, input)
      await store.update(jobId, config)
      browsing.close(jobId)
      onChange()
    },
    async 'job.remove'({ jobId }) {
      store.get(jobId)
      if (backups.of(jobId)) throw new MainError('busy', 'The job is running.')
      browsing.close(jobId)
      await store.remove(jobId)
      await secrets.remove(jobId)
      history.remove(jobId)
      onChange()
    },
    'job.run': ({ jobId }) => ({ runId: backups.run(jobId, 'manual').id }),
    'job.pause': ({ jobId }) => { backups.pause(jobId) },
    'job.resume': ({ jobId }) => { backups.resume(jobId) },
    'job.stop': ({ jobId, mode }) => { backups.stop(jobId, mode) },
    'jobs.pauseAll': () => { backups.pauseAll() },
    'jobs.resumeAll': () => { backups.resumeAll() },
  }
}

function check(config: JobConfig): void {
  const field = configProblem(config)
  if (field === 'destination') throw new MainError('arguments', 'The destination lies inside a source.', { field: 'config.destination' })
  if (field === 'sources') throw new MainError('arguments', 'A source is named twice.', { field: 'config.sources' })
}

async function storeSecrets(secrets: SecretStore, jobId: string, input: SecretsInput): Promise<void> {
  const merged = mergeSecrets(secrets.get(jobId), input)
  if (!merged) throw new MainError('password', 'The stored password cannot be opened; enter it again.', { missing: true })
  await secrets.set(jobId, merged)
}

export function historyHandlers({ history, restores, logs, copy, store }: JobHandlerPorts): Named<'history'> {
  return {
    'history.runs': ({ jobId, limit, before }) => history.page(store.get(jobId).id, limit, before),
    'history.problems': ({ jobId, runId }) => restores.problems(runId) ?? history.problems(store.get(jobId).id, runId),
    async 'history.copyLog'({ runId }) {
      const lines = await logs.linesOf(runId)
      copy(lines.join('\n'))
      return { lines: lines.length }
    },
  }
}

export function repositoryHandlers(ports: JobHandlerPorts): Named<'browse' | 'restore'> & Pick<Handlers, 'destination.test'> {
  const { browsing, restores } = ports
  return {
    'destination.test': ({ destination, secrets: input, jobId }) => test(ports, destination, input, jobId),
    'browse.snapshots': ({ jobId }) => browsing.snapshots(jobId),
    'browse.list': (request) => browsing.list(request),
    'restore.start': (request) => ({ restoreId: restores.start(request) }),
    'restore.pause': ({ restoreId }) => { restores.get(restoreId).pause() },
    'restore.resume': ({ restoreId }) => { restores.get(restoreId).resume() },
    'restore.stop': ({ restoreId }) => { restores.get(restoreId).stop('cancel') },
    'restore.dismiss': ({ restoreId }) => { restores.dismiss(restoreId) },
  }
}

/** Without any password the storage alone is tried; a repository that is there then answers with `password`. */
function test({ store, secrets, test: ports }: JobHandlerPorts, destination: Destination, input: SecretsInput, jobId: string | undefined) {
  const kept = jobId === undefined ? undefined : secrets.get(store.get(jobId).id)
  const merged = mergeSecrets(kept, { password: kept?.password ?? '', ...input })
  return testDestination(destination, merged ?? { password: '', storage: {} }, ports)
}
