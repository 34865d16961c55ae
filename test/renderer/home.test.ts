import type { Page } from 'playwright-core'
import { beforeAll, describe, expect, test } from 'vitest'
import { personAtWindow } from './harness/person.ts'
import type { TestWindow } from './harness/window.ts'

const person = personAtWindow()
const { button, goTo, requests: calls } = person
let window: TestWindow
let page: Page

beforeAll(() => { ({ window, page } = person) })

describe('the home page', () => {
  test('says in a sentence how safe the files are, and what helps, worst first', async () => {
    await window.open('idle')
    await page.getByRole('heading', { name: 'Not protected: the first backup of “Virtual machines” failed' }).waitFor()
    const others = page.getByRole('region', { name: 'Needs attention' }).getByRole('listitem')
    expect(await others.allInnerTexts()).toEqual([expect.stringMatching(/^The last backup of “Photos” had 3 warnings\s+Show which$/)])
    await button('Show which: Photos').click()
    await page.getByRole('heading', { level: 1, name: 'Photos' }).waitFor()
    await goTo('Backups')
    await button('Show: Virtual machines').click()
    await page.getByRole('heading', { level: 1, name: 'Virtual machines' }).waitFor()
  })

  test('tells when all is well, how far back it goes, and what is stored', async () => {
    await window.open('idle')
    await page.evaluate(() => { globalThis.window.fake.change({ jobs: globalThis.window.fake.app.jobs.filter(({ id }) => id === 'j1') }) })
    const headline = page.getByRole('region', { name: 'Protected' })
    await expect.poll(() => headline.innerText()).toMatch(/^Protected\s+Last backup 3 hours ago to mia-backups\/laptop on s3\.eu-central-1\.example\.com; the oldest copy is 14 months old\.$/)
    await page.getByText('128 GB', { exact: true }).waitFor()
    await page.getByRole('img', { name: 'Added by the last 30 backups: 480 MB by the newest, 1.90 GB at most' }).waitFor()
    expect(await page.getByRole('region', { name: 'Needs attention' }).count()).toBe(0)
  })

  test('a late backup of this computer is told once, and can be told to be left so', async () => {
    await window.open('idle')
    await page.evaluate(() => {
      const { fake } = globalThis.window
      fake.change({ jobs: fake.app.jobs.filter(({ id }) => id === 'j1'), notices: [{ id: 'late', type: 'late', late: [{ job: 'Documents', days: 9 }, { job: 'Mail', host: 'tower', days: 20 }] }] })
    })
    await page.getByRole('heading', { name: /^Not protected for 3 hours: no backup of “Documents” came$/ }).waitFor()
    expect(await page.getByText('Mail on tower: 20 days.').count()).toBe(1)
    // Where it is told, and in the job's own row.
    expect(await button('Back up now: Documents').count()).toBe(2)
    await button('Back up now: Documents').first().click()
    await expect.poll(() => calls('job.run')).toEqual([{ jobId: 'j1' }])
    await button('Do not tell of backups that do not come').click()
    await expect.poll(() => calls('notice.dismiss')).toEqual([{ id: 'late' }])
  })
})

test('the command line of a job is copied from its page', async () => {
  await window.open('idle')
  await goTo('Documents')
  await button('More actions').click()
  await page.getByRole('menuitem', { name: 'Copy command line' }).click()
  await page.getByText('The command is on the clipboard, without password and keys').waitFor()
  expect(await calls('job.copyCommand')).toEqual([{ jobId: 'j1' }])
})

describe('what is in no backup', () => {
  const folders = ['Pictures', 'Music', 'Videos', 'Projects', 'Scans', 'a\u202eb'].map((name, at) => ({ name, bytes: 10 ** (10 - at), isMore: at === 0 }))

  test('is told calmly, with its size, and goes into a job through the dialog of main', async () => {
    await window.open('idle')
    expect(await page.getByRole('region', { name: 'Not in any backup' }).count()).toBe(0)
    await page.evaluate((uncovered) => { globalThis.window.fake.change({ uncovered }) }, folders)
    const card = page.getByRole('region', { name: 'Not in any backup' })
    const lines = (await card.getByRole('listitem').allInnerTexts()).map((text) => text.split(/\s*\n\s*/).slice(0, 2).join(': '))
    expect(lines).toEqual(['Pictures: more than 10.0 GB', 'Music: 1.00 GB', 'Videos: 100 MB', 'Projects: 10.0 MB'])
    await button('Show 2 more').click()
    await card.getByText('a\\u202eb').waitFor()
    await button('Add Music to a job').click()
    await page.getByRole('menuitem', { name: 'Add to “Documents”…' }).click()
    await page.getByRole('heading', { level: 1, name: 'Edit “Documents”' }).waitFor()
    expect(await calls('dialog.folders')).toEqual([{ purpose: 'sources', at: 'Music' }])
    await button('Remove /home/mia/Music').waitFor()
    await button('Save').click()
    await expect.poll(() => calls('job.update')).toMatchObject([{ jobId: 'j1', config: { sources: [{ id: '/home/mia/Documents' }, { id: '/home/mia/Desktop' }, { id: '/home/mia/Mail/archive' }, { id: '/home/mia/Music' }] } }])
  })

  test('makes a new job, or is said to be fine', async () => {
    await window.open('idle')
    await page.evaluate((uncovered) => { globalThis.window.fake.change({ uncovered }) }, folders)
    await button('Pictures needs no backup').click()
    await expect.poll(() => calls('uncovered.fine')).toEqual([{ name: 'Pictures' }])
    await expect.poll(() => button('Pictures needs no backup').count()).toBe(0)
    await button('Add Videos to a job').click()
    await page.getByRole('menuitem', { name: 'New job…' }).click()
    await page.getByRole('heading', { level: 1, name: 'Add job' }).waitFor()
    await button('Remove /home/mia/Videos').waitFor()
  })
})
