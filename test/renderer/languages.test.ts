import { mkdir } from 'node:fs/promises'
import type { Page } from 'playwright-core'
import { describe, expect, it } from 'vitest'
import type { Scenario } from './fake-api.ts'
import { pseudoText } from './harness/pseudo.ts'
import { openTestWindow } from './harness/window.ts'

const folder = 'artifacts/languages'
const smallest = { width: 900, height: 600 }

/** By places, not by words: these pages are in any language. */
const pageButton = (page: Page, at: number) => page.getByRole('navigation').first().getByRole('button').nth(at).click()
const jobButton = (page: Page) => page.getByRole('button', { name: /Documents/ }).first().click()
const shots: readonly (readonly [name: string, scenario: Scenario, go?: (page: Page) => Promise<void>])[] = [
  ['first-start', 'first-run'],
  ['jobs', 'idle'],
  ['jobs-busy', 'busy'],
  ['job', 'idle', jobButton],
  ['job-running', 'busy', jobButton],
  ['job-waiting', 'waiting', jobButton],
  ['restore', 'idle', (page) => pageButton(page, 1)],
  ['settings', 'idle', (page) => pageButton(page, 2)],
]

/** What does not fit: pages that are wider than the window, and labels of buttons that are cut off. */
function misfits(page: Page): Promise<readonly string[]> {
  return page.evaluate(() => {
    const wide = [document.documentElement, ...document.querySelectorAll('main')].filter((one) => one.scrollWidth > one.clientWidth).map((one) => one.tagName)
    const cut = [...document.querySelectorAll<HTMLElement>('main button')].filter((one) => one.scrollWidth > one.clientWidth + 1 && getComputedStyle(one).overflow !== 'visible').map((one) => one.textContent.trim())
    return [...wide, ...cut]
  })
}

describe.each([['de', undefined, 'de'], ['long', 'long', 'en'], ['rtl', 'rtl', 'en']] as const)('the window in %s', (name, pseudo, language) => {
  it('has room for its texts on every page, in the smallest size, and says nothing wrong to the console', async () => {
    await mkdir(folder, { recursive: true })
    await using window = await openTestWindow(pseudo)
    const { page } = window
    page.setDefaultTimeout(20_000)
    await page.setViewportSize(smallest)
    for (const [shot, scenario, go] of shots) {
      await window.open(scenario, language)
      await page.getByRole('heading', { level: 1 }).first().waitFor()
      await go?.(page)
      await page.getByRole('heading', { level: 1 }).first().waitFor()
      await page.screenshot({ path: `${folder}/${shot}-${name}.png`, animations: 'disabled' })
      expect([shot, await misfits(page)]).toEqual([shot, []])
      expect(window.complaints).toEqual([])
    }
    expect(await page.evaluate(() => getComputedStyle(document.body).direction)).toBe(pseudo === 'rtl' ? 'rtl' : 'ltr')
  })
})

it.each([
  ['long', 'Back up {name}', /^Ɓáçķ üþ \{name\}.{3,}$/],
  ['rtl', 'Back up {name} now', /^\u202eBack up \u202c\{name\} ?\u202e ?now\u202c$/],
  ['long', ' ', /^ $/],
] as const)('%s is made of English, and its parameters stay: “%s”', (language, text, expected) => {
  expect(pseudoText(text, language)).toMatch(expected)
})
