import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { runCli } from '../engine/cli/run-cli.ts'
import { launchApp } from './harness/app.ts'
import { freshFolder } from './harness/folder.ts'
import { User } from './harness/user.ts'

const password = 'tulip gravel omen lamp'
const another = 'wörter ganz anders'

test('a month after the first backup the password is asked for; who has lost it adds another one, and both open the backup', async () => {
  using folder = freshFolder()
  writeFileSync(`${folder.made('tree')}/letter.txt`, 'text')
  await using app = await launchApp()
  const user = await User.of(app)
  await user.addJob({ name: 'letters', sources: [folder.path('tree')], destination: { type: 'folder', path: folder.made('backup') }, password })
  expect(await user.backUpNow()).toBe('Backed up')
  await app.electron.evaluate(() => {
    const { now } = Date
    Date.now = () => now() + 31 * 24 * 3_600_000
  })
  // The app looks every half a minute whether something is due.
  await user.page.getByText('Do you still know the password of “letters”?').waitFor({ timeout: 120_000 })
  await app.screenshot('password-notice')
  await user.click('Try it…')
  await user.page.getByRole('textbox', { name: 'Password', exact: true }).fill('tulip gravel onion lamp')
  await user.click('Check')
  await user.sees('This does not open the backup.')
  await app.screenshot('password-wrong')
  await user.click('Add another password')
  await user.page.getByRole('textbox', { name: 'New password', exact: true }).fill(another)
  await user.page.getByRole('textbox', { name: 'Repeat the password', exact: true }).fill(another)
  await user.willChoose({ confirm: true })
  await user.click('Add password…')
  await user.sees('The new password opens the backup. You will be asked for it in two months.')
  expect(await user.page.getByText('Do you still know the password').count()).toBe(0)
  for (const one of [password, another]) {
    const environment = { HOLDFAST_REPO: folder.path('backup'), HOLDFAST_HOME: folder.path('elsewhere'), HOLDFAST_PASSWORD: one }
    expect((await runCli(['snapshots', '--json'], { environment })).code, one).toBe(0)
  }
  // The app goes on with the one that it keeps now.
  writeFileSync(`${folder.path('tree')}/letter.txt`, 'another text')
  expect(await user.backUpNow()).toBe('Backed up')
  const log = readFileSync(join(app.state, 'logs/holdfast.jsonl'), 'utf8')
  for (const secret of [password, another, 'onion']) expect(log).not.toContain(secret)
}, 300_000)
