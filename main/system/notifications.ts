import { Notification } from 'electron'
import type { Route } from '../api/contract.ts'
import type { Announcement } from './announcements.ts'

/** Shown notifications stay referenced, or their click would be lost with the object. */
const maxShown = 20

/** Shows announcements where the desktop can; a click leads to their route. */
export class Notifications {
  readonly #shown: Notification[] = []
  readonly #onClick: (route: Route) => void

  constructor(onClick: (route: Route) => void) {
    this.#onClick = onClick
  }

  /** @returns whether there was something to show */
  show(announcement: Announcement | undefined): boolean {
    if (announcement) this.#show(announcement)
    return announcement !== undefined
  }

  #show({ title, body, urgent, route }: Announcement): void {
    if (!Notification.isSupported()) return
    const notification = new Notification({ title, body, urgency: urgent ? 'critical' : 'normal' })
    notification.on('click', () => { this.#onClick(route) })
    this.#shown.push(notification)
    if (this.#shown.length > maxShown) this.#shown.shift()
    notification.show()
  }
}
