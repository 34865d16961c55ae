import * as v from 'valibot'
import { atHome, readMachineSettings, type PortableJob, type PortableSettings } from '../../engine/protocol/machine-settings.ts'
import type { MachineRecord } from '../../engine/protocol/messages.ts'
import type { Destination, JobConfig, MachineJobView, MachineView } from '../api/contract.ts'
import { storedConfig } from '../api/schemas.ts'
import { configProblem } from '../jobs/engine-jobs.ts'

/** What decides how the jobs of another computer are taken up by this one. */
export interface Here {
  readonly home: string
  /** The computer's name. */
  readonly host: string
  /** Where the jobs go: the repository that they were found in. */
  readonly destination: Destination
  /** Names of the jobs that are here. */
  readonly names: readonly string[]
  /** Uploads at a time, where a job does not say. */
  readonly concurrency: number
}

/** A job of another computer as it would be one of this computer. */
export interface Arrival {
  readonly name: string
  /** The computer's name in its snapshots there. */
  readonly host: string
  /** Absent: it cannot be one here. */
  readonly config?: JobConfig
  readonly problem?: MachineJobView['problem']
}

/** Undefined: they are damaged, or of a later version of Holdfast. */
export function arrivalsOf(machine: MachineRecord, here: Here): readonly Arrival[] | undefined {
  const settings = readMachineSettings(machine.settings)
  return settings?.jobs.map((job) => arrivalOf(job, { machine, settings, here }))
}

interface Journey {
  readonly machine: MachineRecord
  readonly settings: PortableSettings
  readonly here: Here
}

/** Nothing of it is trusted: whatever a job file would not take is no job here. */
function arrivalOf(job: PortableJob, { machine, settings, here }: Journey): Arrival {
  const { name, excludes, schedule, retention, uploadBytesPerSecond, conditions, concurrency = here.concurrency } = job
  const arrival = { name, host: job.host ?? machine.host }
  const sources = job.sources.map((path) => atHome(path, settings.home, here.home))
  const terms = { ...(retention && { retention }), ...(uploadBytesPerSecond !== undefined && { uploadBytesPerSecond }), ...(conditions && { conditions }) }
  const kept = v.safeParse(storedConfig, { name, sources, excludes, schedule, concurrency, ...terms })
  if (!kept.success) return { ...arrival, problem: 'unusable' }
  const config: JobConfig = { ...kept.output, destination: here.destination }
  const wrong = configProblem(config)
  if (wrong) return { ...arrival, problem: wrong === 'destination' ? 'inside' : 'unusable' }
  const taken = here.names.some((one) => one.toLowerCase() === name.toLowerCase())
  return { ...arrival, config, ...(taken && { problem: 'taken' as const }) }
}

/** More sources are not looked for: they count as there. */
const mostLooked = 2000

/** What the window shows of a machine. @param exists whether a folder is here */
export async function machineView(id: string, machine: MachineRecord, here: Here, exists: (path: string) => Promise<boolean>): Promise<MachineView> {
  const { host, user, savedMs } = machine
  const settings = readMachineSettings(machine.settings)
  const view: MachineView = { id, host, user, savedMs, sameHost: host === here.host }
  if (!settings) return view
  const moved = settings.home !== here.home && settings.jobs.some(({ sources }) => sources.some((path) => atHome(path, settings.home, here.home) !== path))
  const arrivals = arrivalsOf(machine, here) ?? []
  const paths = [...new Set(arrivals.flatMap(({ config }) => config?.sources ?? []))].slice(0, mostLooked)
  const missing = new Set((await Promise.all(paths.map(async (path) => ((await exists(path)) ? [] : [path])))).flat())
  const jobs = settings.jobs.map((job, at): MachineJobView => {
    const { name, schedule, retention } = job
    const problem = arrivals[at]?.problem
    const sources = job.sources.slice(0, mostLooked).map((there) => {
      const path = atHome(there, settings.home, here.home)
      return { there, here: path, exists: !missing.has(path) }
    })
    return { name, schedule, sources, ...(retention && { retention }), ...(problem && { problem }) }
  })
  return { ...view, jobs, ...(moved && { home: { from: settings.home, to: here.home } }) }
}
