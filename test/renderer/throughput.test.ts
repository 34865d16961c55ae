import type { Page } from 'playwright-core'
import { beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { formatRate } from '../../renderer/text/format.ts'
import { ratesOf } from '../../renderer/text/throughput.ts'
import { throughput } from './fixtures.ts'
import { personAtWindow } from './harness/person.ts'
import type { TestWindow } from './harness/window.ts'

const person = personAtWindow()
let window: TestWindow
let page: Page

beforeAll(() => { ({ window, page } = person) })
beforeEach(() => page.setViewportSize({ width: 900, height: 900 }))

const section = () => page.getByRole('region', { name: 'Speed' })

async function figures(): Promise<readonly (readonly string[])[]> {
  await section().getByText('Figures').click()
  await section().getByRole('row').nth(1).waitFor()
  return section().getByRole('row').evaluateAll((rows) => rows.slice(1).map((row) => [...row.querySelectorAll('td')].map((cell) => cell.textContent)))
}

/** Colours that are in the picture, as `r,g,b`. */
function colours(): Promise<readonly string[]> {
  return section().locator('canvas').evaluate((canvas) => {
    const { width, height } = canvas as HTMLCanvasElement
    const { data } = (canvas as HTMLCanvasElement).getContext('2d')!.getImageData(0, 0, width, height)
    const found = new Set<string>()
    for (let at = 0; at < data.length; at += 4) if (data[at + 3] === 255) found.add([data[at], data[at + 1], data[at + 2]].join())
    return [...found]
  })
}

describe('the speed of a run', () => {
  test('in figures is what the progress said, without the span that goes on', async () => {
    await window.open('busy')
    await person.goTo('Documents 42 %')
    const told = await figures()
    expect(told).toHaveLength(throughput.bytes.length - 1)
    expect(told[0]).toEqual(['0.0 s – 16 s', formatRate((throughput.bytes[0] ?? 0) / 16)])
    expect(told[31]).toEqual(['8 min 16 s – 8 min 32 s', '0 B/s'])
    expect(told.map(([, rate]) => rate)).toEqual(throughput.bytes.slice(0, -1).map((bytes) => formatRate(bytes / 16)))
    expect(window.complaints).toEqual([])
  })

  test('of the last run is whole, and has its sum in words', async () => {
    await window.open('idle')
    await person.goTo('Documents')
    expect(await figures()).toHaveLength(throughput.bytes.length)
    const most = Math.max(...throughput.bytes) / 16
    await page.getByRole('img', { name: `Speed over 13 min: ${formatRate(most)} at most` }).waitFor()
  })

  test('is drawn in the colours of the theme, also after that changes', async () => {
    await page.emulateMedia({ colorScheme: 'light' })
    await window.open('idle')
    await person.goTo('Documents')
    await expect.poll(colours).toContain('10,102,96')
    await page.emulateMedia({ colorScheme: 'dark' })
    await expect.poll(colours).not.toContain('10,102,96')
    await expect.poll(async () => (await colours()).length).toBeGreaterThan(1)
  })

  test('is not shown where nothing was transferred', async () => {
    await window.open('idle')
    await page.evaluate(() => { globalThis.window.fake.changeJob('j1', ({ lastRun, ...one }) => { const { throughput: _none, ...run } = lastRun!; return { ...one, lastRun: run } }) })
    await person.goTo('Documents')
    await page.getByText('Backed up').first().waitFor()
    expect(await section().count()).toBe(0)
  })

  test('is no faster in words than in bytes', () => {
    expect(ratesOf({ everyMs: 2_000, bytes: [10, 30] }, false)).toEqual([{ fromSeconds: 0, toSeconds: 2, bytesPerSecond: 5 }, { fromSeconds: 2, toSeconds: 4, bytesPerSecond: 15 }])
    expect(ratesOf({ everyMs: 1_000, bytes: [7, 1] }, true)).toEqual([{ fromSeconds: 0, toSeconds: 1, bytesPerSecond: 7 }])
  })
})
