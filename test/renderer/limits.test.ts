import { expect, test } from 'vitest'
import { limitTimeWords, limitWords } from '../../renderer/text/limits.ts'
import { personAtWindow } from './harness/person.ts'

const person = personAtWindow()
const { button, goTo, requests } = person

test('limits of a time of day are added, said in words, and taken away', async () => {
  const { page, window } = person
  await window.open('idle')
  await goTo('Settings')
  await button('Add a time…').click()
  await button('Mon').click()
  await page.getByLabel('From', { exact: true }).fill('25:00')
  await page.getByText('Enter a time such as 20:00.').waitFor()
  expect(await button('Add').isDisabled()).toBe(true)
  await page.getByLabel('From', { exact: true }).fill('09:00')
  const upload = page.getByLabel('Limit uploads: At most')
  await upload.fill('0,25')
  await upload.blur()
  await button('Add').click()
  const first = { days: [2, 3, 4, 5], from: '09:00', to: '18:00', uploadBytesPerSecond: 250_000 }
  await page.getByText('Tue–Fri, 09:00 to 18:00').waitFor()
  await page.getByText('Uploads at most 250 kB/s, downloads unlimited').waitFor()
  await button('Add a time…').click()
  for (const day of ['Sat', 'Sun']) await button(day).click()
  for (const field of ['From', 'To']) await page.getByLabel(field, { exact: true }).fill('00:00')
  await button('Add').click()
  await page.getByText('Every day, all day').waitFor()
  await page.getByText('Holds now').waitFor()
  await button('Remove “Tue–Fri, 09:00 to 18:00”').click()
  await expect.poll(() => page.getByText('Tue–Fri, 09:00 to 18:00').count()).toBe(0)
  const sent = await requests('settings.set')
  expect(sent).toMatchObject([{ limitTimes: [first] }, { limitTimes: [first, { from: '00:00', to: '00:00' }] }, { limitTimes: [{ from: '00:00' }] }])
  expect(window.complaints).toEqual([])
})

test('a time over midnight says so', () => {
  expect(limitTimeWords({ days: [5, 6], from: '22:00', to: '06:00' })).toBe('Fri, Sat, 22:00 to 06:00 the next day')
  expect(limitTimeWords({ days: [1], from: '04:00', to: '04:00' })).toBe('Mon, 24 hours from 04:00 on')
  expect(limitWords({ days: [1], from: '22:00', to: '06:00', downloadBytesPerSecond: 2_000_000 })).toBe('Uploads unlimited, downloads at most 2.00 MB/s')
})
