import type { Page } from 'playwright-core'
import { beforeAll, beforeEach, expect, test } from 'vitest'
import { overwriteRules, planClasses } from '../../engine/protocol/restore-rules.ts'
import type { PlanTotals } from '../../main/api/contract.ts'
import { planLines } from '../../renderer/text/restore-plan.ts'
import { personAtWindow } from './harness/person.ts'
import type { TestWindow } from './harness/window.ts'

const person = personAtWindow()
const { button, goTo, requests } = person
let window: TestWindow
let page: Page

beforeAll(() => { ({ window, page } = person) })

beforeEach(() => page.setViewportSize({ width: 1100, height: 700 }))

const panel = () => page.getByRole('region', { name: 'What is there already' })
const lines = async () => (await panel().getByRole('list').first().getByRole('listitem').allInnerTexts()).map((text) => text.trim())

async function openDialog(): Promise<void> {
  await window.open('idle')
  await goTo('Restore')
  await button('Restore everything…').click()
}

test('where a restore goes is looked at before anything is written, and every rule says what it does there', async () => {
  await openDialog()
  expect(await panel().count()).toBe(0)
  await button('Target folder: Choose…').click()
  const list = panel().getByRole('list', { name: 'What is there and differs from the backup' })
  await list.getByText('Photos').waitFor()
  expect(await lines()).toEqual([
    '5 files will be replaced (48.0 kB). 1 of them is newer than the backup.', '27 files are not there yet and will be written (90.7 kB).', '100 files are the same already and will be left.',
  ])
  expect((await list.getByRole('listitem').allInnerTexts()).map((text) => text.replaceAll(/\s*\n\s*/g, ' '))).toEqual([
    expect.stringMatching(/^Replaced Budget\.ods Documents There: 11\.0 kB, .* \(older\)\. In the backup: 12\.0 kB, /), expect.stringMatching(/^Replaced Letter\.odt Documents .* \(newer\)/),
    'Replaced Photos/ Documents No folder is there, though one belongs there.',
  ])
  expect(await requests('restore.plan')).toMatchObject([{ snapshot: 'Documents@128', target: { id: '/home/mia/Documents' }, paths: [], limit: 200 }, { after: expect.anything() as unknown }])
  const rule = page.getByLabel('When a file is already there')
  await rule.selectOption('older')
  expect(await lines()).toEqual([
    '3 files will be replaced (36.0 kB).', '8 items cannot be restored, because something else is in the way.', '1 file will be kept as it is there.', '20 files are not there yet and will be written (90.0 kB).',
    '100 files are the same already and will be left.',
  ])
  await list.getByText('Kept').waitFor()
  await rule.selectOption('beside')
  await list.getByText('Restored beside it').first().waitFor()
  await rule.selectOption('never')
  expect((await lines())[1]).toBe('104 files will be kept as they are there.')
  await button('Start restore').click()
  expect(await requests('restore.start')).toMatchObject([{ overwrite: 'never' }])
})

test('an empty folder is said to be one, and a folder that cannot be looked at can be tried again', async () => {
  await openDialog()
  await page.evaluate(() => {
    globalThis.window.fake.folders = ['/mnt/empty']
    globalThis.window.fake.failures.set('restore.plan', { code: 'denied', message: 'x', retryable: false })
  })
  await button('Target folder: Choose…').click()
  await panel().getByRole('alert').waitFor()
  await button('Look again').press('Enter')
  await panel().getByText('Nothing of it is there yet. 1,234 files (2.40 GB) will be written, and nothing will be replaced.').waitFor()
  await button('Start restore').waitFor()
})

test('every rule has words for everything that can be there', () => {
  const totals = Object.fromEntries(planClasses.map((of, index) => [of, { entries: index + 1, bytes: 10 }])) as unknown as PlanTotals
  const none = Object.fromEntries(planClasses.map((of) => [of, { entries: 0, bytes: 0 }])) as unknown as PlanTotals
  const fates = {
    never: ['refused', 'kept', 'written'], changed: ['replaced', 'refused', 'written', 'left'], older: ['replaced', 'refused', 'kept', 'written', 'left'],
    beside: ['beside', 'refused', 'written', 'left'], always: ['replaced', 'refused', 'written', 'compared'],
  }
  for (const rule of overwriteRules) {
    expect(planLines(none, rule)).toEqual([{ fate: 'left', text: 'There is nothing to restore.' }])
    expect(planLines(totals, rule).map(({ fate }) => fate), rule).toEqual(fates[rule])
  }
})
