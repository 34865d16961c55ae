import { describe, expect, test } from 'vitest'
import type { Api, Bridge, Channel, EntryView, Reply } from '../../../main/api/contract.ts'
import { AppStore } from '../../../renderer/state/app-store.svelte.ts'
import { Browser } from '../../../renderer/state/browser.svelte.ts'
import { runHistory } from '../../../renderer/state/history.ts'
import { Loader } from '../../../renderer/state/loader.svelte.ts'
import { Toasts } from '../../../renderer/state/toasts.svelte.ts'
import { error, FakeApi } from '../fake-api.ts'

const now = 1_800_000_000_000

describe('the picture of main', () => {
  test('is asked for once and then follows what main pushes', async () => {
    const api = new FakeApi('busy', now)
    const store = new AppStore(api)
    const end = store.start()
    await expect.poll(() => store.app).toBeDefined()
    expect(store.run(store.job('j1')?.runId)?.jobId).toBe('j1')
    api.changeJob('j1', (job) => ({ ...job, state: 'paused' }))
    expect(store.job('j1')?.state).toBe('paused')
    api.advance(10)
    expect(store.live.bytesPerSecond).toBeGreaterThan(0)
    end()
    api.changeJob('j1', (job) => ({ ...job, state: 'running' }))
    expect(store.job('j1')?.state).toBe('paused')
  })

  test('a failure is kept until the next try', async () => {
    const store = new AppStore(new FakeApi('broken', now))
    await store.load()
    expect(store.error?.code).toBe('internal')
    await store.load()
    expect([store.error, store.app?.jobs.length]).toEqual([undefined, 4])
  })
})

describe('browsing', () => {
  const named = (browser: Browser, shown: string): EntryView => browser.entries.find((entry) => entry.shown === shown)!

  test('shows a folder page by page, with exact paths', async () => {
    const api = new FakeApi('idle', now)
    const browser = new Browser(api, { jobId: 'j1' }, 'Documents@128')
    await browser.goUp(0)
    await browser.enter(named(browser, 'Documents'))
    await browser.enter(named(browser, '2026'))
    expect([browser.entries.length, browser.more]).toEqual([200, true])
    await browser.loadMore()
    expect(browser.entries.length).toBe(400)
    expect(new Set(browser.entries.map((entry) => entry.shown)).size).toBe(400)
    expect(api.calls.at(-1)?.request).toMatchObject({ path: new TextEncoder().encode('Documents/2026'), after: new TextEncoder().encode('scan-0199.pdf') })
    await browser.goUp(1)
    expect(browser.steps.map((step) => step.shown)).toEqual(['Documents'])
  })

  test('an answer for a folder that was left is ignored', async () => {
    const late = new LateBridge()
    const browser = new Browser(late, { jobId: 'j1' }, 's')
    const first = browser.goUp(0)
    const second = browser.enter({ name: Uint8Array.of(97), shown: 'a', type: 'directory', mtimeMs: 0 })
    late.answer(1, 'in a')
    late.answer(0, 'in the root')
    await Promise.all([first, second])
    expect(browser.entries.map((entry) => entry.shown)).toEqual(['in a'])
  })

  test('an error of a later page keeps the pages before, and can be tried again', async () => {
    const api = new FakeApi('idle', now)
    const browser = new Browser(api, { jobId: 'j1' }, 's')
    await browser.goUp(0)
    await browser.enter(named(browser, 'Documents'))
    await browser.enter(named(browser, '2026'))
    api.failures.set('browse.list', error('offline'))
    await browser.loadMore()
    expect([browser.error?.code, browser.entries.length]).toEqual(['offline', 200])
    await browser.retry()
    expect([browser.error, browser.entries.length]).toEqual([undefined, 400])
  })
})

test('history is read page by page and refreshed from the top', async () => {
  const api = new FakeApi('idle', now)
  const history = runHistory(api, 'j1')
  await history.restart()
  expect([history.items?.length, history.more]).toEqual([20, true])
  await history.loadMore()
  await history.loadMore()
  await history.loadMore()
  expect([history.items?.length, history.more]).toEqual([46, false])
  await history.restart()
  expect(history.items?.length).toBe(20)
})

test('of several requests the last one counts', async () => {
  const loader = new Loader<number>()
  const slow = Promise.withResolvers<Reply<number>>()
  const first = loader.load(() => slow.promise)
  await loader.load(async () => ({ ok: true, value: 2 }))
  slow.resolve({ ok: true, value: 1 })
  expect([await first, loader.value, loader.busy]).toEqual([undefined, 2, false])
})

test('bad news stay until they are closed, the same news are shown once', () => {
  const toasts = new Toasts()
  toasts.bad(error('busy'))
  toasts.bad(error('busy'))
  expect(toasts.list.map((toast) => toast.title)).toEqual(['It is running already'])
  toasts.close(toasts.list[0]!.id)
  expect(toasts.list).toEqual([])
})

/** Answers when the test says so. */
class LateBridge implements Bridge {
  readonly #asked: ((reply: Reply<ReturnType<Api['browse.list']>>) => void)[] = []

  invoke<C extends Channel>(): Promise<Reply<ReturnType<Api[C]>>> {
    const asked = Promise.withResolvers<Reply<ReturnType<Api['browse.list']>>>()
    this.#asked.push(asked.resolve)
    return asked.promise as Promise<Reply<ReturnType<Api[C]>>>
  }

  subscribe(): () => void {
    return () => undefined
  }

  answer(index: number, shown: string): void {
    const entry: EntryView = { name: Uint8Array.of(98), shown, type: 'file', mtimeMs: 0 }
    this.#asked[index]?.({ ok: true, value: { entries: [entry], more: false } })
  }
}
