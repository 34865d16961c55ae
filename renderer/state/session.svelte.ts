import { getContext, setContext } from 'svelte'
import type { Api, Bridge, Channel, PlaceRef, Response } from './bridge.ts'
import { Baskets, mostItems, type BasketItem } from './basket.svelte.ts'
import { AppStore } from './app-store.svelte.ts'
import { isDeclined } from './declined.ts'
import { Clock } from './clock.svelte.ts'
import { Router } from './router.svelte.ts'
import { basketWords } from '../text/basket.ts'
import { Toasts } from './toasts.svelte.ts'

const key = Symbol('session')

/** What every view shares. */
export class Session {
  readonly bridge: Bridge
  readonly store: AppStore
  readonly router = new Router()
  readonly toasts = new Toasts()
  readonly clock = new Clock()
  readonly baskets = new Baskets()

  constructor(bridge: Bridge) {
    this.bridge = bridge
    this.store = new AppStore(bridge)
  }

  start(): () => void {
    const ends = [
      this.store.start(),
      this.clock.start(),
      this.bridge.subscribe('navigate', (route) => this.router.go(route)),
    ]
    return () => {
      for (const end of ends) end()
    }
  }

  /** Puts something into the restore list of a place, and says so. */
  gather(place: PlaceRef, items: readonly BasketItem[]): void {
    const basket = this.baskets.of(place)
    const left = basket.add(items)
    if (left > 0) this.toasts.problem(basketWords.full(left, mostItems))
    else this.toasts.good(basketWords.added(basket.items.length))
  }

  /** Sends an intent. A failure is shown as a toast and answered with nothing; so is a no in main's own dialog, without a toast. */
  async intend<C extends Channel>(channel: C, ...request: Parameters<Api[C]>): Promise<{ readonly value: Response<C> } | undefined> {
    const reply = await this.bridge.invoke(channel, ...request)
    if (reply.ok) return { value: reply.value }
    if (!isDeclined(reply.error)) this.toasts.bad(reply.error)
    return undefined
  }
}

export function shareSession(session: Session): void {
  setContext(key, session)
}

export function useSession(): Session {
  return getContext<Session>(key)
}
