import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { runCli } from '../engine/cli/run-cli.ts'
import { describeTree } from '../fixtures/tree.ts'
import type { AppState } from '../../main/api/contract.ts'
import { launchApp, type RunningApp } from './harness/app.ts'
import { send } from './harness/attacker.ts'
import { randomFile } from './harness/data.ts'
import { freshFolder, type TestFolder } from './harness/folder.ts'
import { findTraces, textsBelow } from './harness/traces.ts'
import { User } from './harness/user.ts'

const password = 'tulip gravel omen lamp'

interface Lost {
  /** On its recovery kit. */
  readonly words: string
  readonly home: string
  readonly tree: readonly string[]
}

/** A computer that backs its documents up to a disk, and whose recovery kit lies in a drawer. Its home is gone with it. */
async function lostComputer(folder: TestFolder): Promise<Lost> {
  await using app = await launchApp()
  await app.electron.evaluate(() => {
    const os: object = process.mainModule?.require('node:os') as object
    Object.assign(os, { hostname: () => 'tower' })
  })
  const documents = join(app.home, 'Documents')
  mkdirSync(join(documents, 'letters'), { recursive: true })
  writeFileSync(join(documents, 'letters/one.txt'), 'Dear Mia')
  writeFileSync(join(documents, 'plan.txt'), 'a plan')
  randomFile(join(documents, 'photo.bin'), 3_000_000)
  const user = await User.of(app)
  await user.addJob({ name: 'documents', sources: [documents], destination: { type: 'folder', path: folder.made('disk/backup') }, password, schedule: 'Every hour' })
  expect(await user.backUpNow()).toBe('Backed up')
  const kit = folder.path('kit.html')
  const environment = { HOLDFAST_REPO: folder.path('disk/backup'), HOLDFAST_HOME: folder.path('cli'), HOLDFAST_PASSWORD: password }
  expect((await runCli(['kit', 'create', '--out', kit, '--json'], { environment })).code).toBe(0)
  const words = [...readFileSync(kit, 'utf8').matchAll(/<li>([a-z]+)<\/li>/g)].map(([, word]) => word).join(' ')
  return { words, home: app.home, tree: describeTree(documents) }
}

/** What is typed first is wrong, as with most people. */
async function openBackup(user: User, folder: string, words: string): Promise<void> {
  const field = user.page.getByRole('textbox', { name: 'Password or recovery words', exact: true })
  await user.willChoose({ destination: [folder] })
  await user.click('Backup folder: Choose…')
  await field.fill('not this one')
  await user.click('Open backup')
  await user.sees('This does not open the backup')
  // Then two words are swapped.
  const [first = '', second = '', ...others] = words.split(/,? /)
  await field.fill([second, first, ...others].join(' '))
  await user.click('Open backup')
  await user.sees(/^(One of the words is wrong|Check the spelling)/)
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
  const { words, tree } = await lostComputer(folder)
  await using app = await launchApp()
  const user = await User.of(app)
  await user.sees('Keep your files safe')
  await inTheDark(app, user, 'visit-first')
  await user.click('Restore from a backup')
  await openBackup(user, folder.path('disk/backup'), words.toUpperCase().replaceAll(' ', ', '))
  await user.page.getByRole('heading', { name: `Backup at ${folder.path('disk/backup')}` }).waitFor()
  await user.page.getByRole('row').filter({ hasText: 'documents' }).waitFor()
  await inTheDark(app, user, 'visit-overview')
  await user.click('Restore files')
  await user.click('Open Documents')
  await user.page.getByRole('checkbox', { name: 'Choose letters' }).check()
  await inTheDark(app, user, 'visit-files')
  await user.restoreTo(folder.made('some'))
  expect(describeTree(folder.path('some')).map((line) => line.split(' ')[0])).toEqual(['/', '/Documents/', '/Documents/letters/', '/Documents/letters/one.txt'])
  await user.click('Back')
  await user.page.getByRole('heading', { name: `Backup at ${folder.path('disk/backup')}` }).waitFor()
  await user.restoreTo(folder.made('all'))
  expect(describeTree(folder.path('all/Documents'))).toEqual(tree)
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

test('a new computer of another person takes the place of a lost one: restores, takes up its job, and its first backup sends nothing again', async () => {
  using folder = freshFolder()
  const { words, home, tree } = await lostComputer(folder)
  await using app = await launchApp()
  const user = await User.of(app)
  await user.click('Restore from a backup')
  // As it stands on the page.
  await user.page.getByRole('textbox', { name: 'Address', exact: true }).fill(`file://${folder.path('disk/backup')}`)
  await user.sees(`The kit names the folder ${folder.path('disk/backup')}.`)
  await openBackup(user, folder.path('disk/backup'), words)
  await user.click('Restore files')
  await user.restoreTo(folder.made('restored'))
  await user.click('Back')
  await user.click('Back')
  await user.click('Set this computer up again')
  await user.sees(`What was in ${home} there is in ${app.home} here`)
  // Its folder is not where the job looks for it, until somebody puts it there.
  await user.sees('not here yet')
  await inTheDark(app, user, 'visit-import')
  renameSync(folder.path('restored/Documents'), join(app.home, 'Documents'))
  await user.page.getByRole('radio', { name: 'Replaces tower' }).check()
  await user.willChoose({ confirm: false })
  await user.click('Set up 1 job…')
  await expect.poll(() => user.button('Set up 1 job…').isEnabled()).toBe(true)
  await user.willChoose({ confirm: true })
  await user.click('Set up 1 job…')
  await user.sees('1 job is set up on this computer')
  await user.openJob('documents')
  await inTheDark(app, user, 'visit-imported')
  expect(await user.backUpNow()).toMatch(/^(Backed up|Nothing had changed)$/)
  const state = (await send(user.page, 'state.get', undefined)) as { value: { app: AppState } }
  const [job] = state.value.app.jobs
  expect(job).toMatchObject({ host: 'tower', config: { name: 'documents', sources: [{ path: join(app.home, 'Documents') }], schedule: { type: 'hourly' } } })
  expect(state.value.app.visit).toBeUndefined()
  // The photo alone has three million.
  expect(job?.lastRun?.uploadedBytes).toBeLessThan(200_000)
  expect(describeTree(join(app.home, 'Documents'))).toEqual(tree)
  const environment = { HOLDFAST_REPO: folder.path('disk/backup'), HOLDFAST_HOME: folder.path('cli'), HOLDFAST_PASSWORD: password }
  const listed = await runCli(['snapshots', '--json'], { environment })
  expect(new Set(listed.events.filter(({ type }) => type === 'snapshot').map((one) => (one as { host: string }).host))).toEqual(new Set(['tower']))
  for (const secret of [words]) expect(findTraces(secret, textsBelow(app.state))).toEqual([])
}, 300_000)
