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

const list = () => page.getByRole('listbox', { name: 'Lines of the log, the newest first' })
const rows = () => list().getByRole('option')
const count = (text: string) => page.getByRole('status').filter({ hasText: text }).waitFor()

async function openLog(scenario: 'idle' | 'first-run' = 'idle'): Promise<void> {
  await window.open(scenario)
  await goTo('Settings')
  await button('Show log').click()
}

test('the newest lines come first, older ones on demand, and where the log begins is said', async () => {
  await openLog()
  await count('The newest 200 lines')
  expect(await rows().first().textContent()).toContain('Holdfast 0.1.0 has started')
  await button('Show older lines').click()
  await count('The newest 400 lines')
  await button('Show older lines').click()
  await count('450 lines')
  await page.getByText('The log begins here').waitFor()
  await button('Back').click()
  await page.getByRole('heading', { name: 'Settings', level: 1 }).waitFor()
})

test('what is looked for is narrowed by job, level, time and text, also where it lies far back', async () => {
  await openLog()
  await page.getByLabel('Job', { exact: true }).selectOption({ label: 'Documents' })
  await page.getByLabel('Show', { exact: true }).selectOption({ label: 'Warnings and errors' })
  await page.getByLabel('When', { exact: true }).selectOption({ label: 'In the last 24 hours' })
  await page.getByLabel('Search', { exact: true }).pressSequentially('cannot')
  await expect.poll(async () => (await requests('logs.page')).at(-1)).toMatchObject({ filter: { job: 'Documents', level: 'warning', text: 'cannot' } })
  expect((await requests('logs.page')).length).toBeLessThan(12)
  await page.getByText('No line is like that').waitFor()
  await button('Show everything').click()
  await count('The newest 200 lines')
  await page.getByLabel('Job', { exact: true }).selectOption({ label: 'Holdfast itself' })
  await count('75 lines')
  await page.getByLabel('Search', { exact: true }).fill('slowly')
  await expect.poll(async () => (await requests('logs.page')).filter((one) => (one as { filter: { text?: string } }).filter.text === 'slowly').length).toBe(5)
  await count('75 lines')
  await page.getByLabel('When', { exact: true }).selectOption({ label: 'Between…' })
  await page.getByLabel('From', { exact: true }).fill('2026-01-02T03:04')
  await page.getByLabel('To', { exact: true }).fill('2026-01-02T03:05')
  await expect.poll(async () => (await requests('logs.page')).at(-1)).toMatchObject({ filter: { fromMs: new Date('2026-01-02T03:04').getTime(), toMs: new Date('2026-01-02T03:05').getTime() + 59_999 } })
})

test('by keyboard: lines are chosen with arrows and Shift, and copied', async () => {
  await openLog()
  await count('The newest 200 lines')
  await list().focus()
  await page.keyboard.press('ArrowDown')
  await page.keyboard.press('Shift+ArrowDown')
  await page.keyboard.press('Shift+ArrowDown')
  expect(await rows().and(page.locator('[aria-selected="true"]')).count()).toBe(3)
  expect(await list().getAttribute('aria-activedescendant')).toBe('log-00000000000000aa-447')
  await page.keyboard.press('Control+c')
  await page.getByText('3 lines copied').waitFor()
  expect(await requests('logs.copy')).toEqual([{ lines: ['00000000000000aa-449', '00000000000000aa-448', '00000000000000aa-447'] }])
  await page.keyboard.press('Space')
  await page.keyboard.press('End')
  await page.keyboard.press('Escape')
  expect(await button('Copy').isDisabled()).toBe(true)
  await page.keyboard.press('Control+a')
  await button('Copy 200 lines').waitFor()
})

test('by mouse: a click chooses a line, one with Shift all up to it, one with Control that one too', async () => {
  await openLog()
  await count('The newest 200 lines')
  await rows().nth(1).click()
  await rows().nth(4).click({ modifiers: ['Shift'] })
  await button('Copy 4 lines').waitFor()
  await rows().nth(2).click({ modifiers: ['Control'] })
  await button('Copy 3 lines').click()
  await page.getByText('3 lines copied').waitFor()
})

test('new lines appear while one looks, and what is chosen stays chosen', async () => {
  await openLog()
  await count('The newest 200 lines')
  await rows().nth(2).click()
  const chosen = await rows().nth(2).textContent()
  await page.evaluate(() => {
    const { fake } = globalThis.window
    const [first] = fake.log
    if (first) fake.log = [{ ...first, at: '00000000000000aa-451', message: 'just now' }, ...fake.log]
  })
  await rows().first().getByText('just now').waitFor()
  await count('The newest 201 lines')
  expect(await page.locator('[aria-selected="true"]').textContent()).toBe(chosen)
})

test('an empty log says so, and a log that cannot be read offers to try again', async () => {
  await openLog('first-run')
  await page.getByText('The log is empty').waitFor()
  await window.open('idle')
  await page.evaluate(() => { globalThis.window.fake.failures.set('logs.page', { code: 'internal', message: 'x', retryable: false }) })
  await goTo('Settings')
  await button('Show log').click()
  await button('Try again').click()
  await count('The newest 200 lines')
})

test('a report for support is shown as it will be, put together anew with names, saved, and not kept', async () => {
  await openLog()
  await button('Save a report for support…').click()
  const dialog = page.getByRole('dialog', { name: 'A report for support' })
  await dialog.getByText('A report of Holdfast').waitFor()
  await dialog.getByLabel('What will be in it').selectOption({ label: 'log.jsonl (120 kB)' })
  const text = dialog.getByRole('region', { name: 'Contents of log.jsonl, exactly as they will be saved' })
  await text.getByText('line 0 of ‹folder 1›').waitFor()
  await button('Show more of it').click()
  await text.getByText('line 65536 of ‹folder 1›').waitFor()
  await dialog.getByRole('checkbox', { name: 'Include names of folders' }).check()
  await expect.poll(() => requests('support.make')).toEqual([{ names: false }, { names: true }])
  await dialog.getByRole('button', { name: 'Save…' }).click()
  await page.getByText('The report was saved').waitFor()
  await expect.poll(async () => (await requests('support.discard')).length).toBeGreaterThan(0)
})

test('a job and a run lead to their lines', async () => {
  await window.open('idle')
  await button(/^Open Documents/).click()
  await button('More actions').click()
  await page.getByRole('menuitem', { name: 'Show log' }).click()
  await expect.poll(async () => (await requests('logs.page')).at(-1)).toMatchObject({ filter: { job: 'Documents' } })
  await button('Back').click()
  await button(/^Show details of the run of/).first().click()
  await button('Show log of this run').click()
  await page.getByText('Only one run').waitFor()
  expect((await requests('logs.page')).at(-1)).toMatchObject({ filter: { job: 'Documents', runId: expect.any(String) as string } })
  await button('Show all runs').click()
  await count('lines')
})
