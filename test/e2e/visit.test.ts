import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { runCli } from '../engine/cli/run-cli.ts'
import { describeTree } from '../fixtures/tree.ts'
import { launchApp, type RunningApp } from './harness/app.ts'
import { randomFile } from './harness/data.ts'
import { freshFolder, type TestFolder } from './harness/folder.ts'
import { findTraces, textsBelow } from './harness/traces.ts'
import { User } from './harness/user.ts'

const password = 'tulip gravel omen lamp'

/** A computer that backs its documents up to a disk, and whose recovery kit lies in a drawer. @returns the words on it */
async function lostComputer(folder: TestFolder): Promise<string> {
  const documents = folder.made('tree/Documents')
  mkdirSync(join(documents, 'letters'))
  writeFileSync(join(documents, 'letters/one.txt'), 'Dear Mia')
  writeFileSync(join(documents, 'plan.txt'), 'a plan')
  randomFile(join(documents, 'photo.bin'), 3_000_000)
  await using app = await launchApp()
  const user = await User.of(app)
  await user.addJob({ name: 'documents', sources: [documents], destination: { type: 'folder', path: folder.made('disk/backup') }, password })
  expect(await user.backUpNow()).toBe('Backed up')
  const kit = folder.path('kit.html')
  const environment = { HOLDFAST_REPO: folder.path('disk/backup'), HOLDFAST_HOME: folder.path('cli'), HOLDFAST_PASSWORD: password }
  expect((await runCli(['kit', 'create', '--out', kit, '--json'], { environment })).code).toBe(0)
  return [...readFileSync(kit, 'utf8').matchAll(/<li>([a-z]+)<\/li>/g)].map(([, word]) => word).join(' ')
}

/** What is typed first is wrong, as with most people. */
async function openBackup(user: User, folder: string, words: string): Promise<void> {
  const field = user.page.getByRole('textbox', { name: 'Password or recovery words', exact: true })
  await user.willChoose({ destination: [folder] })
  await user.click('Backup folder: Choose…')
  await field.fill('not this one')
  await user.click('Open backup')
  await user.sees('This does not open the backup')
  await field.fill(words)
  await user.click('Open backup')
}

async function inTheDark(app: RunningApp, user: User, name: string): Promise<void> {
  await app.screenshot(`${name}-light`)
  await user.page.emulateMedia({ colorScheme: 'dark' })
  await app.screenshot(`${name}-dark`)
  await user.page.emulateMedia({ colorScheme: 'light' })
}

test('a new computer restores from a disk and the words of the recovery kit, without any job', async () => {
  using folder = freshFolder()
  const words = await lostComputer(folder)
  await using app = await launchApp()
  const user = await User.of(app)
  await user.sees('Keep your files safe')
  await inTheDark(app, user, 'visit-first')
  await user.click('Restore from a backup')
  await openBackup(user, folder.path('disk/backup'), words.toUpperCase().replaceAll(' ', ', '))
  await user.page.getByRole('heading', { name: `Backup at ${folder.path('disk/backup')}` }).waitFor()
  await user.click('Open Documents')
  await user.page.getByRole('checkbox', { name: 'Choose letters' }).check()
  await inTheDark(app, user, 'visit-files')
  await user.restoreTo(folder.made('some'))
  expect(describeTree(folder.path('some')).map((line) => line.split(' ')[0])).toEqual(['/', '/Documents/', '/Documents/letters/', '/Documents/letters/one.txt'])
  await user.click('Back')
  await user.page.getByRole('heading', { name: `Backup at ${folder.path('disk/backup')}` }).waitFor()
  await user.restoreTo(folder.made('all'))
  expect(describeTree(folder.path('all/Documents'))).toEqual(describeTree(folder.path('tree/Documents')))
  // Who leaves has to open it again, and nothing of what opened it is anywhere.
  await user.goTo('Settings')
  await user.goTo('Restore')
  await user.click('Restore from a backup')
  // The disk is unplugged.
  renameSync(folder.path('disk/backup'), folder.path('disk/gone'))
  await user.willChoose({ destination: [folder.path('disk/backup')] })
  await user.click('Backup folder: Choose…')
  await user.page.getByRole('textbox', { name: 'Password or recovery words', exact: true }).fill(words)
  await user.click('Open backup')
  await user.page.getByRole('alert').getByText('The folder cannot be reached').waitFor({ timeout: 60_000 })
  await inTheDark(app, user, 'visit-away')
  renameSync(folder.path('disk/gone'), folder.path('disk/backup'))
  await user.click('Open backup')
  await user.page.getByRole('heading', { name: `Backup at ${folder.path('disk/backup')}` }).waitFor()
  for (const secret of [words, words.toUpperCase().replaceAll(' ', ', '), words.split(' ').slice(0, 3).join(' ')]) expect(findTraces(secret, textsBelow(app.state))).toEqual([])
}, 300_000)
