import type { Page } from 'playwright-core'
import { beforeAll, beforeEach, expect, test } from 'vitest'
import { changeSize, changeTotals } from '../../renderer/text/changes.ts'
import { personAtWindow } from './harness/person.ts'
import type { TestWindow } from './harness/window.ts'

const person = personAtWindow()
const { button, goTo, requests } = person
let window: TestWindow
let page: Page

beforeAll(() => { ({ window, page } = person) })

beforeEach(() => page.setViewportSize({ width: 1100, height: 700 }))

test('what a snapshot changed is told in a sum and entry by entry, and shown where it is', async () => {
  await window.open('idle')
  await goTo('Restore')
  await button('What changed…').click()
  const dialog = page.getByRole('dialog', { name: 'What changed' })
  await dialog.getByText('1,202 new (48.0 kB), 1 gone (900 bytes), 1 changed (26.5 kB)').waitFor()
  await dialog.getByText('From Documents@127 to Documents@128').waitFor()
  await dialog.getByText('1 entry has another time, owner or other rights only.').waitFor()
  await dialog.getByText('The first 4 are shown.').waitFor()
  expect(await requests('browse.changes')).toMatchObject([{ place: { jobId: 'j1' }, snapshot: 'Documents@128', limit: 500 }])
  const rows = dialog.getByRole('list', { name: 'What came, went and changed, by path' }).getByRole('listitem')
  expect(await rows.count()).toBe(4)
  expect((await rows.allInnerTexts()).map((text) => text.replaceAll(/\s*\n\s*/g, ' | ').replace(' | Show in folder', ''))).toEqual([
    'New | 2027/ | Documents/Reports', 'New | Plan.odt | Documents/Reports/2027 | 48.0 kB', 'Changed | Budget.ods | Documents/Reports | 20.0 kB → 26.5 kB', 'Gone | Old notes.txt | Documents | 900 bytes',
  ])
  await dialog.getByRole('button', { name: 'Show in folder: Budget.ods' }).press('Enter')
  await expect.poll(() => dialog.count()).toBe(0)
  await page.getByRole('navigation', { name: 'Folder' }).getByText('Reports').waitFor()
  await expect.poll(async () => (await requests('browse.list')).at(-1)).toMatchObject({ snapshot: 'Documents@128' })
})

test('what is gone is shown in the snapshot before', async () => {
  await window.open('idle')
  await goTo('Restore')
  await button('What changed…').click()
  await page.getByRole('button', { name: 'Show in folder: Old notes.txt' }).click()
  await expect.poll(async () => (await requests('browse.list')).at(-1)).toMatchObject({ snapshot: 'Documents@127' })
})

test('words of the figures', () => {
  const none = { entries: 0, bytes: 0 }
  const totals = { added: none, removed: none, content: none, metadata: { entries: 5, bytes: 5 }, type: none }
  expect(changeTotals({ totals })).toBe('')
  expect(changeTotals({ totals: { ...totals, type: { entries: 2, bytes: 0 }, removed: { entries: 1, bytes: 0 } } })).toBe('1 gone, 2 of another type')
  const entry = { path: new Uint8Array(), shown: 'x', folder: '', type: 'file' } as const
  expect(changeSize({ ...entry, kind: 'content', sizeBefore: 5, size: 5 })).toBe('5 bytes')
  expect(changeSize({ ...entry, kind: 'type', type: 'directory', sizeBefore: 5 })).toBe('5 bytes')
  expect(changeSize({ ...entry, kind: 'added', type: 'directory' })).toBe('')
})
