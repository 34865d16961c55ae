import { once } from 'node:events'
import { mkdirSync, renameSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { expect, test } from 'vitest'
import { makeOddTree } from '../fixtures/tree.ts'
import { launchApp, type RunningApp } from './harness/app.ts'
import { randomFile } from './harness/data.ts'
import { openFakeDesktop } from './harness/desktop.ts'
import { freshFolder } from './harness/folder.ts'
import { openStorage } from './harness/storage.ts'
import { User } from './harness/user.ts'

const sizes = [{ width: 900, height: 600 }, { width: 1400, height: 900 }] as const
const themes = ['light', 'dark'] as const
const password = 'tulip gravel omen lamp'

/** Pictures of what is shown, in both themes and sizes, in artifacts/screenshots. Nothing may be wider than the window. */
async function pictures({ page }: User, app: RunningApp, name: string, prepare: () => Promise<void> = async () => undefined): Promise<void> {
  for (const size of sizes) {
    await page.setViewportSize(size)
    for (const colorScheme of themes) {
      await page.emulateMedia({ colorScheme })
      await prepare()
      await app.screenshot(`${name}-${colorScheme}-${size.width}`)
    }
    const wide = await page.evaluate(() => [document.documentElement, ...document.querySelectorAll('main')].filter((one) => one.scrollWidth > one.clientWidth).map((one) => one.tagName))
    expect(wide, `${name} at ${size.width}`).toEqual([])
  }
  await page.setViewportSize(sizes[1])
  await page.emulateMedia({ colorScheme: 'light' })
}

test('every view with real data, in both themes and sizes', async () => {
  using folder = freshFolder()
  const documents = folder.path('Documents')
  makeOddTree(documents)
  for (let year = 2015; year < 2026; year++) {
    mkdirSync(`${documents}/${year}`)
    writeFileSync(`${documents}/${year}/Tax return ${year}.pdf`, 'x'.repeat(year))
  }
  const socket = createServer().listen(`${documents}/agent.sock`)
  await once(socket, 'listening')
  randomFile(`${folder.made('Photos')}/holiday.mov`, 40_000_000)
  await using storage = await openStorage()
  await using desktop = await openFakeDesktop()
  await using app = await launchApp({ environment: desktop.environment })
  const user = await User.of(app)
  const { page } = user
  const complaints: string[] = []
  page.on('pageerror', (error) => complaints.push(String(error)))
  page.on('console', (message) => { if (message.type() === 'error' || message.type() === 'warning') complaints.push(message.text()) })
  await page.getByRole('button', { name: 'Dismiss' }).click()
  await pictures(user, app, '01-first-start')

  await user.openForm()
  await user.click('Create job')
  await user.sees('Choose at least one folder.')
  await pictures(user, app, '02-form-errors')
  await user.click('Cancel')
  const destination = { type: 'folder' as const, path: folder.made('Backup disk') }
  await user.addJob({ name: 'Documents', sources: [documents, folder.made('USB stick')], destination, password })
  await pictures(user, app, '03-job-never-run')
  renameSync(folder.path('USB stick'), folder.path('unplugged'))
  expect(await user.backUpNow()).toBe('Backed up, 1 warning')
  await user.click(/^Show details of the run of/)
  await user.sees('This folder is not there')
  await pictures(user, app, '04-job-warnings')
  await user.addJob({ name: 'Shared disk', sources: [documents], destination, password: 'not the same words' })
  expect(await user.backUpNow()).toBe('Failed')
  await pictures(user, app, '05-job-failed')

  await user.goTo('Backups')
  await user.click('Add job')
  await user.fillJob({ name: 'Photos', sources: [folder.path('Photos')], destination: storage.destination, password, limit: 5e6, schedule: 'Every day' })
  await user.click('Test connection')
  await user.sees('Connection works')
  await pictures(user, app, '06-form-storage', () => user.button('Test connection').scrollIntoViewIfNeeded())
  // The top, at every size: a smaller window keeps the place that a larger one was scrolled to.
  await pictures(user, app, '07-form-top', () => page.getByRole('main').evaluate((main) => { main.scrollTo(0, 0) }))
  storage.holdPacks(1)
  await user.click('Create and back up now')
  await expect.poll(() => storage.held).toBeGreaterThan(0)
  // Less than a pack: what is on its way counts before it has arrived.
  await user.sees(/^\d\.\d\d MB of 40\.0 MB/)
  await pictures(user, app, '08-job-running')
  await user.goTo('Backups')
  await pictures(user, app, '09-jobs')
  await user.openJob('Photos')
  await user.click('Stop')
  await pictures(user, app, '10-stop-dialog')
  await user.click('Keep running')
  await user.click('Pause')
  await page.getByRole('main').getByRole('heading', { name: 'Paused' }).waitFor()
  await pictures(user, app, '11-job-paused')
  await user.click('Resume')
  storage.release()

  await user.openJob('Documents')
  await user.click('Browse this snapshot')
  await user.click('Open Documents')
  await page.getByRole('checkbox', { name: 'Choose plain.txt' }).check()
  await pictures(user, app, '12-browse')
  await user.willChoose({ restore: [folder.made('Restored')] })
  await user.click('Restore…')
  await user.click('Target folder: Choose…')
  await pictures(user, app, '13-restore-dialog')
  await user.click('Start restore')
  await page.getByRole('heading', { name: 'Restored' }).waitFor()
  await pictures(user, app, '14-restored')
  await user.goTo('Settings')
  await pictures(user, app, '15-settings')
  await user.openJob('Photos')
  await user.click('More actions')
  await page.getByRole('menuitem', { name: 'Edit job' }).click()
  await page.getByLabel('Endpoint').fill('https://s3.example.com')
  await user.click('Save')
  await user.sees('Another destination: enter its password and keys')
  await pictures(user, app, '16-form-moved', () => page.getByLabel('Password of the repository').scrollIntoViewIfNeeded())
  expect(complaints).toEqual([])
  socket.close()
}, 120_000)
