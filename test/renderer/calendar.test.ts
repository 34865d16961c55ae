import type { Page } from 'playwright-core'
import { beforeAll, expect, test } from 'vitest'
import { personAtWindow } from './harness/person.ts'
import type { TestWindow } from './harness/window.ts'

const person = personAtWindow()
const { button, goTo } = person
let window: TestWindow
let page: Page

beforeAll(() => { ({ window, page } = person) })

const monthShown = () => page.getByRole('table').getAttribute('aria-label')
const focusedDay = () => page.evaluate(() => document.activeElement?.getAttribute('data-date'))

test('the history is a calendar too, by keyboard alone: days by arrows, a day opens its runs, figures of the month', async () => {
  await window.open('idle')
  await goTo('Documents')
  await button('Calendar').focus()
  await page.keyboard.press('Enter')
  const now = await monthShown()
  await button('Earlier month').focus()
  await page.keyboard.press('Enter')
  await expect.poll(monthShown).not.toBe(now)
  const runs = Number(await page.locator('dl[aria-label="Figures of this month"] dd').first().textContent())
  expect(runs).toBeGreaterThan(0)
  const counts = await page.locator('td button').evaluateAll((days) => days.map((day) => Number(/: (\d+) runs?,/.exec(day.getAttribute('aria-label') ?? '')?.[1] ?? 0)))
  expect(counts.reduce((sum, one) => sum + one, 0)).toBe(runs)
  await page.keyboard.press('Tab')
  // Into the table at its first day, past the other month button.
  while ((await focusedDay()) === null) await page.keyboard.press('Tab')
  expect(await focusedDay()).toBe('1')
  await page.keyboard.press('ArrowDown')
  await page.keyboard.press('ArrowRight')
  await expect.poll(focusedDay).toBe('9')
  await page.keyboard.press('End')
  const last = await focusedDay()
  expect(last).toBe(String(counts.length))
  const name = await page.locator(`td button[data-date="${last}"]`).getAttribute('aria-label')
  await page.keyboard.press('Enter')
  const region = page.getByRole('region', { name: name ?? '' })
  await region.waitFor()
  expect(await region.getByRole('listitem').count()).toBe(counts.at(-1))
  await region.getByRole('button', { name: /^Show details of the run of/ }).first().click()
  await region.getByRole('button', { name: 'Copy log of this run' }).waitFor()
  expect(window.complaints).toEqual([])
  await button('List').click()
  await expect.poll(() => page.getByRole('table').filter({ has: page.getByText('Mon') }).count()).toBe(0)
})

test('no month before the first run and none to come; what cannot be read says so', async () => {
  await window.open('idle')
  await goTo('Documents')
  await button('Calendar').click()
  expect(await button('Later month').isDisabled()).toBe(true)
  while (await button('Earlier month').isEnabled()) await button('Earlier month').click()
  expect(Number(await page.locator('dl[aria-label="Figures of this month"] dd').first().textContent())).toBeGreaterThan(0)
  await button('List').click()
  await page.evaluate(() => { globalThis.window.fake.failures.set('history.runs', { code: 'internal', message: 'raw', retryable: false }) })
  await button('Calendar').click()
  await button('Try again').click()
  await page.getByRole('table').filter({ has: page.getByText('Mon') }).waitFor()
})
