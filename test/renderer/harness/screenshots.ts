/** Pictures of every page in both sizes and both themes, to look at: `node test/renderer/harness/screenshots.ts [folder] [page]`. */
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { Page } from 'playwright-core'
import { providers } from '../../../main/api/providers.ts'
import type { Scenario } from '../fake-api.ts'
import { openTestWindow } from './window.ts'

type Shot = readonly [name: string, scenario: Scenario, go?: (page: Page) => Promise<unknown>]

const [folder = 'artifacts/window', only] = process.argv.slice(2)
const sizes = [{ width: 900, height: 600 }, { width: 1280, height: 800 }]
const themes = ['light', 'dark'] as const
const settledMs = 250

const goTo = (page: Page, name: string) => page.getByRole('navigation', { name: 'Pages' }).getByRole('button', { name }).click()
const click = (page: Page, name: string | RegExp) => page.getByRole('button', { name, exact: true }).first().click()
const inSequence = (...names: readonly (string | RegExp)[]) => async (page: Page) => {
  for (const name of names) await click(page, name)
}

async function openBackup(page: Page): Promise<void> {
  await click(page, 'Restore from a backup')
  await click(page, 'Backup folder: Choose…')
  await page.getByRole('textbox', { name: 'Password or recovery words' }).fill('x')
  await click(page, 'Open backup')
  await page.getByRole('row').nth(1).waitFor()
}

