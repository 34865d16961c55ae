import type { MissingAccount } from '../api/contract.ts'
import type { JobStore } from '../jobs/store.ts'
import type { SecretStore } from '../settings/secrets.ts'
import type { RunPorts } from './active-run.ts'
import type { EngineStarter } from './backups.ts'
import type { RunHistory } from './history.ts'
import type { Disks } from '../repositories/disks.ts'
import type { RunQueue } from './queue.ts'

/** What care and copies work with, which run by themselves behind everything else. */
export interface QuietPorts extends RunPorts {
  readonly store: JobStore
  readonly history: RunHistory
  readonly secrets: Pick<SecretStore, 'get'>
  readonly engines: EngineStarter
  readonly queue: RunQueue
  readonly missingAccount: (address: string) => MissingAccount | undefined
  readonly disks: Pick<Disks, 'awaited'>
  readonly home: string
}
