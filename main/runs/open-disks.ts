import type { App } from 'electron'
import { Disks, type DisksPorts } from '../repositories/disks.ts'
import type { Settings } from '../settings/settings.ts'
import { announceSafe } from '../system/disk-announcements.ts'
import { attachedDrives, drivesForBackups, systemFacts, type SizedDrive } from '../system/drives.ts'
import { flushFileSystem } from '../system/flush.ts'
import type { Notifications } from '../system/notifications.ts'
import { isForTests } from '../system/runtime.ts'
import type { Timers } from '../system/timers.ts'

export interface OpenDisksPorts extends Pick<DisksPorts, 'store' | 'secrets' | 'queue' | 'onChange' | 'onMoved'> {
  readonly timers: Pick<Timers, 'now'>
  readonly settings: { readonly value: Pick<Settings, 'notifications'> }
  readonly notifications: Pick<Notifications, 'show'>
  readonly app: Pick<App, 'isPackaged' | 'getVersion'>
}

/** The disks of this computer: those that repositories are on, and those that could be chosen. */
export function openDisks({ app, timers, settings, notifications, ...ports }: OpenDisksPorts): { readonly disks: Disks; readonly drives: () => Promise<readonly SizedDrive[]> } {
  // A test may put a folder in place of what the system says.
  const facts = systemFacts(isForTests(app) ? process.env['HOLDFAST_TEST_DRIVES'] : undefined)
  const disks = new Disks({
    ...ports,
    now: () => timers.now(),
    attached: () => attachedDrives(facts),
    mounts: () => facts.mounts(),
    flush: (folder) => flushFileSystem(folder),
    onSafe: (disk, { id, config: { name } }) => { notifications.show(announceSafe({ disk, jobId: id, jobName: name }, settings.value.notifications)) },
  })
  return { disks, drives: () => drivesForBackups(facts) }
}
