import { homedir } from 'node:os'
import { Uncovered } from '../jobs/uncovered.ts'
import { Whereabouts } from '../repositories/whereabouts.ts'
import type { Settings } from '../settings/settings.ts'
import type { VersionedFile } from '../settings/versioned-file.ts'
import { announceCare, announceCopy } from '../system/announcements.ts'
import { diskOf } from '../system/disks.ts'
import type { Notifications } from '../system/notifications.ts'
import { Care, type CarePorts } from './care.ts'
import { Copies, type CopiesPorts } from './copies.ts'

type Ports = Omit<CarePorts, 'onEnded'> & Omit<CopiesPorts, 'onEnded'>

/** What runs by itself behind everything else, and speaks up only where somebody has to do something. */
export function openQuiet(ports: Ports, settings: Pick<VersionedFile<Settings>, 'value' | 'set'>, notifications: Pick<Notifications, 'show'>) {
  const copies = new Copies({
    ...ports,
    onEnded: (run, { config }, before) => {
      notifications.show(announceCopy(run, before, config.name, settings.value.notifications))
      void whereabouts.refresh()
    },
  })
  const whereabouts = new Whereabouts({ ...ports, copies, diskOf, isDismissed: (key) => settings.value.dismissed.includes(key) })
  const dismiss = (key: string): void => { void settings.set({ ...settings.value, dismissed: [...settings.value.dismissed, key] }) }
  void whereabouts.refresh()
  return {
    copies,
    whereabouts,
    dismiss,
    uncovered: new Uncovered({ ...ports, home: homedir(), now: () => ports.timers.now(), isDismissed: (key) => settings.value.dismissed.includes(key), dismiss }),
    care: new Care({
      ...ports,
      onEnded: (run, { config: { name } }, before, copy) => {
        notifications.show(announceCare(run, before, copy ? { copyOf: name } : { name }, settings.value.notifications))
      },
    }),
  }
}
