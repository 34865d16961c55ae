import { readFileSync, renameSync, writeFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { runCli } from '../engine/cli/run-cli.ts'
import { launchApp, type RunningApp } from './harness/app.ts'
import { freshFolder } from './harness/folder.ts'
import { User } from './harness/user.ts'

const password = 'tulip gravel omen lamp'
const ofCopy = 'anchor velvet moss pear'

/** As it is, in both of its looks. */
async function pictures(app: RunningApp, name: string): Promise<void> {
  const page = await app.window()
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme })
    await app.screenshot(`${name}-${colorScheme}`)
  }
  await page.emulateMedia({ colorScheme: 'light' })
}

test('a backup is copied to a second folder and restored from there; a copy whose disk is missing says so and is caught up when it is back', async () => {
  using folder = freshFolder()
  const file = `${folder.made('tree')}/letter.txt`
  writeFileSync(file, 'letter one')
  await using app = await launchApp()
  const user = await User.of(app)
  await user.addJob({ name: 'letters', sources: [folder.path('tree')], destination: { type: 'folder', path: folder.made('backup') }, password })
  await user.sees('A copy on another disk or elsewhere keeps your files when something happens to this backup.')
  expect(await user.backUpNow()).toBe('Backed up')

  await user.click('Add a copy…')
  const dialog = user.page.getByRole('dialog')
  await dialog.getByRole('heading', { name: 'Copy the backup of “letters” to another place' }).waitFor()
  await dialog.getByRole('button', { name: 'Add and copy now' }).click()
  await dialog.getByText('Choose a folder').first().waitFor()
  await pictures(app, 'copy-dialog')
  // The place of the backup itself is no place for a copy of it.
  await user.willChoose({ destination: [folder.path('backup')] })
  await dialog.getByRole('button', { name: 'Backup folder: Choose…' }).click()
  await dialog.getByLabel('Password of the repository').fill(ofCopy)
  await dialog.getByLabel('Repeat the password').fill(ofCopy)
  await dialog.getByRole('button', { name: 'Add and copy now' }).click()
  await dialog.getByText('The backup itself is at this place').waitFor()
  await user.willChoose({ destination: [folder.made('copy')] })
  await dialog.getByRole('button', { name: 'Backup folder: Choose…' }).click()
  await dialog.getByRole('button', { name: 'Add and copy now' }).click()
  await user.page.getByText(/^Last copied .*, 1 snapshot\.$/).waitFor({ timeout: 60_000 })
  // All of it is on the disk of this test.
  await user.page.getByText('3 copies on 1 kind of storage, none elsewhere').waitFor({ timeout: 60_000 })
  await user.sees('Your files and their backup are on one disk')
  await user.page.getByText(`Copy: ${folder.path('copy')}`).scrollIntoViewIfNeeded()
  await user.page.getByText('Keeps what the backup forgets').scrollIntoViewIfNeeded()
  await pictures(app, 'copies')
  await user.click('Leave it so')
  await expect.poll(() => user.page.getByText('Your files and their backup are on one disk').count()).toBe(0)

  /** As the command line finds the copy, on a machine that has nothing else. */
  const restored = async (name: string): Promise<string> => {
    const environment = { HOLDFAST_REPO: folder.path('copy'), HOLDFAST_HOME: folder.path('elsewhere'), HOLDFAST_PASSWORD: ofCopy }
    const { code, stderr } = await runCli(['restore', 'latest', '--to', folder.path(name)], { environment })
    expect([code, stderr]).toEqual([0, expect.any(String)])
    return readFileSync(`${folder.path(name)}/tree/letter.txt`, 'utf8')
  }
  expect(await restored('first')).toBe('letter one')

  renameSync(folder.path('copy'), folder.path('unplugged'))
  writeFileSync(file, 'letter two')
  expect(await user.backUpNow()).toBe('Backed up')
  await user.click(`Copy to ${folder.path('copy')} now`)
  await user.page.getByText(/^This place was not there just now\. Copying goes on as soon as it is back\. Last copied .*, 1 snapshot\.$/).waitFor({ timeout: 60_000 })
  await user.page.getByText('Keeps what the backup forgets').scrollIntoViewIfNeeded()
  await pictures(app, 'copy-away')
  // An hour later it is tried again, whether the app has seen the disk come back or not.
  renameSync(folder.path('unplugged'), folder.path('copy'))
  await app.electron.evaluate(() => {
    const { now } = Date
    Date.now = () => now() + 75 * 60_000
  })
  await user.page.getByText(/^Last copied (?:just now|\d min ago), 2 snapshots\.$/).waitFor({ timeout: 120_000 })
  expect(await restored('second')).toBe('letter two')

  await user.willChoose({ confirm: true })
  await user.click(`Remove the copy at ${folder.path('copy')}…`)
  await expect.poll(() => user.page.getByText(/^Last copied/).count()).toBe(0)
  expect(await restored('third')).toBe('letter two')
}, 400_000)
