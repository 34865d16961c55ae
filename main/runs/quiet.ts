import type { Settings } from '../settings/settings.ts'
import { announceCare, announceCopy } from '../system/announcements.ts'
import type { Notifications } from '../system/notifications.ts'
import { Care, type CarePorts } from './care.ts'
import { Copies, type CopiesPorts } from './copies.ts'

type Ports = Omit<CarePorts, 'onEnded'> & Omit<CopiesPorts, 'onEnded'>

/** What runs by itself behind everything else, and speaks up only where somebody has to do something. */
export function openQuiet(ports: Ports, settings: { readonly value: Settings }, notifications: Pick<Notifications, 'show'>): { readonly care: Care; readonly copies: Copies } {
  return {
    care: new Care({
      ...ports,
      onEnded: (run, { config: { name } }, before, copy) => {
        notifications.show(announceCare(run, before, copy ? { copyOf: name } : { name }, settings.value.notifications))
      },
    }),
    copies: new Copies({
      ...ports,
      onEnded: (run, { config }, before) => { notifications.show(announceCopy(run, before, config.name, settings.value.notifications)) },
    }),
  }
}
