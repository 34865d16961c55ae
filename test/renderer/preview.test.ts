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

const look = (number: number) => page.getByRole('button', { name: /^Look inside the version of/ }).nth(number).click()
const dialog = () => page.getByRole('dialog')

async function openVersions(): Promise<void> {
  await window.open('idle')
  await goTo('Restore')
  await page.getByRole('textbox', { name: 'Search all snapshots' }).fill('report')
  await page.getByRole('region', { name: 'Found' }).getByRole('button', { name: /^Report 2026\.pdf/ }).click()
  await page.getByRole('button', { name: /^Look inside/ }).first().waitFor()
}

test('a version is looked into: its text as text, its picture as picture, and a word for what is neither', async () => {
  await openVersions()
  await look(0)
  const text = dialog().getByRole('region', { name: 'Content' })
  await text.waitFor()
  expect(await text.textContent()).toBe('Dear Zoë,\n<b>all is well</b>')
  expect(await text.locator('b').count()).toBe(0)
  await dialog().getByText('The first 29 bytes of 400 kB are shown. Restore it to see all.').waitFor()
  await button('Back to the versions').click()
  await look(1)
  await dialog().getByRole('img', { name: 'Report 2026.pdf, a picture of 3 by 2 points' }).waitFor()
  await page.locator('canvas[data-drawn]').waitFor()
  const point = await page.locator('canvas').evaluate((canvas: HTMLCanvasElement) => [canvas.width, canvas.height, ...(canvas.getContext('2d')?.getImageData(1, 1, 1, 1).data ?? [])])
  expect(point).toEqual([3, 2, 255, 0, 0, 255])
  await button('Back to the versions').click()
  await look(2)
  await dialog().getByText('This is neither text nor a picture that can be shown here (12.0 kB).').waitFor()
  await button('Back to the versions').press('Enter')
  await dialog().getByRole('list', { name: 'Versions, the newest first' }).waitFor()
  expect((await requests('browse.preview')).length).toBe(3)
})

test('what changed in a version is told line by line, in words for who listens', async () => {
  await openVersions()
  const compare = page.getByRole('button', { name: /^What changed in the version of/ })
  expect(await compare.count()).toBe(2)
  await compare.first().click()
  await dialog().getByText('2 lines were added, 1 line was removed.').waitFor()
  await dialog().getByRole('heading', { name: 'Line 4 (line 4 before)' }).waitFor()
  const lines = dialog().getByRole('list', { name: 'Lines' }).getByRole('listitem')
  expect((await lines.allTextContents()).map((line) => line.trim().replace(/^[+−]/, ''))).toEqual(['Unchanged: Dear Zoë,', 'Removed: all is lost', 'Added: all is well', 'Added: <i>truly</i>'])
  await dialog().getByText('There are more changes than are shown here.').waitFor()
  expect(await requests('browse.compare')).toMatchObject([{ older: 'Documents@120', newer: 'Documents@128' }])
  await button('Back to the versions').click()
  await compare.nth(1).click()
  await dialog().getByText('only shorter texts can be compared here').waitFor()
})
