import type { Page } from 'playwright-core'
import { beforeAll, beforeEach, expect, test } from 'vitest'
import { fieldsOf, readMailFields, type MailFields } from '../../renderer/state/mail-form.ts'
import { personAtWindow } from './harness/person.ts'
import type { TestWindow } from './harness/window.ts'

const person = personAtWindow()
const { button, goTo, requests } = person
let window: TestWindow
let page: Page

beforeAll(() => { ({ window, page } = person) })

beforeEach(() => page.setViewportSize({ width: 1100, height: 800 }))

const server = { host: 'smtp.example.org', port: 465, security: 'tls', user: 'mia', from: 'holdfast@example.org', to: ['mia@example.org', 'ops@example.net'] } as const
const field = (name: string) => page.getByRole('dialog').getByRole('textbox', { name, exact: true })

async function setUp(): Promise<void> {
  await window.open('idle')
  await goTo('Settings')
  await button('Set up e-mail…').click()
  await field('Mail server').fill(server.host)
  await page.getByRole('radio', { name: 'TLS', exact: true }).check()
  await field('User name').fill('mia')
  await field('Password').fill('p w')
  await field('From').fill(server.from)
  await field('To').fill('mia@example.org, ops@example.net')
  await button('Save…').click()
}

test('what is missing is said at its field, and nothing is sent', async () => {
  await window.open('idle')
  await goTo('Settings')
  await button('Set up e-mail…').click()
  await field('User name').fill('mia')
  await field('To').fill('mia')
  await button('Save…').click()
  for (const words of ['Enter the name of the mail server', 'Enter the password.', 'Enter one e-mail address', 'Enter one to ten e-mail addresses']) await page.getByText(words).waitFor()
  expect(await requests('mail.set')).toEqual([])
})

test('a server is set up, its usual port with it, and tried', async () => {
  await setUp()
  expect(await requests('mail.set')).toEqual([{ server, password: 'p w' }])
  await page.getByText('To mia@example.org, ops@example.net, by way of smtp.example.org').waitFor()
  await button('Send a test message').click()
  await page.getByRole('status').getByText('The mail server took a test message for mia@example.org').waitFor()
  await page.evaluate(() => { globalThis.window.fake.mailReason = 'certificate' })
  await button('Send a test message').click()
  await page.getByRole('status').getByText('The certificate of the mail server is not trusted').waitFor()
})

test('a stored password is kept where nothing changes that it was for', async () => {
  await setUp()
  await button('Change…').click()
  await field('To').fill('mia@example.org')
  await button('Save…').click()
  expect((await requests('mail.set')).at(-1)).toEqual({ server: { ...server, to: ['mia@example.org'] } })
  await button('Change…').click()
  await field('Mail server').fill('other.example.org')
  await button('Save…').click()
  await page.getByText('Enter the password.').waitFor()
})

test('a job says when it tells, once a server is set up', async () => {
  await window.open('idle')
  await button(/^Open Documents/).click()
  await button('More actions').click()
  await page.getByRole('menuitem', { name: 'Tell somebody…' }).click()
  await page.getByText('Set up a mail server in the settings first.').waitFor()
  await setUp()
  await button(/^Documents/).first().click()
  await button('More actions').click()
  await page.getByRole('menuitem', { name: 'Tell somebody…' }).click()
  await page.getByLabel('E-mail', { exact: true }).selectOption({ label: 'When it fails or has warnings' })
  await expect.poll(() => requests('mail.choose')).toEqual([{ jobId: 'j1', when: 'warning' }])
  await button('Cancel').click()
  await page.getByText('When it fails or has warnings').waitFor()
})

test('what was entered is read as it was meant', () => {
  const fields: MailFields = { ...fieldsOf(server), password: '' }
  expect(readMailFields(fields, server)).toEqual({ server })
  expect(readMailFields({ ...fields, user: ' ', password: 'left over' }, undefined)).toEqual({ server: { host: server.host, port: 465, security: 'tls', from: server.from, to: server.to } })
  expect(readMailFields({ ...fields, port: '0x19' }, server)).toEqual({ problems: ['port', 'password'] })
})
