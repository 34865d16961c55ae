import type { Page } from 'playwright-core'
import { beforeAll, beforeEach, expect, test } from 'vitest'
import { personAtWindow } from './harness/person.ts'
import type { TestWindow } from './harness/window.ts'

const person = personAtWindow()
const { button, goTo, requests } = person
let window: TestWindow
let page: Page

beforeAll(() => { ({ window, page } = person) })

beforeEach(() => page.setViewportSize({ width: 1100, height: 700 }))

const bar = () => page.getByRole('region', { name: 'Restore list' })
const text = (path: Uint8Array) => String.fromCharCode(...Object.values(path))

interface Sent { readonly snapshot: string; readonly paths: Uint8Array[]; readonly except: Uint8Array[] }

test('files and folders of a folder, of a search and of older versions are gathered, and restored in one go', async () => {
  await window.open('idle')
  await goTo('Restore')
  await button('Open Documents').click()
  await page.getByRole('checkbox', { name: 'Choose Taxes' }).check()
  await page.getByRole('checkbox', { name: 'Choose caf\\xe9.txt' }).check()
  await button('Add to restore list').click()
  await bar().getByText(/^Restore list: 1 file \(.*\), 1 folder$/).waitFor()
  await page.getByText('2 items are in the restore list now.').waitFor()
  expect(await page.getByRole('checkbox', { name: 'Choose Taxes' }).isChecked()).toBe(false)
  await page.getByRole('textbox', { name: 'Search all snapshots' }).fill('report')
  await button('Add the newest Report 2026.pdf to the restore list').click()
  await page.getByRole('region', { name: 'Found' }).getByRole('button', { name: /^Report 2026\.pdf/ }).click()
  await page.getByRole('button', { name: /^Add the version of .* to the restore list$/ }).nth(1).click()
  await page.getByText('4 items are in the restore list now.').waitFor()
  await page.getByRole('dialog').getByRole('button', { name: 'Close' }).click()

  await button('Show list').click()
  const items = page.getByRole('list', { name: 'What will be restored' }).getByRole('listitem')
  expect(await items.count()).toBe(4)
  await page.getByRole('dialog').getByText('Two versions of the same file cannot have one name').waitFor()
  await page.getByRole('button', { name: /^Take caf\\xe9\.txt from .* off the list$/ }).press('Enter')
  await expect.poll(() => items.count()).toBe(3)
  await page.getByRole('dialog').getByRole('button', { name: 'Restore…' }).click()
  await page.getByRole('dialog').getByText('2 snapshots').waitFor()
  await page.getByRole('radio', { name: 'Where they were' }).check()
  await button('Start restore').click()
  await page.getByText('Documents@128 and 1 more → where they were').first().waitFor()
  const [sent] = await page.evaluate(() => globalThis.window.fake.calls.filter(({ channel }) => channel === 'restore.start').map(({ request }) => request)) as [Sent & { more: Sent[]; target: unknown }]
  expect([sent, ...sent.more].map(({ snapshot, paths }) => [snapshot, paths.map(text)])).toEqual([['Documents@128', ['Documents/Taxes', expect.stringMatching(/Report 2026\.pdf$/) as string]], ['Documents@120', [expect.stringMatching(/Report 2026\.pdf$/) as string]]])
  expect(sent.target).toEqual({ original: true })
  expect((await requests('restore.plan')).map((one) => (one as Sent).snapshot)).toContain('Documents@120')
  await goTo('Restore')
  expect(await bar().count()).toBe(0)
})

test('what was let go inside of a folder stays out of the list', async () => {
  await window.open('idle')
  await goTo('Restore')
  await button('Open Documents').click()
  await page.getByRole('checkbox', { name: 'Choose Taxes' }).check()
  await button('Open Taxes').click()
  await page.getByRole('checkbox', { name: 'Choose Reports' }).uncheck()
  await button('Add to restore list').click()
  await bar().getByRole('button', { name: 'Restore…' }).click()
  await button('Target folder: Choose…').click()
  await button('Start restore').click()
  await expect.poll(() => requests('restore.start')).toHaveLength(1)
  const [sent] = await page.evaluate(() => globalThis.window.fake.calls.filter(({ channel }) => channel === 'restore.start').map(({ request }) => request)) as [Sent]
  expect([sent.paths.map(text), sent.except.map(text)]).toEqual([['Documents/Taxes'], ['Documents/Taxes/Reports']])
})

test('what was not restored is told with the reason, and just that can be tried again', async () => {
  await window.open('restored')
  await goTo('Restore')
  await page.getByRole('button', { name: /Documents@128/ }).first().click()
  const list = page.getByRole('region', { name: 'What was not restored as it was, and why' })
  await list.getByRole('listitem').first().waitFor()
  await button('Try just these again').press('Enter')
  expect(await requests('restore.retry')).toEqual([{ restoreId: 'x1' }])
  await page.getByText('To restore').waitFor()
})
