import type { Page } from 'playwright-core'
import { afterAll, beforeAll } from 'vitest'
import type { Channel } from '../../../main/api/contract.ts'
import { openTestWindow, type TestWindow } from './window.ts'

/** What a person sees and does in the window that the tests of one file share; it is there from the first test on. */
export interface Person {
  readonly window: TestWindow
  readonly page: Page
  readonly button: (name: string | RegExp) => ReturnType<Page['getByRole']>
  readonly goTo: (name: string) => Promise<void>
  /** The requests of a kind that the window has sent, oldest first. */
  readonly requests: (channel: Channel) => Promise<unknown[]>
}

/** Opens the window before the tests of this file, and closes it after them. */
export function personAtWindow(): Person {
  let window: TestWindow
  beforeAll(async () => {
    window = await openTestWindow()
    window.page.setDefaultTimeout(30_000)
    await window.page.setViewportSize({ width: 900, height: 600 })
  })
  afterAll(() => window[Symbol.asyncDispose]())
  return {
    get window() { return window },
    get page() { return window.page },
    button: (name) => window.page.getByRole('button', { name, exact: true }),
    goTo: (name) => window.page.getByRole('navigation', { name: 'Pages' }).getByRole('button', { name, exact: true }).click(),
    requests: (channel) => window.page.evaluate((wanted) => globalThis.window.fake.calls.filter((call) => call.channel === wanted).map((call) => call.request), channel),
  }
}
