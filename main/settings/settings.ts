import * as v from 'valibot'
import type { SettingsChange, SettingsView } from '../api/contract.ts'
import { limitTimesSchema } from '../api/schemas.ts'
import { languages } from '../text/language.ts'
import type { Pause } from '../runs/pause.ts'
import { VersionedFile } from './versioned-file.ts'

/** What the settings file keeps. */
export type Settings = Omit<SettingsView, 'secretStorage' | 'autoStartSupported' | 'autoStart'> & {
  /** The first successful backup was announced. */
  readonly firstSuccessShown: boolean
  /** Types of notices that are told once and were dismissed. */
  readonly dismissed: readonly string[]
  readonly windowBounds?: WindowBounds
  readonly pause?: Pause
  /** When it was told last that backups wait for their conditions, ms since 1970. */
  readonly overdueToldMs?: number
}

export interface WindowBounds {
  readonly x?: number
  readonly y?: number
  readonly width: number
  readonly height: number
}

const whole = v.pipe(v.number(), v.safeInteger())
const rate = v.pipe(whole, v.minValue(1))

const schema: v.GenericSchema<unknown, Settings> = v.object({
  language: v.optional(v.picklist(['system', ...languages]), 'system'),
  theme: v.picklist(['system', 'light', 'dark']),
  notifications: v.picklist(['all', 'failures', 'none']),
  parallelJobs: v.pipe(whole, v.minValue(1), v.maxValue(8)),
  defaultConcurrency: v.pipe(whole, v.minValue(1), v.maxValue(32)),
  uploadBytesPerSecond: v.exactOptional(rate),
  downloadBytesPerSecond: v.exactOptional(rate),
  limitTimes: v.exactOptional(limitTimesSchema),
  firstSuccessShown: v.boolean(),
  dismissed: v.array(v.string()),
  windowBounds: v.exactOptional(v.object({ x: v.exactOptional(whole), y: v.exactOptional(whole), width: whole, height: whole })),
  pause: v.exactOptional(v.object({ sinceMs: whole, untilMs: v.exactOptional(whole) })),
  overdueToldMs: v.exactOptional(whole),
})

const defaults: Settings = {
  language: 'system',
  theme: 'system',
  notifications: 'all',
  parallelJobs: 2,
  defaultConcurrency: 4,
  firstSuccessShown: false,
  dismissed: [],
}

export function openSettings(path: string, now: () => number): VersionedFile<Settings> {
  return new VersionedFile({ path, schema, migrations: [], initial: defaults, now })
}

/** The pause of everything, kept in the settings. */
export function pauseIn(file: VersionedFile<Settings>) {
  return {
    get: (): Pause | undefined => file.value.pause,
    set: (pause: Pause | undefined): void => {
      const { pause: _before, ...rest } = file.value
      void file.set({ ...rest, ...(pause && { pause }) })
    },
  }
}

export function overdueToldIn(file: VersionedFile<Settings>) {
  return {
    get: (): number | undefined => file.value.overdueToldMs,
    set: (overdueToldMs: number): void => { void file.set({ ...file.value, overdueToldMs }) },
  }
}

/** Absent keys stay; `null` takes a limit away. */
export function applyChange(settings: Settings, change: SettingsChange): Settings {
  const { uploadBytesPerSecond: up, downloadBytesPerSecond: down, autoStart: _elsewhere, ...plain } = change
  const { uploadBytesPerSecond: oldUp, downloadBytesPerSecond: oldDown, ...kept } = settings
  const newUp = up === undefined ? oldUp : up
  const newDown = down === undefined ? oldDown : down
  return {
    ...kept,
    ...plain,
    ...(typeof newUp === 'number' && { uploadBytesPerSecond: newUp }),
    ...(typeof newDown === 'number' && { downloadBytesPerSecond: newDown }),
  }
}
