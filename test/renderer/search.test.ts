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

const field = () => page.getByRole('textbox', { name: 'Search all snapshots' })
const results = () => page.getByRole('region', { name: 'Found' })

test('what is typed is searched in all snapshots, once a pause is made, and told by its number', async () => {
  await window.open('idle')
  await goTo('Restore')
  await field().pressSequentially('report')
  await results().getByText('The first 2 found').waitFor()
  await page.getByRole('status').filter({ hasText: 'The first 2 found' }).waitFor({ state: 'attached' })
  expect((await requests('browse.search')).at(-1)).toMatchObject({ text: 'report', limit: 100 })
  await button('Show more').click()
  await results().getByText('3 names found').waitFor()
  expect((await requests('browse.search')).at(-1)).toMatchObject({ after: '1.1' })
  await results().getByRole('button', { name: /Old report\.pdf.*2 versions.*last there on/ }).waitFor()
  await button('Clear the search').click()
  await page.getByRole('row').first().waitFor()
})

test('by keyboard: down to a result, Enter shows its versions, and one of them is restored', async () => {
  await window.open('idle')
  await goTo('Restore')
  await field().fill('report')
  await results().getByText('The first 2 found').waitFor()
  await page.keyboard.press('Tab')
  await page.keyboard.press('Tab')
  await page.keyboard.press('ArrowDown')
  await page.keyboard.press('ArrowUp')
  await page.keyboard.press('Enter')
  const dialog = page.getByRole('dialog', { name: 'Versions of Report 2026.pdf' })
  const items = dialog.getByRole('list', { name: 'Versions, the newest first' }).getByRole('listitem')
  await items.first().waitFor()
  expect((await items.allTextContents()).map((text) => /Changed|Back again|First seen/.exec(text)?.[0])).toEqual(['Back again', 'Changed', 'First seen'])
  await items.nth(1).getByText(/^Gone in the snapshot of/).waitFor()
  expect(await requests('browse.versions')).toMatchObject([{ snapshot: 'Documents@128' }])
  await items.nth(1).getByRole('button', { name: /^Restore the version of/ }).press('Enter')
  await button('Target folder: Choose…').click()
  await button('Start restore').click()
  await page.getByText('Restore of Documents').waitFor()
  expect(await requests('restore.start')).toMatchObject([{ snapshot: 'Documents@120', overwrite: 'changed' }])
})

test('a result is shown in its folder', async () => {
  await window.open('idle')
  await goTo('Restore')
  await field().fill('report')
  await results().getByRole('button', { name: /^Report 2026\.pdf/ }).click()
  await button(/^Show in folder: the version of/).first().click()
  await page.getByRole('navigation', { name: 'Folder' }).getByRole('button', { name: 'Reports' }).waitFor()
  expect(await field().inputValue()).toBe('')
})

test('nothing found, too short a text, and snapshots that are still being read are said', async () => {
  await window.open('idle')
  await goTo('Restore')
  await field().fill('zz')
  await page.getByText('One or two letters find names that begin with them').waitFor()
  await page.getByText('Nothing with this name').waitFor()
  await field().fill('new')
  await page.getByText('1 of 3 so far').waitFor()
  const before = (await requests('browse.search')).length
  await expect.poll(async () => (await requests('browse.search')).length, { timeout: 20_000 }).toBeGreaterThan(before)
})

test('a file in the browser shows its versions', async () => {
  await window.open('idle')
  await goTo('Restore')
  await button('Open Documents').click()
  await button('Versions of Budget 2026.ods').click()
  await page.getByText('No version of this is known yet').waitFor()
  await button('Close').click()
  await page.getByRole('row', { name: /Budget 2026\.ods/ }).focus()
  await page.keyboard.press('Enter')
  await page.getByRole('dialog', { name: 'Versions of Budget 2026.ods' }).waitFor()
})
