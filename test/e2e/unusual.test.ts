import { expect, test } from 'vitest'
import { runCli } from '../engine/cli/run-cli.ts'
import { Household } from '../fixtures/household.ts'
import { launchApp } from './harness/app.ts'
import { openFakeDesktop } from './harness/desktop.ts'
import { freshFolder } from './harness/folder.ts'
import { User } from './harness/user.ts'

const password = 'tulip gravel omen lamp'

test('all files of a job are encrypted by an attacker: it is notified, older snapshots are held on every machine, and the window releases them', async () => {
  using folder = freshFolder()
  const home = new Household(folder.path('home'), 0.1)
  await using desktop = await openFakeDesktop()
  await using app = await launchApp({ environment: desktop.environment })
  const user = await User.of(app)
  await user.addJob({ name: 'documents', sources: [home.folder], destination: { type: 'folder', path: folder.made('backup') }, password })
  expect(await user.backUpNow()).toBe('Backed up')
  /** As another machine's command line looks after the same repository. */
  const forget = (): ReturnType<typeof runCli> => runCli(['forget', '--all-hosts', '--keep-last', '1', '--json'], {
    environment: { HOLDFAST_REPO: folder.path('backup'), HOLDFAST_HOME: folder.path('elsewhere'), HOLDFAST_PASSWORD: password },
  })

  home.encrypt(home.files())
  expect(await user.backUpNow()).toBe('Backed up, 1 warning')
  const told = await desktop.nextNotification('documents: an unusual change')
  expect(told.body).toBe('Very many files look encrypted that did not before. Older backups are kept until you have said that it is fine.')
  await user.goTo('Settings')
  desktop.click(told)
  await user.sees(/^As many as \d+ of \d+ files were replaced by what looks encrypted\..* Since documents@2 nothing older is let go\./)
  expect((await forget()).events.at(-1)).toMatchObject({ outcome: 'warnings', details: { forgotten: [], held: [{ job: 'documents', since: 'documents@2' }] } })

  await user.willChoose({ confirm: false })
  await user.click('It is fine, go on…')
  await user.goTo('Backups')
  await user.button('Open documents: Held: an unusual change').waitFor()
  await user.openJob('documents')
  await user.willChoose({ confirm: true })
  await user.click('It is fine, go on…')
  await user.sees('“documents” is no longer held')
  await expect.poll(() => user.button('It is fine, go on…').count()).toBe(0)
  expect((await forget()).events.at(-1)).toMatchObject({ outcome: 'success', details: { forgotten: ['documents@1'] } })

  const attic = new Household(folder.path('attic'), 0.1)
  for (const path of attic.files()) attic.append(path, Buffer.from('of the attic'))
  const backUpAttic = (): ReturnType<typeof runCli> => runCli(['backup', attic.folder, '--job', 'photos', '--host', 'attic'], {
    environment: { HOLDFAST_REPO: folder.path('backup'), HOLDFAST_HOME: folder.path('elsewhere'), HOLDFAST_PASSWORD: password },
  })
  expect((await backUpAttic()).code).toBe(0)
  attic.encrypt(attic.files())
  await backUpAttic()
  await user.click('Restore files')
  await user.page.getByTitle(/^photos@2 · /).waitFor()
  await user.openJob('documents')
  await user.sees(/^As many as \d+ of \d+ files were replaced by what looks encrypted\..* Since photos@2 \(.*\) nothing older of it is let go/)
  await user.willChoose({ confirm: true })
  await user.click('“photos” on attic is fine…')
  await user.sees('“photos” on attic is no longer held')
  expect((await forget()).events.at(-1)).toMatchObject({ outcome: 'success', details: { forgotten: ['photos@1'] } })
}, 120_000)
