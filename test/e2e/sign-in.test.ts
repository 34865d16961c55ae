import { readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { DropboxServer } from '../servers/dropbox.ts'
import { OAuthServer } from '../servers/oauth.ts'
import { launchApp } from './harness/app.ts'
import { openFakeBrowser } from './harness/browser.ts'
import { openFakeDesktop } from './harness/desktop.ts'
import { freshFolder } from './harness/folder.ts'
import { findTraces, textsBelow } from './harness/traces.ts'
import { User } from './harness/user.ts'

test('somebody signs in through the browser, gives it up once, is signed in after a restart, and signs out', async () => {
  await using server = await OAuthServer.start()
  await using app = await launchApp({ environment: server.environment })
  const browser = await openFakeBrowser(app)
  const user = await User.of(app)
  await user.goTo('Settings')
  await user.sees('Nobody is signed in.')
  await user.click('Sign in with Dropbox')
  await user.sees('Go on in your browser: Dropbox asks whether Holdfast may come in')
  await app.screenshot('sign-in-waiting')
  await user.click('Cancel')
  await user.sees('Nobody is signed in.')
  await user.click('Sign in with Dropbox')
  await expect.poll(async () => (await browser.opened()).length).toBe(2)
  expect(await browser.visit()).toContain('You are signed in')
  await user.sees('Signed in to Dropbox as anna@example.org')
  await user.sees('Dropbox · anna@example.org')
  await app.screenshot('sign-in-done')
  // What a program is told to open can be seen by every user of the machine; it leads one browser to the page, once.
  for (const address of await browser.opened()) expect(address).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/begin\/[\w-]{43}$/)
  const file = join(app.state, 'app-accounts.json')
  expect(statSync(file).mode & 0o777).toBe(0o600)
  expect(readFileSync(file, 'utf8')).toContain('anna@example.org')
  await app.stop()
  for (const secret of server.issued) expect(findTraces(secret, textsBelow(app.home))).toEqual([])
  expect(server.issued.length).toBeGreaterThan(2)

  await using later = await launchApp({ environment: server.environment, home: app.home })
  const again = await User.of(later)
  await again.goTo('Settings')
  await again.sees('Dropbox · anna@example.org')
  await again.willChoose({ confirm: true })
  await again.click('Sign out of anna@example.org')
  await again.sees('Nobody is signed in.')
  expect(server.revocations).toEqual(['dropbox'])
  expect(readFileSync(file, 'utf8')).not.toContain('anna@example.org')
})

test('without an app key the window says so', async () => {
  await using app = await launchApp()
  const user = await User.of(app)
  await user.goTo('Settings')
  await user.sees('built without app keys')
})

test('a job on Dropbox: signed in to from its form; where consent is withdrawn it waits and says so once, and one click lets it go on', async () => {
  await using server = await OAuthServer.start()
  await using storage = await DropboxServer.start()
  storage.isGood = (token) => server.personOf(token) !== undefined
  using folder = freshFolder()
  const source = folder.made('tree')
  writeFileSync(join(source, 'first.txt'), 'first')
  await using desktop = await openFakeDesktop()
  await using app = await launchApp({ environment: { ...desktop.environment, ...server.environment, HOLDFAST_SERVICE_DROPBOX: storage.origin } })
  const browser = await openFakeBrowser(app)
  const user = await User.of(app)

  await user.openForm()
  await user.willChoose({ sources: [source], confirm: true })
  await user.click('Add folders…')
  await user.sees(source)
  await user.page.getByLabel('Name').fill('pictures')
  await user.page.getByRole('radio', { name: 'Dropbox' }).check()
  await user.click('Sign in with Dropbox')
  await expect.poll(async () => (await browser.opened()).length).toBe(1)
  await browser.visit()
  await user.page.getByRole('option', { name: 'anna@example.org' }).waitFor({ state: 'attached' })
  await user.page.getByLabel('Password of the repository').fill('tulip gravel omen lamp')
  await user.page.getByLabel('Repeat the password').fill('tulip gravel omen lamp')
  await app.screenshot('sign-in-form')
  await user.click('Create job')
  await user.page.getByRole('heading', { name: 'pictures', level: 1 }).waitFor()
  expect(await user.backUpNow()).toBe('Backed up')
  expect(readFileSync(join(app.state, 'logs/holdfast.jsonl'), 'utf8')).toContain('Dropbox (anna@example.org)')

  server.withdraw()
  writeFileSync(join(source, 'second.txt'), 'second')
  await user.backUpNow()
  await user.sees('The consent for anna@example.org was withdrawn, or has ended.')
  expect(await desktop.nextNotification('pictures waits')).toMatchObject({ summary: 'Sign in to Dropbox again' })
  expect(await user.button('Back up now').isDisabled()).toBe(true)
  await app.screenshot('sign-in-again')
  const { renewals } = server

  server.person = { id: 'id-bob', login: 'bob@example.org' }
  await user.click('Sign in with Dropbox')
  await expect.poll(async () => (await browser.opened()).length).toBe(2)
  expect(await browser.visit()).toContain('did not work')
  await user.sees('That is another account')
  server.person = { id: 'id-anna', login: 'anna@example.org' }
  const ended = user.page.getByRole('button', { name: /^Show details of the run of/ })
  const before = await ended.count()
  await user.click('Sign in with Dropbox')
  await expect.poll(async () => (await browser.opened()).length).toBe(3)
  await browser.visit()
  // Nobody starts it.
  await ended.nth(before).waitFor()
  expect(await user.page.getByRole('main').getByRole('heading', { level: 2 }).first().textContent()).toBe('Backed up')
  expect(server.renewals).toBe(renewals)
  for (const secret of server.issued) expect(findTraces(secret, textsBelow(app.home))).toEqual([])
})
