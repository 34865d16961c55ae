import type { Page } from 'playwright-core'
import { beforeAll, beforeEach, expect, test } from 'vitest'
import type { RecoveryView } from '../../main/api/contract.ts'
import { kitStatus } from '../../renderer/text/kit.ts'
import { personAtWindow } from './harness/person.ts'
import type { TestWindow } from './harness/window.ts'

const person = personAtWindow()
const { button, goTo, requests } = person
let window: TestWindow
let page: Page

beforeAll(() => { ({ window, page } = person) })

beforeEach(async () => {
  await page.setViewportSize({ width: 900, height: 600 })
  await window.open('idle')
  await button('More actions').or(page.getByRole('navigation', { name: 'Pages' })).first().waitFor()
})

const field = (name: string): ReturnType<Page['getByRole']> => page.getByRole('textbox', { name, exact: true })
const dialog = (): ReturnType<Page['getByRole']> => page.getByRole('dialog', { name: 'Recovery kit for “Photos”' })
const recovery = (value: RecoveryView): Promise<void> => page.evaluate((it) => globalThis.window.fake.changeJob('j2', (one) => ({ ...one, recovery: it })), value)

async function openDialog(status: string): Promise<void> {
  await goTo('Photos')
  await button(status).click()
  await dialog().waitFor()
}

test('a kit is made, printed and checked, by keyboard alone', async () => {
  await recovery({ kits: [] })
  await goTo('Photos')
  await button('None yet…').focus()
  await page.keyboard.press('Enter')
  await dialog().waitFor()
  await button('Make a recovery kit…').focus()
  await page.keyboard.press('Enter')
  await button('Print…').waitFor()
  // The focus goes on to what is to be done next.
  await expect.poll(() => page.evaluate(() => document.activeElement?.textContent?.trim())).toBe('Print…')
  expect(await field('Word 2').count()).toBe(0)
  await page.keyboard.press('Enter')
  await field('Word 2').waitFor()
  expect(await button('Check').isEnabled()).toBe(false)
  await field('Word 2').focus()
  await page.keyboard.type('ozone')
  await page.keyboard.press('Tab')
  await page.keyboard.type('grape')
  await page.keyboard.press('Tab')
  await page.keyboard.type('elder')
  await page.keyboard.press('Enter')
  await page.getByText('This is not what the page says.').waitFor()
  await expect.poll(() => field('Word 7').evaluate((it) => it === document.activeElement)).toBe(true)
  await page.keyboard.press('Control+A')
  await page.keyboard.type('grace')
  await page.keyboard.press('Enter')
  await page.getByText('Kit 1a2b3c4d is checked. Keep it away from this computer.').waitFor()
  await page.getByText('made today, checked', { exact: true }).waitFor()
  await page.keyboard.press('Escape')
  await button('Made today, checked…').waitFor()
  expect(await requests('kit.page')).toEqual([{ jobId: 'j2', to: 'printer' }])
  expect(await requests('kit.check')).toEqual([{ jobId: 'j2', words: ['ozone', 'grape', 'elder'] }, { jobId: 'j2', words: ['ozone', 'grace', 'elder'] }])
  expect(await requests('kit.revoke')).toEqual([])
})

test('given up before anybody has its page, it is taken back; later on it stays, and can be checked when the dialog is opened again', async () => {
  await recovery({ kits: [] })
  await openDialog('None yet…')
  await button('Make a recovery kit…').click()
  await page.evaluate(() => { globalThis.window.fake.printed = false })
  await button('Print…').click()
  await page.getByText('Nothing was printed').waitFor()
  await button('Cancel').click()
  await expect.poll(() => requests('kit.revoke')).toEqual([{ jobId: 'j2', number: '1a2b3c4d' }])
  await openDialog('None yet…')
  await button('Make a recovery kit…').click()
  await page.evaluate(() => { globalThis.window.fake.printed = true })
  await button('Save as PDF…').click()
  await button('Check later').click()
  await expect.poll(() => page.getByRole('dialog').count()).toBe(0)
  expect(await requests('kit.revoke')).toHaveLength(1)
  await button('Made today, not checked…').click()
  await field('Word 11').waitFor()
})

test('kits are listed with what is wrong with them, and taken away one by one', async () => {
  const madeMs = Date.now()
  await recovery({ kits: [{ number: '11112222', madeMs, moved: true, checkedMs: madeMs }, { number: '33334444', madeMs, moved: false }] })
  await openDialog('Made today, checked…')
  await page.getByText('The backup has another address now than on the page.').waitFor()
  await page.getByText('It opens the backup, but nobody has shown that its page can be read.').waitFor()
  await button('Take away kit 33334444…').click()
  await page.getByText('Kit 33334444 no longer opens the backup. Destroy its page.').waitFor()
  expect(await requests('kit.revoke')).toEqual([{ jobId: 'j2', number: '33334444' }])
  expect(await dialog().getByRole('listitem').count()).toBe(1)
})

test('it is offered, can be put aside, and the dialog outlives the offer', async () => {
  await recovery({ kits: [] })
  await page.evaluate(() => { globalThis.window.fake.change({ notices: [{ id: 'kit', type: 'kit', jobId: 'j2' }] }) })
  await page.getByText('There is no recovery kit for “Photos” yet').waitFor()
  await button('Make one…').click()
  await button('Make a recovery kit…').click()
  await button('Print…').click()
  await page.evaluate(() => { globalThis.window.fake.change({ notices: [] }) })
  await field('Word 2').waitFor()
  await page.keyboard.press('Escape')
  await page.evaluate(() => { globalThis.window.fake.change({ notices: [{ id: 'kit', type: 'kit', jobId: 'j2' }] }) })
  await button('Not now').click()
  expect(await requests('notice.dismiss')).toEqual([{ id: 'kit' }])
})

test('a checked kit counts more than a newer one that was not checked', () => {
  const now = new Date(2026, 5, 20, 12).getTime()
  const kit = (daysAgo: number, checked: boolean) => ({ number: 'x', madeMs: now - daysAgo * 86_400_000, moved: false, ...(checked && { checkedMs: now }) })
  expect(kitStatus({ kits: [] }, now)).toBe('None yet')
  expect(kitStatus({ kits: [kit(0, false), kit(40, true)] }, now)).toMatch(/^Made (11 May|May 11), checked$/)
  expect(kitStatus({ kits: [kit(1, false)] }, now)).toBe('Made yesterday, not checked')
})
