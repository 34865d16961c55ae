import type { Page } from 'playwright-core'
import { beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { providers } from '../../main/api/providers.ts'
import { exampleValues } from '../engine/protocol/providers/example-values.ts'
import { personAtWindow } from './harness/person.ts'

const person = personAtWindow()
const { button, requests } = person
let page: Page

beforeAll(() => { ({ page } = person) })

beforeEach(async () => {
  await person.window.open('idle')
  await button('Add job').click()
})

const card = (name: string) => page.getByRole('radio', { name, exact: true })
const input = (label: string) => page.locator('input, textarea, select').and(page.getByLabel(label, { exact: true }))
const fits = () => page.evaluate(() => [...document.querySelectorAll('main, section, [role="radiogroup"]')].filter((one) => one.scrollWidth > one.clientWidth + 1).map((one) => one.tagName))

test('a folder comes first, and every storage has a card', async () => {
  const names = await page.getByRole('radiogroup', { name: 'Destination' }).getByRole('radio').evaluateAll((all) => all.map((one) => (one as HTMLInputElement).value))
  expect(names[0]).toBe('folder')
  expect([...names].sort()).toEqual(['folder', ...providers.map(({ id }) => id)].sort())
})

describe.each(providers)('$id', (provider) => {
  const { name, summary, fields, secrets, signIn } = provider
  const values = exampleValues(provider)
  // An account is signed in to, and no field of the form.
  const typed = fields.filter((field) => !(signIn !== undefined && field.name === 'account'))

  async function choose(): Promise<void> {
    await card(name).check()
    const more = button('More options')
    if (await more.isVisible()) await more.click()
  }

  test('its form has every field and every secret, fits, and says what is missing', async () => {
    await choose()
    expect(await card(name).evaluate((one) => document.getElementById(one.getAttribute('aria-describedby') ?? '')?.textContent)).toBe(summary)
    for (const { label } of [...typed, ...secrets]) expect(await input(label).count(), label).toBe(1)
    for (const { hint } of [...typed, ...secrets]) if (hint !== undefined) await page.getByText(hint, { exact: true }).first().waitFor()
    expect(await fits()).toEqual([])
    await button('Create job').click()
    for (const { label, required } of [...typed, ...secrets]) {
      const { choices } = typed.find((field) => field.label === label) ?? {}
      if (!choices) expect(await input(label).getAttribute('aria-invalid'), label).toBe(required ? 'true' : null)
    }
    expect(await page.getByText('Sign in first.').count()).toBe(signIn ? 1 : 0)
    expect(await requests('job.add')).toEqual([])
    expect(person.window.complaints).toEqual([])
  })

  test('what is wrong is said in the words of its description', async () => {
    await choose()
    for (const { label, choices, problem } of typed) {
      if (choices) continue
      // A text without a line break that no kind but a free one takes.
      await input(label).fill('\u0000 ../..')
      await input(label).blur()
      await page.getByText(problem, { exact: true }).first().waitFor()
      await input(label).fill('')
    }
  })

  test('its values and secrets are sent apart from each other', async () => {
    await choose()
    for (const { name: field, label, choices } of typed) {
      const value = values[field]
      if (value === undefined) continue
      if (choices) await input(label).selectOption(value)
      else await input(label).fill(value)
    }
    for (const { label, name: secret } of secrets) await input(label).fill(`secret ${secret}`)
    if (signIn) await page.getByRole('button', { name: /^Sign in with/ }).click()
    await button('Test connection').click()
    await page.getByText('Found a repository').waitFor()
    const shown = { ...Object.fromEntries(Object.entries(values).filter(([field]) => typed.some((one) => one.name === field))), ...(signIn && { account: `mia@${signIn}.example` }) }
    expect(await requests('destination.test')).toEqual([{
      destination: { type: 'provider', provider: provider.id, values: shown },
      secrets: secrets.length === 0 ? {} : { storage: Object.fromEntries(secrets.map(({ name: secret }) => [secret, `secret ${secret}`])) },
    }])
    expect(await page.evaluate(() => document.body.innerText)).not.toContain('secret ')
  })

  test('a connection that can be read on the way is warned about', async () => {
    await choose()
    const webField = fields.find(({ kind }) => kind === 'origin' || kind === 'url')
    const warning = page.getByText('Not encrypted on the way')
    expect(await warning.count()).toBe(0)
    const open = fields.find(({ at }) => at === 'scheme')
    if (open) {
      await input(open.label).selectOption(open.choices?.[0]?.value ?? '')
      await warning.waitFor()
    }
    if (!webField) return
    await input(webField.label).fill('http://storage.example.org')
    await warning.waitFor()
    await input(webField.label).fill('http://127.0.0.1:9000')
    await expect.poll(() => warning.count()).toBe(0)
  })
})

test('a preset fills in its values; one of a server’s own key is shown to be compared', async () => {
  await card('S3 storage').check()
  await page.getByLabel('Service').selectOption('Wasabi')
  expect(await input('Endpoint').inputValue()).toBe('https://s3.wasabisys.com')
  await input('Endpoint').fill('https://else.example.org')
  expect(await page.getByLabel('Service').inputValue()).toBe('')
  await input('Bucket').fill('mia-backups')
  await input('Access key ID').fill('AK')
  await input('Secret access key').fill('SK')
  await page.evaluate(() => { globalThis.window.fake.serverKey = 'SHA256:abc' })
  await button('Test connection').click()
  await page.getByText('The server’s key is SHA256:abc').waitFor()
})

test('a file is chosen in the system’s dialog, or stays what it was', async () => {
  await card('SFTP server').check()
  await page.evaluate(() => { globalThis.window.fake.file = '/home/mia/.ssh/id é' })
  await button('Key file: Choose…').click()
  await expect.poll(() => input('Key file').inputValue()).toBe('/home/mia/.ssh/id é')
  await page.evaluate(() => { globalThis.window.fake.file = undefined })
  await button('Key file: Choose…').click()
  expect(await requests('dialog.file')).toHaveLength(2)
  expect(await input('Key file').inputValue()).toBe('/home/mia/.ssh/id é')
})

test('what the storage itself said about a failure is told beside the advice', async () => {
  await card('Google Cloud Storage').check()
  await input('Bucket').fill('mia-backups')
  await input('Key of a service account').fill('{}')
  await page.evaluate(() => {
    globalThis.window.fake.failures.set('destination.test', { code: 'denied', message: 'no', retryable: false, cause: { code: 'denied', message: 'AccessDenied: the\nrole is missing', retryable: false } })
  })
  await button('Test connection').click()
  await page.getByText('Google Cloud Storage says: “AccessDenied: the').waitFor()
})
