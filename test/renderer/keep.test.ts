import type { Page } from 'playwright-core'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import type { Channel, Request } from '../../main/api/contract.ts'
import { defaultRetention } from '../../main/api/retention.ts'
import { openTestWindow, type TestWindow } from './harness/window.ts'

let window: TestWindow
let page: Page

beforeAll(async () => {
  window = await openTestWindow()
  page = window.page
  page.setDefaultTimeout(5_000)
})

afterAll(() => window[Symbol.asyncDispose]())

beforeEach(() => page.setViewportSize({ width: 900, height: 600 }))

const button = (name: string | RegExp) => page.getByRole('button', { name, exact: true })
const menuItem = (name: string) => page.getByRole('menuitem', { name, exact: true })
const keep = (name: string) => page.getByRole('radiogroup', { name: 'Snapshots to keep' }).getByRole('radio', { name, exact: true })
const goTo = (name: string) => page.getByRole('navigation', { name: 'Pages' }).getByRole('button', { name, exact: true }).click()
const calls = (channel: Channel) => page.evaluate((wanted) => globalThis.window.fake.calls.filter((call) => call.channel === wanted).map((call) => call.request), channel)
const kept = async () => (await calls('job.update') as readonly Request<'job.update'>[]).map(({ config }) => config.retention)

async function edit(): Promise<void> {
  await goTo('Documents')
  await button('More actions').click()
  await menuItem('Edit job').click()
}

test('a new job says in one sentence what it keeps', async () => {
  await window.open('first-run')
  await button('Back up this computer').click()
  await button('All settings').click()
  await page.getByText(/^All of the last 2 days stay, then one a day for 30 days, one a week for 12 weeks/).waitFor()
  expect(await keep('Usual').isChecked()).toBe(true)
  expect(await keep('Not chosen').count()).toBe(0)
})

test('a job of before stays as it is until somebody chooses; own numbers are checked where they are typed', async () => {
  await window.open('idle')
  await edit()
  expect(await keep('Not chosen').isChecked()).toBe(true)
  await button('Save').click()
  await expect.poll(kept).toEqual([undefined])
  await edit()
  await keep('Own numbers').check()
  const last = page.getByRole('textbox', { name: 'The last', exact: true })
  for (const name of ['Daily', 'Weekly', 'Monthly', 'Yearly', 'All of the last']) await page.getByRole('textbox', { name, exact: true }).fill('')
  await last.fill('0')
  await button('Save').click()
  await page.getByText('Choose a number from 1 to 9999.').waitFor()
  await last.fill('2')
  await button('Save').click()
  await expect.poll(kept).toEqual([undefined, { last: 2 }])
  await edit()
  expect([await keep('Own numbers').isChecked(), await last.inputValue(), await keep('Not chosen').count()]).toEqual([true, '2', 0])
  await keep('Usual').check()
  await button('Save').click()
  await expect.poll(kept).toEqual([undefined, { last: 2 }, defaultRetention])
})

test('an existing job shows what rules would do before they are saved, until they are changed', async () => {
  await window.open('idle')
  await edit()
  expect(await button('Preview').count()).toBe(0)
  await keep('Own numbers').check()
  const last = page.getByRole('textbox', { name: 'The last', exact: true })
  await last.fill('all')
  await button('Preview').click()
  await page.getByText('Choose a number from 1 to 9999.').waitFor()
  await last.fill('7')
  await button('Preview').click()
  const status = page.getByRole('status').filter({ hasText: /^7 snapshots stay, the oldest made .*\. 4 would be removed, which frees about 1\.20 GB\.$/ })
  await status.waitFor()
  await page.getByText('Which?').click()
  const rows = page.getByRole('list', { name: 'Which?' }).getByRole('listitem')
  await expect.poll(() => rows.allInnerTexts().then((texts) => texts.map((text) => text.replace(/^[^\n]*\n/, '')))).toEqual([
    'stays: the newest, one of the last', 'stays: pinned', 'would be removed', 'and 8 older ones',
  ])
  expect(await calls('retention.preview')).toEqual([{ jobId: 'j1', retention: { ...defaultRetention, last: 7 } }])
  await last.fill('8')
  await expect.poll(() => status.count()).toBe(0)
  await page.evaluate(() => { globalThis.window.fake.failures.set('retention.preview', { code: 'offline', message: 'raw', retryable: true }) })
  await button('Preview').click()
  await page.getByText(/^The storage cannot be reached\./).waitFor()
  expect(await calls('job.update')).toEqual([])
})

test('the page of a job tells in one line how it was looked after, shows what was wrong, and has it looked after now', async () => {
  await window.open('idle')
  await goTo('Documents')
  expect(await page.getByText('Looked after', { exact: true }).count()).toBe(0)
  await page.evaluate(() => {
    const { fake } = globalThis.window
    fake.changeJob('j1', (one) => {
      const [lastRun] = one.lastRun ? [one.lastRun] : []
      const care = { forgotten: 12, prune: 'done', freedBytes: 1.2e9, affectedCount: 2, drill: 'passed', drilledFiles: 40, unreadPacks: 0 } as const
      return { ...one, config: { ...one.config, retention: { last: 5 } }, care: { running: false, ...(lastRun && { lastRun: { ...lastRun, id: 'care-run', jobId: 'care-j1', operation: 'care', outcome: 'failed', problems: 3, care } }) } }
    })
  })
  await page.getByText('3 h ago: 2 files cannot be restored whole, 12 snapshots removed, 1.20 GB freed, 40 files restored for a test.').waitFor()
  await page.getByText('The last 5', { exact: true }).waitFor()
  await button('Show warnings').click()
  await page.getByText('/home/mia/Photos/.thumbnails/locked.db').waitFor()
  expect(await calls('history.problems')).toEqual([{ jobId: 'j1', runId: 'care-run' }])
  await button('More actions').click()
  await menuItem('Look after it now').click()
  await page.getByText('At this moment', { exact: true }).waitFor()
  expect(await calls('job.care')).toEqual([{ jobId: 'j1' }])
  await button('More actions').click()
  expect(await menuItem('Look after it now').isDisabled()).toBe(true)
})
