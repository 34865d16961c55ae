import type { Page } from 'playwright-core'
import { beforeAll, beforeEach, expect, test } from 'vitest'
import { personAtWindow } from './harness/person.ts'
import type { TestWindow } from './harness/window.ts'

const person = personAtWindow()
const { button, goTo, requests: calls } = person
let window: TestWindow
let page: Page

beforeAll(() => { ({ window, page } = person) })

beforeEach(async () => {
  await page.setViewportSize({ width: 900, height: 600 })
  await window.open('idle')
  await goTo('Documents')
})

test('a copy is added with a place and a password of its own, and begins at once', async () => {
  await page.evaluate(() => { globalThis.window.fake.folders = ['/media/mia/Second/holdfast'] })
  await button('Add a copy…').click()
  const dialog = page.getByRole('dialog')
  await dialog.getByRole('button', { name: 'Add and copy now' }).click()
  expect(await calls('copy.add')).toEqual([])
  await dialog.getByRole('button', { name: 'Backup folder: Choose…' }).click()
  await dialog.getByLabel('Password of the repository').fill('anchor velvet moss pear')
  await dialog.getByLabel('Repeat the password').fill('anchor velvet moss pear')
  await dialog.getByRole('button', { name: 'Test connection' }).click()
  await dialog.getByText('The first copy creates one.').waitFor()
  await dialog.getByRole('radio', { name: 'The copy forgets them too' }).check()
  await dialog.getByRole('button', { name: 'Add and copy now' }).click()
  await page.getByText('Copy: /media/mia/Second/holdfast').waitFor()
  expect(await calls('copy.add')).toMatchObject([{ jobId: 'j1', destination: { type: 'folder' }, secrets: { password: 'anchor velvet moss pear' }, removeVanished: true }])
  expect(await calls('copy.run')).toEqual([{ copyId: 'c1' }])
  await button('Stop copying to /media/mia/Second/holdfast').click()
  expect(await calls('copy.stop')).toEqual([{ copyId: 'c1' }])
  expect(window.complaints).toEqual([])
})

test('what main refuses is told in the dialog, and a no in its own dialog changes nothing', async () => {
  await page.evaluate(() => { globalThis.window.fake.failures.set('copy.add', { code: 'exists', message: 'raw', retryable: false, data: { reason: 'copy-there' } }) })
  await button('Add a copy…').click()
  const dialog = page.getByRole('dialog')
  await dialog.getByRole('button', { name: 'Backup folder: Choose…' }).click()
  await page.evaluate(() => { globalThis.window.fake.folders = ['/media/mia/Second/holdfast'] })
  await dialog.getByRole('button', { name: 'Backup folder: Choose…' }).click()
  await dialog.getByLabel('Password of the repository').fill('anchor velvet moss pear')
  await dialog.getByLabel('Repeat the password').fill('another')
  await dialog.getByRole('button', { name: 'Add and copy now' }).click()
  expect(await calls('copy.add')).toEqual([])
  await dialog.getByLabel('Repeat the password').fill('anchor velvet moss pear')
  await dialog.getByRole('button', { name: 'Add and copy now' }).click()
  await dialog.getByText('A copy is at this place already').waitFor()
})

test('that all copies are in one place is told calmly, until somebody leaves it so', async () => {
  await page.evaluate(() => { globalThis.window.fake.changeJob('j1', (one) => ({ ...one, spread: { copies: 2, kinds: 2, elsewhere: 0, hint: 'computer' } })) })
  await page.getByText('2 copies on 2 kinds of storage, none elsewhere').waitFor()
  await page.getByText('Everything is at this computer').waitFor()
  await button('Leave it so').click()
  expect(await calls('copy.dismissHint')).toEqual([{ jobId: 'j1' }])
  await expect.poll(() => page.getByText('Everything is at this computer').count()).toBe(0)
})

test('a copy is run and removed, and what was wrong with it can be read', async () => {
  await page.evaluate(() => {
    const { fake } = globalThis.window
    fake.changeJob('j1', (one) => ({
      ...one,
      copies: [{ id: 'c1', destination: one.config.destination, removeVanished: false, state: 'idle', completeMs: Date.now(), snapshots: 2, ...(one.lastRun && { lastRun: { ...one.lastRun, id: 'copy-run', operation: 'sync', outcome: 'warnings', problems: 3 } }) }],
    }))
  })
  const row = page.getByRole('listitem').filter({ hasText: 'Copy: ' })
  await row.getByText(/^There were 3 warnings .*2 snapshots\.$/).waitFor()
  await row.getByRole('button', { name: 'Show warnings' }).click()
  expect(await calls('history.problems')).toEqual([{ jobId: 'j1', runId: 'copy-run' }])
  await row.getByRole('button', { name: /^Copy to .* now$/ }).click()
  expect(await calls('copy.run')).toEqual([{ copyId: 'c1' }])
  await row.getByRole('button', { name: /^Remove the copy at / }).click()
  expect(await calls('copy.remove')).toEqual([{ copyId: 'c1' }])
  await expect.poll(() => row.count()).toBe(0)
})
