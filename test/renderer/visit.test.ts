import type { Page } from 'playwright-core'
import { beforeAll, beforeEach, expect, test } from 'vitest'
import { personAtWindow } from './harness/person.ts'
import type { TestWindow } from './harness/window.ts'

const person = personAtWindow()
const { button, goTo, requests } = person
let window: TestWindow
let page: Page

beforeAll(() => { ({ window, page } = person) })

beforeEach(() => page.setViewportSize({ width: 900, height: 600 }))

const password = () => page.getByRole('textbox', { name: 'Password or recovery words', exact: true })

async function open(): Promise<void> {
  await button('Backup folder: Choose…').click()
  await password().fill('legal winner thank')
  await button('Open backup').click()
  await page.getByRole('heading', { name: 'Backup at /home/mia/Documents' }).waitFor()
}

test('the first page offers a backup and a restore, in buttons of the same size', async () => {
  await window.open('first-run')
  const sizes = await Promise.all(['Back up this computer', 'Restore from a backup'].map(async (name) => {
    const { width, height } = (await button(name).boundingBox()) ?? { width: 0, height: 0 }
    return [Math.round(width), Math.round(height)]
  }))
  expect(sizes[0]).toEqual(sizes[1])
  expect(sizes[0]?.[0]).toBeGreaterThan(100)
  await button('Restore from a backup').click()
  await page.getByRole('heading', { name: 'Restore from a backup' }).waitFor()
  await button('Back').click()
  await button('Back up this computer').waitFor()
})

test('what is missing is marked, and nothing is sent; then the backup is open and its folders are shown', async () => {
  await window.open('first-run')
  await button('Restore from a backup').click()
  await button('Open backup').click()
  await page.getByText('Choose a folder.').waitFor()
  await page.getByText('This is needed.').waitFor()
  expect(await requests('visit.open')).toEqual([])
  await open()
  expect(await requests('visit.open')).toEqual([{ destination: { type: 'folder', folder: { id: '/home/mia/Documents' } }, secrets: { password: 'legal winner thank' } }])
  // What is in it comes first.
  await page.getByRole('row').filter({ hasText: 'Documents' }).first().waitFor()
  await button('Restore files').click()
  await button('Open Documents').click()
  await page.getByText('Budget 2026.ods', { exact: true }).waitFor()
  expect((await requests('browse.list')).at(-1)).toMatchObject({ place: { visitId: 'v1' } })
  await page.getByRole('checkbox', { name: 'Choose Budget 2026.ods' }).check()
  await button('Restore…').click()
  await button('Target folder: Choose…').click()
  await button('Start restore').click()
  await page.getByRole('heading', { level: 1, name: /\/home\/mia\/Documents/ }).waitFor()
  expect(await requests('restore.start')).toMatchObject([{ place: { visitId: 'v1' } }])
  // It stays open while its restore is looked at, and is closed when its pages are left.
  await button('Back').click()
  await page.getByRole('heading', { name: 'Backup at /home/mia/Documents' }).waitFor()
  expect(await requests('visit.close')).toEqual([])
  await button('Close backup').click()
  await expect.poll(() => requests('visit.close')).toEqual([{ visitId: 'v1' }])
})

test('a storage is asked for all that it needs, and nothing that was typed for one goes to another', async () => {
  await window.open('first-run')
  await button('Restore from a backup').click()
  await page.getByRole('radio', { name: 'S3 storage' }).check()
  await page.getByLabel('Bucket', { exact: true }).fill('mine')
  await page.getByLabel('Access key ID').fill('id')
  await page.getByRole('radio', { name: 'WebDAV server' }).check()
  await page.getByRole('radio', { name: 'S3 storage' }).check()
  expect(await page.getByLabel('Bucket', { exact: true }).inputValue()).toBe('')
  await page.getByLabel('Bucket', { exact: true }).fill('mine')
  await page.getByLabel('Access key ID').fill('id')
  await password().fill('pw')
  await button('Open backup').click()
  await page.getByText('This is needed.').waitFor()
  expect(await requests('visit.open')).toEqual([])
  await page.getByLabel('Secret access key').fill('key')
  await button('Open backup').click()
  await expect.poll(() => requests('visit.open')).toMatchObject([{ destination: { provider: 's3', values: { bucket: 'mine' } }, secrets: { password: 'pw', storage: { accessKeyId: 'id', secretAccessKey: 'key' } } }])
})

test.each([
  ['password', 'This does not open the backup'],
  ['not-a-repository', 'There is no backup here'],
  ['offline', 'The folder cannot be reached'],
] as const)('%s is told beside the form, which keeps what was typed', async (code, title) => {
  await window.open('first-run')
  await button('Restore from a backup').click()
  await page.evaluate((failed) => { globalThis.window.fake.failures.set('visit.open', { code: failed, message: 'raw', retryable: false }) }, code)
  await button('Backup folder: Choose…').click()
  await password().fill('legal winner')
  await password().press('Enter')
  await page.getByRole('alert').getByText(title).waitFor()
  expect(await password().inputValue()).toBe('legal winner')
  expect(await page.textContent('body')).not.toContain('raw')
})

