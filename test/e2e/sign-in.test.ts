import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { OAuthServer } from '../servers/oauth.ts'
import { launchApp } from './harness/app.ts'
import { openFakeBrowser } from './harness/browser.ts'
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
