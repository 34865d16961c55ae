import { writeFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { runCli } from '../engine/cli/run-cli.ts'
import { launchApp } from './harness/app.ts'
import { freshFolder } from './harness/folder.ts'
import { User } from './harness/user.ts'

const password = 'tulip gravel omen lamp'

test('a job that keeps the last two is looked after by itself a day later: two of four snapshots are left, and its page says so', async () => {
  using folder = freshFolder()
  const file = `${folder.made('tree')}/letter.txt`
  await using app = await launchApp()
  const user = await User.of(app)
  await user.openForm()
  await user.fillJob({ name: 'letters', sources: [folder.path('tree')], destination: { type: 'folder', path: folder.made('backup') }, password })
  await user.page.getByRole('radio', { name: 'Own numbers' }).check()
  for (const name of ['Daily', 'Weekly', 'Monthly', 'Yearly', 'All of the last']) await user.page.getByRole('textbox', { name, exact: true }).fill('')
  await user.page.getByRole('textbox', { name: 'The last', exact: true }).fill('2')
  await user.willChoose({ confirm: false })
  await user.click('Create job')
  // Nobody has said yes to the question of main: the form stays.
  await expect.poll(() => user.button('Create job').isEnabled()).toBe(true)
  await user.willChoose({ confirm: true })
  await user.click('Create job')
  await user.sees(/^Not yet\. It begins after the first backup\.$/)
  for (const text of ['one', 'two', 'three', 'four']) {
    writeFileSync(file, `letter ${text}`)
    expect(await user.backUpNow()).toBe('Backed up')
  }
  /** As the command line sees the repository from elsewhere. */
  const snapshots = async (): Promise<readonly string[]> => {
    const { events } = await runCli(['snapshots', '--json'], { environment: { HOLDFAST_REPO: folder.path('backup'), HOLDFAST_HOME: folder.path('elsewhere'), HOLDFAST_PASSWORD: password } })
    return [...JSON.stringify(events).matchAll(/"id":"(letters@\d+)"/g)].map(([, id]) => id ?? '').sort()
  }
  expect(await snapshots()).toEqual(['letters@1', 'letters@2', 'letters@3', 'letters@4'])

  await app.electron.evaluate(() => {
    const { now } = Date
    Date.now = () => now() + 26 * 3_600_000
  })
  // The app looks every half a minute whether something is due.
  await user.page.getByText(/^Just now: 2 snapshots removed, .*\d files? restored for a test\. Oldest read-back of a pack: /).waitFor({ timeout: 120_000 })
  expect(await snapshots()).toEqual(['letters@3', 'letters@4'])
  await app.screenshot('care')
  await user.click('More actions')
  await user.page.getByRole('menuitem', { name: 'Look after it now' }).click()
  await user.page.getByText(/^Just now: nothing was to be done\./).waitFor({ timeout: 60_000 })
  expect(await snapshots()).toEqual(['letters@3', 'letters@4'])
}, 300_000)