test('with jobs, the restore page leads there too', async () => {
  await window.open('idle')
  await goTo('Restore')
  await button('Another backup…').click()
  await open()
  await goTo('Settings')
  await expect.poll(() => requests('visit.close')).toEqual([{ visitId: 'v1' }])
})

test('a computer is set up again: what cannot be is told, what is chosen is made, and then the backup is closed', async () => {
  await window.open('first-run')
  await button('Restore from a backup').click()
  await open()
  await button('Set this computer up again').click()
  await page.getByText('What was in /home/mia.old there is in /home/mia here').waitFor()
  await page.getByText('A job of this name is on this computer already').waitFor()
  expect(await page.getByRole('checkbox', { name: 'Documents' }).isDisabled()).toBe(true)
  await page.getByText('not here yet').waitFor()
  await page.getByText('Some folders are not on this computer').waitFor()
  await page.getByRole('checkbox', { name: 'Family photos' }).uncheck()
  await expect.poll(() => page.getByText('Some folders are not on this computer').count()).toBe(0)
  await button('Set up 1 job…').click()
  await expect.poll(() => requests('visit.import')).toEqual([{ visitId: 'v1', machineId: '0', jobs: ['Mail'], replaces: false }])
  await page.getByText('1 job is set up on this computer').waitFor()
  await page.getByRole('heading', { name: 'Backups' }).waitFor()
  await expect.poll(() => requests('visit.close')).toEqual([{ visitId: 'v1' }])
})

test('it may take the place of the other one; a no of the person leaves the page as it is', async () => {
  await window.open('first-run')
  await button('Restore from a backup').click()
  await open()
  await button('Set this computer up again').click()
  await page.getByRole('radio', { name: 'Replaces mias-tower' }).check()
  await page.evaluate(() => { globalThis.window.fake.failures.set('visit.import', { code: 'aborted', message: 'raw', retryable: false, data: { declined: true } }) })
  await button('Set up 2 jobs…').click()
  await expect.poll(() => requests('visit.import')).toEqual([{ visitId: 'v1', machineId: '0', jobs: ['Family photos', 'Mail'], replaces: true }])
  expect(await page.getByRole('radio', { name: 'Replaces mias-tower' }).isChecked()).toBe(true)
  // One whose jobs cannot be read, and which has the name of this computer.
  await page.getByRole('combobox', { name: 'Computer' }).selectOption({ index: 1 })
  await page.getByText('Its jobs cannot be read').waitFor()
  expect(await page.getByRole('radio', { name: 'Replaces' }).count()).toBe(0)
  expect(await button('Set up 0 jobs…').isDisabled()).toBe(true)
})

test('where no computer has left its jobs, files are what can be restored', async () => {
  await window.open('first-run')
  await button('Restore from a backup').click()
  await open()
  await page.evaluate(() => { globalThis.window.fake.change({ visit: { id: 'v1', name: 'x', machines: 0 } }) })
  await page.getByText('No computer has left its jobs here').waitFor()
  expect(await button('Set this computer up again').isDisabled()).toBe(true)
})

test('the address of a recovery kit fills the form in; a folder is still chosen by the person', async () => {
  await window.open('first-run')
  await button('Restore from a backup').click()
  const address = page.getByRole('textbox', { name: 'Address', exact: true })
  await page.evaluate(() => {
    globalThis.window.fake.readings = {
      's3://mine/laptop': { type: 'provider', provider: 's3', values: { bucket: 'mine', prefix: 'laptop', endpoint: 'https://s3.example.org' } },
      's3://mine?endpont=x': { type: 'wrong', words: 'Unknown setting "endpont" in the s3 address.' },
      'file:///mnt/Blue%20Disk/backup': { type: 'folder', path: '/mnt/Blue Disk/backup' },
    }
  })
  await address.fill('s3://mine/laptop')
  await expect.poll(() => page.getByRole('radio', { name: 'S3 storage' }).isChecked()).toBe(true)
  await expect.poll(() => page.getByLabel('Bucket', { exact: true }).inputValue()).toBe('mine')
  await expect.poll(() => page.getByLabel('Folder', { exact: true }).inputValue()).toBe('laptop')
  await expect.poll(() => page.getByLabel('Endpoint').inputValue()).toBe('https://s3.example.org')
  await address.fill('s3://mine?endpont=x')
  await page.getByText('Unknown setting "endpont" in the s3 address').waitFor()
  await address.fill('nothing://of/the/kind')
  await page.getByText('No storage has such an address.').waitFor()
  await address.fill('file:///mnt/Blue%20Disk/backup')
  await page.getByText('The kit names the folder /mnt/Blue Disk/backup.').waitFor()
  await expect.poll(() => page.getByRole('radio', { name: 'Folder or disk' }).isChecked()).toBe(true)
  await button('Open backup').click()
  await page.getByText('Choose a folder.').waitFor()
  expect(await requests('visit.open')).toEqual([])
})
