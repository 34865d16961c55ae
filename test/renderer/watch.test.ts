import type { Page } from 'playwright-core'
import { beforeAll, beforeEach, expect, test } from 'vitest'
import { personAtWindow } from './harness/person.ts'
import type { TestWindow } from './harness/window.ts'

const person = personAtWindow()
const { button, goTo, requests: calls } = person
let window: TestWindow
let page: Page

beforeAll(() => { ({ window, page } = person) })

beforeEach(() => page.setViewportSize({ width: 900, height: 600 }))

async function holdJob(): Promise<void> {
  await window.open('idle')
  await page.evaluate(() => {
    globalThis.window.fake.changeJob('j3', (one) => ({ ...one, hold: { since: 'Virtual machines@12', reasons: [{ code: 'scrambled', files: 4120, bytes: 9e9, of: 5000 }] } }))
  })
}

test('a job that is held for an unusual change says so in words, in the list and on its page, and is released by one action', async () => {
  await holdJob()
  await button('Open Virtual machines: Held: an unusual change').waitFor()
  await goTo('Virtual machines')
  const banner = page.getByRole('status').filter({ hasText: 'An unusual change' })
  await banner.getByText('As many as 4,120 of 5,000 files look encrypted now and did not before. Since Virtual machines@12 nothing older is let go.').waitFor()
  await button('It is fine, go on…').click()
  await page.getByText('“Virtual machines” is no longer held').waitFor()
  expect(await calls('job.acknowledge')).toEqual([{ jobId: 'j3' }])
  await expect.poll(() => banner.count()).toBe(0)
})

test('a no in the dialog of main leaves the job held', async () => {
  await holdJob()
  await page.evaluate(() => { globalThis.window.fake.failures.set('job.acknowledge', { code: 'aborted', message: 'raw', retryable: false, data: { declined: true } }) })
  await goTo('Virtual machines')
  await button('It is fine, go on…').click()
  await expect.poll(() => calls('job.acknowledge')).toHaveLength(1)
  await button('It is fine, go on…').waitFor()
  expect(await page.getByText('no longer held').count()).toBe(0)
})

test('what is held of another computer that goes to the same place says who, what and since when, and is released by itself', async () => {
  await holdJob()
  await page.evaluate(() => {
    const reasons = [{ code: 'removed' as const, files: 900, bytes: 9e9, of: 1000 }]
    globalThis.window.fake.changeJob('j3', (one) => ({ ...one, otherHolds: [{ job: 'photos', host: 'lap\u202etop', since: 'photos@7', sinceMs: Date.now() - 60_000, reasons }, { job: 'photos', host: 'attic', since: 'photos@2', reasons }] }))
  })
  await goTo('Virtual machines')
  const banner = page.getByRole('status').filter({ hasText: 'An unusual change on another computer: “photos” on lap\\u202etop' })
  await banner.getByText(/^As many as 900 of 1,000 files are gone\. Since photos@7 \((Today|Yesterday) \d\d:\d\d\) nothing older of it is let go, and no space is freed at the destination\. Ask whoever works there/).waitFor()
  await page.getByText(/Since photos@2 nothing older of it is let go/).waitFor()
  await page.getByRole('button', { name: '“photos” on lap\\u202etop is fine…' }).focus()
  await page.keyboard.press('Enter')
  await page.getByText('“photos” on lap\\u202etop is no longer held').waitFor()
  expect(await calls('job.acknowledge')).toEqual([{ jobId: 'j3', of: { job: 'photos', host: 'lap\u202etop' } }])
  await expect.poll(() => banner.count()).toBe(0)
  await button('“photos” on attic is fine…').waitFor()
  await button('It is fine, go on…').waitFor()
})

test('backups that have not come for long are told above every page, until somebody dismisses it', async () => {
  await window.open('idle')
  await page.evaluate(() => {
    globalThis.window.fake.change({ notices: [{ id: 'late', type: 'late', late: [{ job: 'photos', host: 'lap\u202etop', days: 20 }, { job: 'Documents', days: 9 }] }] })
  })
  // The home page tells of those of this computer in its own words.
  await page.getByText('photos on lap\\u202etop: 20 days.').waitFor()
  await goTo('Settings')
  await page.getByText('photos on lap\\u202etop: 20 days; Documents: 9 days.').waitFor()
  await page.getByText('2 backups have not come for long').waitFor()
  await button('Dismiss').click()
  expect(await calls('notice.dismiss')).toEqual([{ id: 'late' }])
})

test('what the destination has left is told with the last result, and how much is missing where it cannot fit', async () => {
  await window.open('idle')
  await page.evaluate(() => {
    const { fake } = globalThis.window
    fake.changeJob('j3', (one) => ({ ...one, ...(one.lastRun && { lastRun: { ...one.lastRun, space: { freeBytes: 48e9, fullMs: Date.now() + 12 * 86_400_000 } } }) }))
  })
  await goTo('Virtual machines')
  await page.getByText(/^48(?:\.0)? GB left at the destination; at this rate full in about 12 days$/).waitFor()
  await page.evaluate(() => {
    const { fake } = globalThis.window
    fake.changeJob('j3', (one) => ({ ...one, ...(one.lastRun && { lastRun: { ...one.lastRun, outcome: 'failed', error: { code: 'full', message: 'raw', retryable: false, data: { place: 'destination', missingBytes: 14.2e9, freeBytes: 1e9 } } } }) }))
  })
  await page.getByText(/^The destination needs about 14\.2 GB more$/).waitFor()
})
