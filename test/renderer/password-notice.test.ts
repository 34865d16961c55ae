import type { Page } from 'playwright-core'
import { beforeAll, beforeEach, expect, test } from 'vitest'
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
  await page.evaluate(() => { globalThis.window.fake.change({ notices: [{ id: 'password', type: 'password', jobId: 'j3' }] }) })
  await page.getByText('Do you still know the password of “Virtual machines”?').waitFor()
})

const field = (name: string): ReturnType<Page['getByRole']> => page.getByRole('textbox', { name, exact: true })

test('who still knows the password types it, and is told so', async () => {
  await goTo('Settings')
  await button('Try it…').click()
  await page.getByRole('dialog', { name: 'The password of “Virtual machines”' }).waitFor()
  expect(await button('Check').isEnabled()).toBe(false)
  await field('Password').fill('tulip gravel omen lamp')
  await field('Password').press('Enter')
  await page.getByText('That is the password. You will be asked again in two months.').waitFor()
  expect(await page.getByRole('dialog').count()).toBe(0)
  expect(await requests('password.check')).toEqual([{ jobId: 'j3', password: 'tulip gravel omen lamp' }])
})

test('who does not is shown a way out: another password, typed twice, which main asks about', async () => {
  await button('Try it…').click()
  await field('Password').fill('something else')
  await button('Check').click()
  await page.getByText('This does not open the backup.').waitFor()
  await page.getByRole('alert').getByText(/^Look where you keep your passwords, or at your recovery kit\./).waitFor()
  await button('Add another password').click()
  await page.getByRole('dialog', { name: 'Another password for “Virtual machines”' }).waitFor()
  await field('New password').fill('short')
  await button('Add password…').click()
  await page.getByText('Use at least 8 characters.').waitFor()
  await field('New password').fill('long enough')
  await field('Repeat the password').fill('long enougj')
  await page.getByText('The two passwords differ.').waitFor()
  expect(await requests('password.add')).toEqual([])
  await field('Repeat the password').fill('long enough')
  await field('Repeat the password').press('Enter')
  await page.getByText('The new password opens the backup. You will be asked for it in two months.').waitFor()
  expect(await requests('password.add')).toEqual([{ jobId: 'j3', password: 'long enough' }])
  expect(await page.getByText('Do you still know the password').count()).toBe(0)
})

test('a no of the person leaves the dialog open with what was typed', async () => {
  await page.evaluate(() => { globalThis.window.fake.failures.set('password.add', { code: 'aborted', message: 'raw', retryable: false, data: { declined: true } }) })
  await button('Try it…').click()
  await field('Password').fill('something else')
  await button('Check').click()
  await button('Add another password').click()
  await field('New password').fill('long enough')
  await field('Repeat the password').fill('long enough')
  await button('Add password…').click()
  await expect.poll(() => requests('password.add')).toHaveLength(1)
  expect(await field('New password').inputValue()).toBe('long enough')
})

test('where the storage is away it says that it is not the one that is kept, and no more', async () => {
  await page.evaluate(() => { globalThis.window.fake.storageAnswers = false })
  await button('Try it…').click()
  await field('Password').fill('something else')
  await button('Check').click()
  await page.getByText(/^This is not the password that is kept here\. Whether it is another one of this backup could not be tried/).waitFor()
})

test('it can be put off', async () => {
  await button('In a week').click()
  await expect.poll(() => page.getByText('Do you still know the password').count()).toBe(0)
  expect(await requests('notice.dismiss')).toEqual([{ id: 'password' }])
})
