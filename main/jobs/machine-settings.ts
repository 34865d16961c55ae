import { homedir } from 'node:os'
import type { BackupJob } from '../../engine/protocol/job.ts'
import { writeMachineSettings } from '../../engine/protocol/machine-settings.ts'
import type { JobRecord } from './store.ts'

type OneJob = Pick<JobRecord, 'config' | 'host'>

/** A backup that keeps all jobs which go to the same place in their repository, so that another computer can go on with them. */
export function withMachineSettings(job: BackupJob, record: OneJob, all: readonly OneJob[], home = homedir()): BackupJob {
  const place = JSON.stringify(record.config.destination)
  const jobs = all.filter(({ config }) => JSON.stringify(config.destination) === place).map(({ config, host }) => {
    const { name, sources, excludes, schedule, retention, concurrency, uploadBytesPerSecond, conditions } = config
    return {
      name, sources, excludes, schedule, concurrency, ...(host !== undefined && { host }), ...(retention && { retention }), ...(uploadBytesPerSecond !== undefined && { uploadBytesPerSecond }), ...(conditions && { conditions: { ...conditions } }),
    }
  })
  return { ...job, machineSettings: writeMachineSettings({ home, jobs }) }
}
