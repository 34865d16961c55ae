import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { launchApp, type RunningApp } from './harness/app.ts'
import { freshFolder } from './harness/folder.ts'
import { User } from './harness/user.ts'

const password = 'tulip gravel omen lamp'

/** Puts a person in front of main's real dialogs: what is asked is kept, and answered with the button of this number. */
async function answerDialogs(app: RunningApp, button: number): Promise<void> {
  await app.electron.evaluate(({ dialog }, response) => {
    delete process.env['HOLDFAST_TEST_DIALOG']
    const asked: unknown[] = []
    Object.assign(globalThis, { asked })
    const show = async (...words: readonly unknown[]): Promise<{ response: number; checkboxChecked: boolean }> => {
      asked.push(words.at(-1))
      return { response, checkboxChecked: false }
    }
    Object.assign(dialog, { showMessageBox: show })
  }, button)
}

function asked(app: RunningApp): Promise<readonly { readonly message: string; readonly detail: string; readonly buttons: readonly string[]; readonly defaultId: number; readonly cancelId: number }[]> {
  return app.electron.evaluate(() => (globalThis as unknown as { asked: never[] }).asked)
}

test('a job moves only with its password entered anew and a yes in the system’s own dialog', async () => {
  using folder = freshFolder()
  writeFileSync(join(folder.made('tree'), 'one.txt'), 'one')
  await using app = await launchApp()
  const user = await User.of(app)
  const { page } = user
  await user.addJob({ name: 'docs', sources: [folder.path('tree')], destination: { type: 'folder', path: folder.made('old disk') }, password })
  expect(await user.backUpNow()).toBe('Backed up')
  await user.click('More actions')
  await page.getByRole('menuitem', { name: 'Edit job' }).click()
  await page.getByLabel('Stored password').waitFor()
  await user.willChoose({ destination: [folder.made('new disk')] })
  await user.click('Backup folder: Choose…')
  await user.sees('Another destination: enter its password and keys')
  await user.click('Save')
  await user.sees('Enter the password for this destination; the stored one belongs to the old one.')
  await page.getByLabel('Password of the repository').fill(password)
  await page.getByLabel('Repeat the password').fill(password)

  await answerDialogs(app, 0)
  await user.click('Save')
  await expect.poll(() => asked(app)).toMatchObject([
    { message: 'Change the job “docs”?', buttons: ['Cancel', 'Change it'], defaultId: 0, cancelId: 0 },
  ])
  expect((await asked(app))[0]?.detail).toBe(`Its backups go to ${folder.path('new disk')} from now on, no longer to ${folder.path('old disk')}.`)
  expect(readFileSync(join(app.state, 'jobs.json'), 'utf8')).not.toContain('new disk')
  await page.getByRole('heading', { name: 'Edit “docs”' }).waitFor()
  expect(await page.getByRole('alert').allTextContents()).toEqual([''])

  await answerDialogs(app, 1)
  await user.click('Save')
  await user.sees('“docs” was saved')
  await page.getByRole('button', { name: /^Show details of the run of/ }).waitFor()
  expect(await user.backUpNow()).toBe('Backed up')
  expect(existsSync(folder.path('new disk/config'))).toBe(true)
})

test('a job follows its repository to another disk: no password is asked for, and nothing is sent again', async () => {
  using folder = freshFolder()
  writeFileSync(join(folder.made('tree'), 'one.txt'), 'one')
  await using app = await launchApp()
  const user = await User.of(app)
  const { page } = user
  await user.addJob({ name: 'docs', sources: [folder.path('tree')], destination: { type: 'folder', path: folder.made('old disk') }, password })
  expect(await user.backUpNow()).toBe('Backed up')
  renameSync(folder.path('old disk'), folder.path('new disk'))
  await user.click('More actions')
  await page.getByRole('menuitem', { name: 'Edit job' }).click()
  await user.willChoose({ destination: [folder.path('new disk')] })
  await user.click('Backup folder: Choose…')
  await user.sees('Another destination: enter its password and keys')
  await user.click('Test connection')
  await user.sees('The job’s own repository is at this address')
  await answerDialogs(app, 1)
  await user.click('Save')
  await expect.poll(async () => (await asked(app))[0]?.detail).toContain('The same repository is there: the job goes on with it.')
  await page.getByRole('button', { name: /^Show details of the run of/ }).waitFor()
  expect(await user.backUpNow()).toBe('Nothing had changed')
})

test('a job is deleted, and files are restored into the home, only after a yes; into a folder that was just chosen, at once', async () => {
  using folder = freshFolder()
  writeFileSync(join(folder.made('tree'), '.profile'), 'echo planted')
  await using app = await launchApp()
  mkdirSync(join(app.home, 'Restored'))
  const user = await User.of(app)
  await user.addJob({ name: 'docs', sources: [folder.path('tree')], destination: { type: 'folder', path: folder.made('disk') }, password })
  expect(await user.backUpNow()).toBe('Backed up')
  await user.click('Browse this snapshot')
  await user.willChoose({ restore: [app.home] })
  await user.click('Restore everything…')
  await user.click('Target folder: Choose…')
  await answerDialogs(app, 0)
  await user.click('Start restore')
  await expect.poll(() => asked(app)).toMatchObject([{ message: `Restore into ${app.home}?`, buttons: ['Cancel', 'Restore there'] }])
  await user.click('Cancel')
  expect(existsSync(join(app.home, 'tree'))).toBe(false)
  await user.restoreTo(join(app.home, 'Restored'))
  expect(readFileSync(join(app.home, 'Restored/tree/.profile'), 'utf8')).toBe('echo planted')
  expect(await asked(app)).toHaveLength(1)

  await user.openJob('docs')
  await answerDialogs(app, 0)
  await user.click('More actions')
  await user.page.getByRole('menuitem', { name: 'Delete job…' }).click()
  await expect.poll(() => asked(app)).toMatchObject([{ message: 'Delete the job “docs”?', buttons: ['Cancel', 'Delete job'] }])
  expect(readFileSync(join(app.state, 'jobs.json'), 'utf8')).toContain('docs')
  await answerDialogs(app, 1)
  await user.click('More actions')
  await user.page.getByRole('menuitem', { name: 'Delete job…' }).click()
  await user.sees('“docs” was deleted')
  expect(readFileSync(join(app.state, 'jobs.json'), 'utf8')).not.toContain('docs')
})

test('a folder whose name is no UTF-8 is refused in words, not taken for another', async () => {
  using folder = freshFolder()
  const odd = Buffer.concat([Buffer.from(folder.path('caf')), Buffer.from([0xe9])])
  mkdirSync(odd)
  await using app = await launchApp()
  const user = await User.of(app)
  await app.electron.evaluate(({ dialog }, path) => {
    delete process.env['HOLDFAST_TEST_DIALOG']
    Object.assign(dialog, { showOpenDialog: async () => ({ canceled: false, filePaths: [path] }) })
  }, odd.toString('utf8'))
  await user.openForm()
  await user.click('Add folders…')
  await user.sees('The name of this folder is in an unknown encoding')
  await user.sees('No folder chosen yet.')
})
