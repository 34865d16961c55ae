import type { Page } from 'playwright-core'
import { beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { DriveView } from '../../main/api/contract.ts'
import type { FakeApi, Scenario } from './fake-api.ts'
import { personAtWindow } from './harness/person.ts'
import type { TestWindow } from './harness/window.ts'

const person = personAtWindow()
const { button, requests } = person
let window: TestWindow
let page: Page

beforeAll(() => { ({ window, page } = person) })
beforeEach(() => page.setViewportSize({ width: 900, height: 600 }))

const password = 'tulip gravel omen lamp'
const disk = (change: Partial<DriveView> = {}): DriveView => ({ id: '7c1e2d0a', name: 'Blue Disk', mount: '/media/mia/Blue Disk', freeBytes: 812e9, totalBytes: 1e12, removable: true, ...change })
const field = (label: string) => page.getByRole('textbox', { name: label, exact: true })
const focused = (): Promise<string> => page.evaluate(() => document.activeElement?.getAttribute('aria-label') ?? document.activeElement?.textContent?.trim() ?? '')

async function attach(...drives: readonly DriveView[]): Promise<void> {
  await page.evaluate((all) => { globalThis.window.fake.drives = all }, drives)
}

async function openQuick(scenario: Scenario = 'first-run', set: Partial<Pick<FakeApi, 'drives' | 'repositoryOnDisk'>> = {}): Promise<void> {
  await window.open(scenario)
  await page.getByRole('navigation', { name: 'Pages' }).waitFor()
  await page.evaluate((change) => { Object.assign(globalThis.window.fake, change) }, set)
  await button(scenario === 'first-run' ? 'Back up this computer' : 'Quick setup').click()
  await page.getByRole('heading', { level: 1 }).waitFor()
}

describe('the short form of a first backup', () => {
  test('with one disk attached asks for a password, and no more', async () => {
    await openQuick()
    await expect.poll(() => page.getByRole('radio', { name: 'Blue Disk' }).isChecked()).toBe(true)
    await page.getByText('812 GB free of 1.00 TB').waitFor()
    await page.getByText('Your home folder /home/mia, about 83.2 GB, without caches, trash, and what programs download again.').waitFor()
    await page.getByText('Every day at 20:00; a backup that was missed is made up for.').waitFor()
    await page.getByText('All of 2 days, 30 daily, 12 weekly, 24 monthly, 10 yearly.').waitFor()
    await page.getByText('some files are restored for a test').waitFor()
    await field('Password for the backup').fill(password)
    await page.getByText('Strong', { exact: true }).waitFor()
    await field('Repeat the password').fill(password)
    await button('Start the first backup').click()
    await page.getByRole('heading', { level: 1, name: 'Home' }).waitFor()
    expect(await requests('job.add')).toMatchObject([{
      secrets: { password },
      config: {
        name: 'Home', sources: [{ id: '/home/mia' }], destination: { type: 'folder', folder: { id: '/media/mia/Blue Disk/Holdfast' } }, schedule: { type: 'daily', at: '20:00' },
        excludes: { patterns: ['/.cargo/registry/', '/go/pkg/mod/'], presets: ['caches', 'trash', 'node_modules', 'nobackup', 'cachedir'], oneFileSystem: true }, retention: { daily: 30 },
      },
    }])
    expect(await requests('job.run')).toEqual([{ jobId: 'j1' }])
    expect(window.complaints).toEqual([])
  })

  test('works with the keyboard alone', async () => {
    await window.open('first-run')
    await button('Dismiss').click()
    await button('Back up this computer').focus()
    await page.keyboard.press('Enter')
    await expect.poll(() => page.getByRole('radio', { name: 'Blue Disk' }).isChecked()).toBe(true)
    for (const reached of ['Back', 'All settings']) {
      await page.keyboard.press('Tab')
      expect(await focused()).toContain(reached)
    }
    await page.keyboard.press('Tab')
    await page.keyboard.press('ArrowDown')
    await page.getByRole('radiogroup', { name: 'Destination' }).waitFor()
    await page.keyboard.press('ArrowUp')
    await expect.poll(() => page.getByRole('radio', { name: 'Blue Disk' }).isChecked()).toBe(true)
    await page.keyboard.press('Tab')
    await page.keyboard.type(password)
    await page.keyboard.press('Tab')
    expect(await focused()).toBe('Show password')
    await page.keyboard.press('Tab')
    await page.keyboard.type(password)
    await page.keyboard.press('Enter')
    await page.getByRole('heading', { level: 1, name: 'Home' }).waitFor()
    expect(await requests('job.run')).toHaveLength(1)
  })

  test('says beside each field what is wrong, and goes to the first', async () => {
    await openQuick('first-run', { drives: [disk(), disk({ id: 'b', name: 'Été 2026', mount: '/media/mia/Été 2026' })] })
    await page.getByRole('radio', { name: 'Été 2026' }).waitFor()
    await button('Start the first backup').click()
    await page.getByText('Choose a disk, or another place.').waitFor()
    expect(await page.evaluate(() => document.activeElement?.getAttribute('aria-label'))).toBe('Where the backup goes')
    await page.getByRole('radio', { name: 'Été 2026' }).check()
    await page.getByText('Kept in /media/mia/Été 2026/Holdfast, encrypted.').waitFor()
    await field('Password for the backup').fill('short')
    await button('Start the first backup').click()
    await page.getByText('Use at least 8 characters.').waitFor()
    await field('Password for the backup').fill(password)
    await button('Start the first backup').click()
    await page.getByText('The two passwords differ.').waitFor()
    // Whoever sees what they type need not type it twice.
    await button('Show password').first().click()
    await expect.poll(() => field('Repeat the password').count()).toBe(0)
    await button('Start the first backup').click()
    await page.getByRole('heading', { level: 1, name: 'Home' }).waitFor()
    expect(await requests('job.add')).toMatchObject([{ secrets: { password }, config: { destination: { folder: { id: '/media/mia/Été 2026/Holdfast' } } } }])
  })

  test('shows a disk as soon as it is plugged in, and says when it is gone', async () => {
    await openQuick('first-run', { drives: [] })
    await page.getByText('No disk is attached.').waitFor()
    await page.getByRole('radiogroup', { name: 'Destination' }).waitFor()
    await attach(disk())
    await page.getByRole('radio', { name: 'Blue Disk' }).check({ timeout: 10_000 })
    await page.getByText('Kept in /media/mia/Blue Disk/Holdfast').waitFor()
    await attach(disk({ id: 'other', name: 'Other', mount: '/media/mia/Other' }))
    await page.getByText('This disk is not attached any more.').waitFor({ timeout: 10_000 })
  })

  test('takes a disk that is too small, and says so', async () => {
    await openQuick('first-run', { drives: [disk({ freeBytes: 64e9 })] })
    await page.getByText('This is less than the about 83.2 GB that are to be backed up.').waitFor()
  })

  test('joins a backup that is on the disk already, with its password', async () => {
    await openQuick('first-run', { repositoryOnDisk: true })
    await page.getByText('There is a Holdfast backup in /media/mia/Blue Disk/Holdfast already.').waitFor()
    await page.evaluate(() => { globalThis.window.fake.failures.set('destination.test', { code: 'password', message: 'x', retryable: false }) })
    await field('Password of the backup that is there').fill('not this one')
    await button('Start the first backup').click()
    await page.getByText('This does not open the backup that is there.').waitFor()
    expect(await requests('job.add')).toEqual([])
    await field('Password of the backup that is there').fill(password)
    await button('Start the first backup').click()
    await page.getByRole('heading', { level: 1, name: 'Home' }).waitFor()
    expect(await requests('destination.test')).toHaveLength(2)
  })

  test('leads to every other place, and to all settings and back, with what was chosen', async () => {
    await openQuick()
    await page.getByRole('radio', { name: 'Another place' }).check()
    await page.getByRole('radio', { name: 'S3 storage' }).check()
    await field('Bucket').fill('photos')
    await field('Password for the backup').fill(password)
    await page.getByRole('region', { name: 'Password' }).getByRole('button', { name: 'Show password' }).first().click()
    await field('Name').fill('Everything')
    await button('All settings').click()
    await page.getByRole('heading', { level: 1, name: 'Add job' }).waitFor()
    expect(await page.getByLabel('Bucket', { exact: true }).inputValue()).toBe('photos')
    expect([await field('Name').inputValue(), await field('Password of the repository').inputValue(), await field('Repeat the password').inputValue()]).toEqual(['Everything', password, password])
    await button('Back').click()
    await page.getByRole('heading', { level: 1, name: 'Back up this computer' }).waitFor()
    expect([await field('Bucket').inputValue(), await field('Name').inputValue()]).toEqual(['photos', 'Everything'])
    await button('Change…, When').click()
    await page.getByRole('radio', { name: 'Every hour' }).check()
    await button('Back').click()
    await page.getByText('Every hour; a backup that was missed is made up for.').waitFor()
    // What is wrong is known in both forms, and is not any more where it was mended in the other.
    await button('Start the first backup').click()
    await page.getByText('Some fields need your attention.').waitFor()
    await button('All settings').click()
    await page.getByRole('radio', { name: 'Folder or disk' }).check()
    await button('Backup folder: Choose…').click()
    await expect.poll(() => page.getByText('Some fields need your attention.').count()).toBe(1)
    await page.evaluate(() => { globalThis.window.fake.folders = ['/srv/backup'] })
    await button('Backup folder: Choose…').click()
    await expect.poll(() => page.getByText('Some fields need your attention.').count()).toBe(0)
    await button('Create job').click()
    await page.getByRole('heading', { level: 1, name: 'Everything' }).waitFor()
    expect(await requests('job.add')).toMatchObject([{ config: { name: 'Everything', sources: [{ id: '/home/mia' }], destination: { folder: { id: '/srv/backup' } }, schedule: { type: 'hourly' } }, secrets: { password } }])
  })

  test('changes what is backed up in the same place, and measures it anew', async () => {
    await openQuick()
    await page.getByText('about 83.2 GB').waitFor()
    await button('Change…, What').click()
    expect(await focused()).toBe('Remove /home/mia')
    await page.evaluate(() => { globalThis.window.fake.folders = ['/srv/photos', '/srv/films'] })
    await button('Add folders…').click()
    await button('Remove /home/mia').click()
    await page.getByText('/srv/photos, /srv/films, about 166 GB').waitFor()
    await button('Remove /srv/photos').click()
    await button('Remove /srv/films').click()
    await page.getByText('No folder is chosen yet.').waitFor()
  })

  test('no longer measures for a form that was closed', async () => {
    await openQuick()
    await expect.poll(() => requests('sources.measure')).not.toEqual([])
    expect(await requests('sources.endMeasure')).toEqual([])
    await button('Cancel').click()
    await expect.poll(() => requests('sources.endMeasure')).toHaveLength(1)
    await button('Restore from a backup').waitFor()
  })

  test('is there for later jobs too, under a name that none has', async () => {
    await openQuick('idle')
    await expect.poll(() => field('Name').inputValue()).toBe('Home')
    await field('Password for the backup').fill(password)
    await field('Repeat the password').fill(password)
    await button('Start the backup').click()
    await page.getByRole('heading', { level: 1, name: 'Home' }).waitFor()
    await person.goTo('Backups')
    await button('Quick setup').click()
    await expect.poll(() => field('Name').inputValue()).toBe('Home 2')
  })
})
