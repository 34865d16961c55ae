import type { Page } from 'playwright-core'
import { beforeAll, beforeEach, expect, test } from 'vitest'
import { personAtWindow } from './harness/person.ts'
import type { TestWindow } from './harness/window.ts'

const person = personAtWindow()
const { button, requests } = person
let window: TestWindow
let page: Page

beforeAll(() => { ({ window, page } = person) })
beforeEach(() => page.setViewportSize({ width: 900, height: 900 }))

async function openWarnings(): Promise<void> {
  await window.open('idle')
  await person.goTo('Photos')
  await page.getByRole('button', { name: /Show details/ }).first().click()
  await page.getByRole('heading', { name: 'Could not be read (1)' }).waitFor()
}

test('warnings are told by their cause, and what nobody needs is left out with one click, and a yes', async () => {
  await openWarnings()
  for (const cause of ['Changed while it was being read (1)', 'Disappeared while it was being read (1)']) await page.getByRole('heading', { name: cause }).waitFor()
  await button('Leave out…, /home/mia/Photos/.thumbnails/locked.db').click()
  await page.getByText('“Photos” leaves it out from now on').waitFor()
  expect(await requests('job.update')).toMatchObject([{ jobId: 'j2', config: { name: 'Photos', sources: [{ id: '/home/mia/Photos' }], excludes: { patterns: ['/.thumbnails/locked.db'] } }, secrets: {} }])
  // What is left out already is not offered again; the others still are.
  await expect.poll(() => button('Leave out…, /home/mia/Photos/.thumbnails/locked.db').count()).toBe(0)
  expect(await page.getByRole('button', { name: /^Leave out…/ }).count()).toBe(2)
  expect(window.complaints).toEqual([])
})

test('nothing changes where somebody says no', async () => {
  await openWarnings()
  await page.evaluate(() => { globalThis.window.fake.failures.set('job.update', { code: 'aborted', message: 'x', retryable: false, data: { declined: true } }) })
  await button('Leave out…, /home/mia/Photos/.thumbnails/locked.db').click()
  await expect.poll(() => requests('job.update')).toHaveLength(1)
  await button('Leave out…, /home/mia/Photos/.thumbnails/locked.db').waitFor()
  expect(await page.getByText('leaves it out from now on').count()).toBe(0)
})
