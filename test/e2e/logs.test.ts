import { readdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { strFromU8, unzipSync } from 'fflate'
import { expect, test } from 'vitest'
import { mailPassword, mailUser, newCertificate, openMailServer } from '../main/mail/mail-server.ts'
import { launchApp, type RunningApp } from './harness/app.ts'
import { freshFolder } from './harness/folder.ts'
import { User } from './harness/user.ts'

const password = 'tulip gravel omen lamp'
const patiently = { timeout: 20_000 }

/** Of a dialog or a page, in both themes. */
async function pictures(user: User, app: RunningApp, name: string): Promise<void> {
  for (const colorScheme of ['light', 'dark'] as const) {
    await user.page.emulateMedia({ colorScheme })
    await app.screenshot(`${name}-${colorScheme}`)
  }
}

test('a backup that warns is told by e-mail, found in the log, and told in a report for support without secrets and names', async () => {
  const certificate = newCertificate()
  await using server = await openMailServer(certificate)
  using folder = freshFolder()
  writeFileSync(`${folder.made('Scheidung 2026')}/letter.txt`, 'dear')
  await using app = await launchApp({ environment: { HOLDFAST_TEST_MAIL_CA: certificate.cert } })
  const user = await User.of(app)
  const { page } = user
  const field = (name: string) => page.getByRole('dialog').getByRole('textbox', { name, exact: true })
  await user.addJob({ name: 'Private papers', sources: [folder.path('Scheidung 2026'), folder.made('USB stick')], destination: { type: 'folder', path: folder.made('backup') }, password })
  renameSync(folder.path('USB stick'), folder.path('unplugged'))

  await user.goTo('Settings')
  await user.click('Set up e-mail…')
  await field('Mail server').fill('localhost')
  await field('Port').fill(String(server.port))
  await field('User name').fill(mailUser)
  await field('Password').fill('wrong')
  await field('From').fill('holdfast@example.org')
  await field('To').fill('mia@example.org')
  await pictures(user, app, 'mail-dialog')
  await user.willChoose({ confirm: true })
  await user.click('Save…')
  await page.getByRole('dialog').waitFor({ state: 'detached' })
  await user.click('Send a test message')
  await user.sees('The mail server refused the user name or the password.')
  await user.click('Change…')
  await field('Password').fill(mailPassword)
  await user.click('Save…')
  await page.getByRole('dialog').waitFor({ state: 'detached' })
  await user.click('Send a test message')
  await user.sees('The mail server took a test message for mia@example.org')
  await pictures(user, app, 'mail-card')
  expect(server.got.length).toBe(1)

  await user.openJob('Private papers')
  await user.click('More actions')
  await page.getByRole('menuitem', { name: 'Tell somebody…' }).click()
  await page.getByLabel('E-mail', { exact: true }).selectOption({ label: 'When it fails or has warnings' })
  await pictures(user, app, 'mail-choice')
  await user.click('Cancel')
  expect(await user.backUpNow()).toBe('Backed up, 1 warning')
  await expect.poll(() => server.got.length, patiently).toBe(2)
  expect(server.got[1]?.text).toContain('backed up with warnings')
  expect(server.got[1]?.text).not.toMatch(/Scheidung|USB/)

  await user.click('More actions')
  await page.getByRole('menuitem', { name: 'Show log' }).click()
  const rows = page.getByRole('listbox', { name: 'Lines of the log, the newest first' }).getByRole('option')
  await rows.first().waitFor()
  await page.getByLabel('Job', { exact: true }).selectOption({ label: 'All jobs' })
  await page.getByLabel('Search', { exact: true }).fill('HAS STARTED')
  await expect.poll(() => rows.allTextContents(), patiently).toEqual([expect.stringMatching(/Holdfast .* has started/) as string])
  await rows.first().click()
  await page.keyboard.press('Control+c')
  await user.sees('1 line copied')
  expect(await app.electron.evaluate(({ clipboard }) => clipboard.readText())).toMatch(/^\d{4}-.*Z info +: Holdfast .* has started$/)
  await page.getByLabel('Search', { exact: true }).fill('')
  await expect.poll(() => rows.count(), patiently).toBeGreaterThan(3)
  await pictures(user, app, 'log')

  await user.click('Save a report for support…')
  await page.getByLabel('What will be in it').selectOption('log.jsonl')
  await page.getByRole('region', { name: /^Contents of log\.jsonl/ }).getByText('has started').waitFor()
  await pictures(user, app, 'support-report')
  const shown = await page.getByRole('region', { name: /^Contents of log\.jsonl/ }).textContent()
  await user.willChoose({ save: folder.path('report.zip') })
  await page.getByRole('dialog').getByRole('button', { name: 'Save…' }).click()
  await user.sees('The report was saved')
  expect(statSync(folder.path('report.zip')).mode & 0o777).toBe(0o600)
  const files = Object.entries(unzipSync(readFileSync(folder.path('report.zip'))))
  expect(files.map(([name]) => name)).toEqual(['read-me.txt', 'system.json', 'jobs.json', 'log.jsonl'].map((name) => `holdfast-report/${name}`))
  const all = files.map(([, bytes]) => strFromU8(bytes)).join('\n')
  expect(all).toContain(shown ?? '-')
  for (const secret of [password, mailPassword, 'wrong', 'Scheidung', 'Private papers', 'mia@example.org', app.home, folder.path('')]) expect(all.includes(secret), secret).toBe(false)
  await app.stop()
  for (const entry of readdirSync(app.state, { recursive: true, withFileTypes: true })) {
    if (entry.isFile()) expect(readFileSync(join(entry.parentPath, entry.name)).includes(mailPassword), entry.name).toBe(false)
  }
  expect(readdirSync(app.state)).not.toContain('support-report')
}, 120_000)