const shots: readonly Shot[] = [
  ['first-start', 'first-run'],
  ['quick', 'first-run', inSequence('Back up this computer')],
  ['quick-end', 'first-run', async (page) => { await click(page, 'Back up this computer'); await page.getByText('restored for a test').scrollIntoViewIfNeeded() }],
  ['quick-errors', 'first-run', async (page) => {
    await page.evaluate(() => { const { fake } = globalThis.window; fake.drives = [...fake.drives, { id: 'b', name: 'Été 2026', mount: '/media/mia/Été 2026', freeBytes: 12e9, totalBytes: 64e9, removable: true }] })
    await click(page, 'Back up this computer')
    await page.getByRole('radio', { name: 'Blue Disk' }).waitFor()
    await click(page, 'Start the first backup')
  }],
  ['quick-elsewhere', 'first-run', async (page) => { await click(page, 'Back up this computer'); await page.getByRole('radio', { name: 'Another place' }).check(); await page.getByRole('radio', { name: 'S3 storage' }).check() }],
  ['quick-strength', 'first-run', async (page) => {
    await click(page, 'Back up this computer')
    await page.getByRole('textbox', { name: 'Password for the backup' }).fill('Sommer2024')
    await click(page, 'Change…, What')
    await page.getByRole('textbox', { name: 'Name' }).scrollIntoViewIfNeeded()
  }],
  ['visit-form', 'first-run', async (page) => { await click(page, 'Restore from a backup'); await click(page, 'Open backup') }],
  ['visit-overview', 'first-run', openBackup],
  ['visit-import', 'first-run', async (page) => { await openBackup(page); await click(page, 'Set this computer up again'); await page.getByText('not here yet').waitFor() }],
  ['visit-import-end', 'first-run', async (page) => { await openBackup(page); await click(page, 'Set this computer up again'); await page.getByRole('button', { name: /^Set up/ }).scrollIntoViewIfNeeded() }],
  ['jobs', 'idle'],
  ['jobs-busy', 'busy'],
  ['jobs-uncovered', 'idle', async (page) => { await page.evaluate(() => { globalThis.window.fake.change({ uncovered: [{ name: 'Pictures', bytes: 48e9, isMore: true }, { name: 'Music', bytes: 6.2e9 }, { name: 'Scans' }] }) }); await page.getByText('Scans').scrollIntoViewIfNeeded() }],
  ['log', 'idle', async (page) => { await goTo(page, 'Settings'); await click(page, 'Show log'); await page.getByRole('listbox').getByRole('option').first().waitFor() }],
  ['log-chosen', 'idle', async (page) => { await goTo(page, 'Settings'); await click(page, 'Show log'); await page.getByRole('listbox').getByRole('option').nth(5).click(); await page.getByRole('listbox').getByRole('option').nth(3).click({ modifiers: ['Shift'] }); await page.keyboard.press('Tab'); await page.keyboard.press('Shift+Tab'); await page.getByLabel('When').selectOption('between') }],
  ['log-empty', 'first-run', async (page) => { await goTo(page, 'Settings'); await click(page, 'Show log') }],
  ['support-report', 'idle', async (page) => { await goTo(page, 'Settings'); await click(page, 'Save a report for support…'); await page.getByLabel('What will be in it').selectOption('log.jsonl'); await page.getByText('line 0 of').waitFor() }],
  ['mail-card', 'idle', async (page) => { await page.evaluate(() => { globalThis.window.fake.change({ mail: { server: { host: 'smtp.example.org', port: 587, security: 'starttls', user: 'mia', from: 'holdfast@example.org', to: ['mia@example.org', 'ops@example.org'] }, jobs: {}, failed: { atMs: Date.now(), reason: 'credentials', givenUp: true } } }) }); await goTo(page, 'Settings'); await click(page, 'Send a test message'); await page.getByText('The mail server took').scrollIntoViewIfNeeded() }],
  ['mail-dialog', 'idle', async (page) => { await goTo(page, 'Settings'); await click(page, 'Set up e-mail…'); await page.getByLabel('User name').fill('mia'); await click(page, 'Save…') }],
  ['form', 'idle', inSequence('Add job')],
  ['form-errors', 'idle', inSequence('Add job', 'Create job')],
  ['form-s3', 'idle', async (page) => { await click(page, 'Add job'); await page.getByRole('radio', { name: 'S3 storage' }).check() }],
  ...providers.map(({ id, name }): Shot => [`destination-${id}`, 'idle', async (page) => {
    await click(page, 'Add job')
    await page.getByRole('radio', { name, exact: true }).check()
    const more = page.getByRole('button', { name: 'More options' })
    if (await more.isVisible()) await more.click()
    await page.getByRole('heading', { name: 'Where it goes' }).evaluate((heading) => { heading.scrollIntoView() })
  }]),
  ['form-end', 'idle', async (page) => { await click(page, 'Add job'); await page.getByText('One a line').scrollIntoViewIfNeeded() }],
  ['job', 'idle', (page) => goTo(page, 'Documents')],
  ['form-keep', 'idle', async (page) => { await click(page, 'Add job'); await page.getByRole('radio', { name: 'Own numbers' }).check(); await page.getByText('An empty field is no rule').scrollIntoViewIfNeeded() }],
  ['form-preview', 'idle', async (page) => {
    await goTo(page, 'Documents')
    await click(page, 'More actions')
    await page.getByRole('menuitem', { name: 'Edit job' }).click()
    await page.getByRole('radio', { name: 'Usual' }).check()
    await click(page, 'Preview')
    await page.getByText(/snapshots stay/).scrollIntoViewIfNeeded()
  }],
  ['job-care', 'idle', async (page) => {
    await page.evaluate(() => {
      globalThis.window.fake.changeJob('j1', (one) => {
        const care = { forgotten: 12, prune: 'done', freedBytes: 1.2e9, affectedCount: 0, drill: 'passed', drilledFiles: 40, unreadPacks: 0, oldestVerifiedMs: Date.now() - 9 * 86_400_000 } as const
        const retention = { withinMs: 2 * 86_400_000, daily: 30, weekly: 12, monthly: 24, yearly: 10 }
        return { ...one, config: { ...one.config, retention }, care: { running: false, ...(one.lastRun && { lastRun: { ...one.lastRun, operation: 'care', care } }) } }
      })
    })
    await goTo(page, 'Documents')
  }],
  ['job-failed', 'idle', (page) => goTo(page, 'Virtual machines')],
  ['job-running', 'busy', (page) => goTo(page, 'Documents')],
  ['job-waiting', 'waiting', (page) => goTo(page, 'Documents')],
  ['job-paused', 'paused', (page) => goTo(page, 'Documents')],
  ['job-crashed', 'crashed', (page) => goTo(page, 'Documents')],
  ['job-stop', 'busy', async (page) => { await goTo(page, 'Documents'); await click(page, 'Stop') }],
  ['job-menu', 'idle', async (page) => { await goTo(page, 'Photos'); await click(page, 'More actions') }],
  ['job-history', 'idle', async (page) => { await goTo(page, 'Photos'); await click(page, /Show details/); await page.getByText('Copy log').scrollIntoViewIfNeeded() }],
  ['job-calendar', 'idle', async (page) => { await goTo(page, 'Documents'); await click(page, 'Calendar'); await page.getByRole('button', { name: /not without trouble$/ }).first().click(); await page.getByRole('button', { name: 'Calendar' }).evaluate((one) => { one.scrollIntoView() }) }],
  ['restore', 'idle', async (page) => { await goTo(page, 'Restore'); await click(page, 'Open Documents'); await page.getByRole('checkbox', { name: 'Choose Taxes' }).check() }],
  ['restore-without', 'idle', async (page) => {
    await goTo(page, 'Restore')
    await page.getByRole('checkbox', { name: 'Choose Documents' }).check()
    await click(page, 'Open Documents')
    await page.getByRole('checkbox', { name: 'Choose Taxes' }).uncheck()
    await page.getByRole('checkbox', { name: 'Choose holiday.mp4' }).uncheck()
    await click(page, 'Open Taxes')
    await page.getByRole('checkbox', { name: 'Choose Letters' }).check()
    await page.getByRole('button', { name: 'Documents', exact: true }).last().click()
  }],
  ['restore-dialog', 'idle', async (page) => { await goTo(page, 'Restore'); await click(page, 'Restore everything…') }],
  ['restore-offline', 'offline', (page) => goTo(page, 'Restore')],
  ['restore-running', 'restoring', inSequence(/Restored/)],
  ['restore-done', 'restored', inSequence(/Restored/)],
  ['settings', 'idle', (page) => goTo(page, 'Settings')],
  ['settings-accounts', 'idle', async (page) => {
    await page.evaluate(() => {
      const { fake } = globalThis.window
      const [mia, work] = [{ signedInMs: 0, service: 'dropbox', name: 'mia@example.org', login: 'mia@example.org', state: 'sign-in-again' }, { signedInMs: 0, service: 'google', name: 'work', login: 'mia.long-name-of-the-company@subdomain.of.the.company.example.org', state: 'signed-in' }] as const
      fake.change({ accounts: { list: [mia, work], available: fake.app.accounts.available, signingIn: 'box' } })
    })
    await goTo(page, 'Settings')
    await page.getByText('Passwords and keys').scrollIntoViewIfNeeded()
  }],
  ['job-sign-in', 'idle', async (page) => {
    await page.evaluate(() => { globalThis.window.fake.changeJob('j1', (one) => ({ ...one, signIn: { service: 'dropbox', account: 'mia@example.org' } })) })
    await goTo(page, 'Documents')
  }],
  ['jobs-sign-in', 'idle', (page) => page.evaluate(() => { globalThis.window.fake.changeJob('j1', (one) => ({ ...one, signIn: { service: 'dropbox', account: 'mia@example.org' } })) })],
  ['broken', 'broken'],
]

await mkdir(folder, { recursive: true })
await using window = await openTestWindow()
window.page.setDefaultTimeout(5_000)
for (const size of sizes) {
  for (const theme of themes) {
    await window.page.setViewportSize(size)
    await window.page.emulateMedia({ colorScheme: theme })
    for (const [name, scenario, go] of shots) {
      if (only !== undefined && name !== only) continue
      await window.open(scenario)
      await window.page.locator('h1, h2').first().waitFor()
      await go?.(window.page)
      await window.page.waitForTimeout(settledMs)
      await window.page.screenshot({ path: join(folder, `${name}-${size.width}-${theme}.png`) })
    }
  }
}
