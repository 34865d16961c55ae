import { expect, test } from 'vitest'
import { personAtWindow } from './harness/person.ts'

const person = personAtWindow()
const { button, requests } = person

test('pausing asks for how long, says until when, and is taken back with one click', async () => {
  const { window, page } = person
  await window.open('idle')
  await button('Pause all').click()
  await page.keyboard.press('ArrowDown')
  await page.keyboard.press('Enter')
  await page.getByText(/^Paused until (?:tomorrow )?\d\d:\d\d$/).waitFor()
  await button('Resume all').click()
  await page.getByText('Nothing is running').waitFor()
  await button('Pause all').click()
  expect(await page.getByRole('menuitem').allTextContents()).toEqual(['For 1 hour', 'For 2 hours', 'For 4 hours', 'Until tomorrow morning', 'Until I resume'])
  await page.getByRole('menuitem', { name: 'Until I resume' }).click()
  await page.getByText('Everything is paused').waitFor()
  expect(await requests('jobs.pauseAll')).toEqual([{ length: 2 }, { length: 'resumed' }])
  expect(window.complaints).toEqual([])
})
