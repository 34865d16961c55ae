import * as v from 'valibot'
import type { ExcludeRules, RetentionPolicy } from './job.ts'
import { scheduleSchema, type Schedule } from './schedule.ts'

/** A backup job as it is kept in its own repository, for another machine to take up: no address, no secrets. */
export interface PortableJob {
  readonly name: string
  /** The machine's name in its snapshots, where it is not the system's. */
  readonly host?: string
  /** Absolute paths on that machine. */
  readonly sources: readonly string[]
  readonly excludes: ExcludeRules
  readonly schedule: Schedule
  /** Absent: nobody had chosen, or it was kept by a version that did not keep it. So are the others. */
  readonly retention?: RetentionPolicy
  /** Uploads at a time. */
  readonly concurrency?: number
  readonly uploadBytesPerSecond?: number
  /** When it may run, in JSON of the app, which alone knows what it means. */
  readonly conditions?: Readonly<Record<string, unknown>>
}

/** What a machine leaves in a repository; see `machineSettings` of a backup job. */
export interface PortableSettings {
  /** The person's own folder there: on another machine it is another one. */
  readonly home: string
  /** Those that go to this repository. */
  readonly jobs: readonly PortableJob[]
}

const text = v.pipe(v.string(), v.maxLength(4096))
const amount = v.exactOptional(v.pipe(v.number(), v.safeInteger(), v.minValue(1)))
const schema = v.pipe(v.string(), v.parseJson(), v.object({
  version: v.literal(1),
  home: text,
  jobs: v.pipe(v.array(v.object({
    name: v.pipe(v.string(), v.regex(/^[A-Za-z0-9 ._-]{1,64}$/)),
    host: v.exactOptional(v.pipe(v.string(), v.minLength(1), v.maxLength(255))),
    sources: v.pipe(v.array(text), v.minLength(1), v.maxLength(10_000)),
    excludes: v.object({
      patterns: v.array(text),
      presets: v.array(v.picklist(['caches', 'trash', 'node_modules', 'nobackup', 'cachedir', 'nodump'])),
      largerThanBytes: v.exactOptional(v.pipe(v.number(), v.safeInteger(), v.minValue(0))),
      oneFileSystem: v.boolean(),
    }),
    schedule: scheduleSchema,
    retention: v.exactOptional(v.object({ last: amount, hourly: amount, daily: amount, weekly: amount, monthly: amount, yearly: amount, withinMs: amount, budgetBytes: amount })),
    concurrency: amount,
    uploadBytesPerSecond: amount,
    conditions: v.exactOptional(v.record(v.string(), v.unknown())),
  })), v.maxLength(1000)),
}))

/** The same settings give the same text, so that nothing is written where nothing changed. */
export function writeMachineSettings({ home, jobs }: PortableSettings): string {
  const sorted = jobs.toSorted((a, b) => (a.name < b.name ? -1 : 1))
  return JSON.stringify({ version: 1, home, jobs: sorted.map(inOrder) })
}

function inOrder({ name, host, sources, excludes, schedule, retention, concurrency, uploadBytesPerSecond, conditions }: PortableJob): PortableJob {
  return {
    name, ...(host === undefined ? {} : { host }), sources, excludes, schedule, ...(retention === undefined ? {} : { retention }),
    ...(concurrency === undefined ? {} : { concurrency }), ...(uploadBytesPerSecond === undefined ? {} : { uploadBytesPerSecond }), ...(conditions === undefined ? {} : { conditions }),
  }
}

/** Undefined: damaged, or of a later version. */
export function readMachineSettings(settings: string): PortableSettings | undefined {
  const parsed = v.safeParse(schema, settings)
  return parsed.success ? { home: parsed.output.home, jobs: parsed.output.jobs } : undefined
}

/** A path on the machine that the settings are of, as it is called where the person's own folder is another; other paths stay. */
export function atHome(path: string, from: string, to: string): string {
  if (path === from) return to
  return from !== '' && from !== '/' && path.startsWith(`${from}/`) ? to + path.slice(from.length) : path
}
