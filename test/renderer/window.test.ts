import type { Page } from 'playwright-core'
import { beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { Scenario } from './fake-api.ts'
import { personAtWindow } from './harness/person.ts'
import type { TestWindow } from './harness/window.ts'

const person = personAtWindow()
const { button, goTo, requests: calls } = person
let window: TestWindow
let page: Page

beforeAll(() => { ({ window, page } = person) })

beforeEach(() => page.setViewportSize({ width: 900, height: 600 }))

async function openJob(scenario: Scenario, name: string): Promise<void> {
  await window.open(scenario)
  await goTo(name)
}

async function openBackup(): Promise<void> {
  await button('Restore from a backup').click()
  await button('Backup folder: Choose…').click()
  await page.getByRole('textbox', { name: 'Password or recovery words' }).fill('x')
  await button('Open backup').click()
  await page.getByRole('row').nth(1).waitFor()
}

describe('first start', () => {
  test('leads to the form, and back', async () => {
    await window.open('first-run')
    await button('Back up this computer').click()
    await expect.poll(() => page.getByRole('heading', { level: 1 }).textContent()).toBe('Back up this computer')
    await button('Back').click()
    await button('Back up this computer').waitFor()
  })

  test('says what is loading and what failed, and tries again', async () => {
    await window.open('loading')
    await page.getByRole('status', { name: 'Loading…' }).waitFor()
    await window.open('broken')
    await page.getByText('Something went wrong inside Holdfast').waitFor()
    await button('Try again').click()
    await page.getByRole('heading', { name: 'Backups' }).waitFor()
    expect(await page.textContent('body')).not.toContain('raw internal')
  })
})

describe('a repository that is older than what this computer has seen of it', () => {
  test('says so where the backup failed, and goes on with it when told to', async () => {
    await window.open('idle')
    await page.evaluate(() => {
      globalThis.window.fake.changeJob('j3', (one) => ({ ...one, ...(one.lastRun && { lastRun: { ...one.lastRun, outcome: 'failed', error: { code: 'rolled-back', message: 'raw', retryable: false } } }) }))
    })
    await goTo('Virtual machines')
    await page.getByText('The repository is older than what this computer has seen of it').first().waitFor()
    await button('Use the older repository…').click()
    await expect.poll(() => calls('job.acceptOlder')).toEqual([{ jobId: 'j3' }])
  })

  test('says so where its snapshots are listed', async () => {
    await window.open('idle')
    await page.evaluate(() => { globalThis.window.fake.missed = ['Documents@200 was here and is gone'] })
    await goTo('Restore')
    await page.getByRole('alert').getByText('Documents@200 was here and is gone').waitFor()
  })
})

test('a snapshot that somebody has named or pinned is shown as such', async () => {
  await window.open('idle')
  await goTo('Restore')
  const named = page.getByRole('button', { name: /Before the move · Pinned/ })
  await named.getByText('Before the move', { exact: true }).waitFor()
  await named.getByTitle(/^Pinned/).waitFor()
  expect(await page.getByTitle(/^Pinned/).count()).toBe(1)
})

describe('accounts', () => {
  const missing = { service: 'dropbox', account: 'mia@example.org' } as const

  test('are signed in to and out of in the settings', async () => {
    await window.open('idle')
    await goTo('Settings')
    await page.getByText('Nobody is signed in.').waitFor()
    await button('Sign in with Google').click()
    await page.getByText('Signed in to Google as mia@google.example').waitFor()
    await page.getByText('Google · mia@google.example', { exact: true }).waitFor()
    await button('Sign out of mia@google.example').click()
    await page.getByText('Nobody is signed in.').waitFor()
    expect(await calls('account.signOut')).toEqual([{ service: 'google', account: 'mia@google.example' }])
  })

  test('say that the browser is waited for, and let that be given up', async () => {
    await window.open('idle')
    await goTo('Settings')
    await page.evaluate(() => { globalThis.window.fake.change({ accounts: { list: [], available: ['box'], signingIn: 'box' } }) })
    await page.getByRole('alert').getByText('Go on in your browser: Box asks whether Holdfast may come in').waitFor()
    expect(await button('Sign in with Box').isDisabled()).toBe(true)
    await button('Cancel').click()
    await expect.poll(() => button('Sign in with Box').isDisabled()).toBe(false)
    await page.evaluate(() => { globalThis.window.fake.change({ accounts: { list: [], available: [] } }) })
    await page.getByText('built without app keys').waitFor()
  })

  test('that have to be signed in to again: one click from the job, which waits meanwhile', async () => {
    await window.open('idle')
    await page.evaluate((signIn) => {
      const { fake } = globalThis.window
      fake.change({ accounts: { list: [{ service: 'dropbox', name: 'mia@example.org', login: 'mia@example.org', signedInMs: 0, state: 'sign-in-again' }], available: ['dropbox'] } })
      fake.changeJob('j1', (one) => ({ ...one, signIn, waits: { wait: { type: 'sign-in', ...signIn } } }))
    }, missing)
    await page.getByText('Waits until then').waitFor()
    await button('Sign in, so that Documents can go on').click()
    expect(await calls('account.signIn')).toEqual([missing])
    await goTo('Documents')
    await page.getByText('The consent for mia@example.org was withdrawn, or has ended.').waitFor()
    expect(await button('Back up now').isDisabled()).toBe(true)
    await button('Sign in with Dropbox').click()
    expect(await calls('account.signIn')).toEqual([missing, missing])
  })

  test('of somebody else are not taken, which is said', async () => {
    await window.open('idle')
    await goTo('Settings')
    await page.evaluate(() => { globalThis.window.fake.failures.set('account.signIn', { code: 'denied', message: 'raw', retryable: false, data: { reason: 'other-account' } }) })
    await button('Sign in with Dropbox').click()
    await page.getByText('That is another account').waitFor()
  })
})

describe('adding a job', () => {
  beforeEach(async () => {
    await window.open('idle')
    await button('Add job').click()
  })

  test('an empty form says what is missing and sends nothing', async () => {
    await button('Create job').click()
    await page.getByText('Choose at least one folder.').waitFor()
    await page.getByText('Choose a folder.', { exact: true }).waitFor()
    expect(await page.getByLabel('Name').getAttribute('aria-invalid')).toBe('true')
    expect(await calls('job.add')).toEqual([])
  })

  test('to S3: tests the connection, joins the repository, creates the job and starts it', async () => {
    await page.evaluate(() => { globalThis.window.fake.folders = ['/home/mia/Letters'] })
    await button('Add folders…').click()
    await page.getByRole('radio', { name: 'S3 storage' }).check()
    await page.getByLabel('Endpoint').fill('https://s3.example.com')
    await page.getByLabel('Bucket', { exact: true }).fill('mia-backups')
    await page.getByLabel('Access key ID').fill('AK')
    await page.getByLabel('Secret access key').fill('SK')
    await page.getByLabel('Password of the repository').fill('tulip gravel omen')
    await page.getByLabel('Repeat the password').waitFor()
    await button('Test connection').click()
    await page.getByText('Found a repository, and the password opens it').waitFor()
    expect(await page.getByLabel('Repeat the password').count()).toBe(0)
    await page.getByRole('radio', { name: 'Every hour' }).check()
    await page.getByRole('checkbox', { name: 'node_modules' }).check()
    await button('Create and back up now').click()
    await button('Pause').waitFor()
    expect(await calls('job.add')).toMatchObject([
      {
        config: {
          name: 'Letters', sources: [{ id: '/home/mia/Letters' }], schedule: { type: 'hourly' }, concurrency: 4,
          destination: { type: 'provider', provider: 's3', values: { endpoint: 'https://s3.example.com', bucket: 'mia-backups' } },
          excludes: { presets: ['caches', 'trash', 'node_modules', 'nobackup', 'cachedir'], patterns: [], oneFileSystem: true },
        },
        secrets: { password: 'tulip gravel omen', storage: { accessKeyId: 'AK', secretAccessKey: 'SK' } },
      },
    ])
    expect(await calls('job.run')).toEqual([{ jobId: 'j5' }])
    expect(await page.content()).not.toContain('tulip gravel omen')
  })
})

describe('a running job', () => {
  test('pause, resume and stop send what they say', async () => {
    await openJob('busy', 'Documents 42 %')
    await button('Pause').click()
    await button('Resume').click()
    await button('Stop').click()
    await button('Stop at once').click()
    await page.getByText('Stopping').first().waitFor()
    expect(await calls('job.pause')).toEqual([{ jobId: 'j1' }])
    expect(await calls('job.resume')).toEqual([{ jobId: 'j1' }])
    expect(await calls('job.stop')).toEqual([{ jobId: 'j1', mode: 'cancel' }])
  })

  test('Escape leaves the dialog without stopping and gives the focus back', async () => {
    await openJob('busy', 'Documents 42 %')
    await button('Stop').focus()
    await page.keyboard.press('Enter')
    await page.getByRole('dialog').waitFor()
    await page.keyboard.press('Escape')
    await page.getByRole('dialog').waitFor({ state: 'detached' })
    expect(await button('Stop').evaluate((element) => element === document.activeElement)).toBe(true)
    expect(await calls('job.stop')).toEqual([])
  })

  test('shows lanes, the sum, five counters and an estimate; nothing moves while numbers change', async () => {
    await openJob('busy', 'Documents 42 %')
    const lanes = page.getByRole('list', { name: 'Transfers in progress' })
    expect(await lanes.getByRole('listitem').count()).toBe(4)
    await page.getByText('attempt 2').waitFor()
    await page.getByText('12–18 min left').waitFor()
    for (const counter of ['Found', 'Unchanged', 'Deduplicated', 'Uploaded', 'Waiting']) await page.getByText(counter, { exact: true }).first().waitFor()
    const places = () => lanes.locator('li > span').evaluateAll((all) => all.map((one) => [one.getBoundingClientRect().left, one.getBoundingClientRect().top, one.getBoundingClientRect().width]))
    const before = await places()
    for (const seconds of [1, 7, 30]) {
      await page.evaluate((by) => globalThis.window.fake.advance(by), seconds)
      expect(await places()).toEqual(before)
    }
  })

  test('says what it waits for, and where it continues', async () => {
    await openJob('waiting', 'Documents 42 %')
    await page.getByText('Waiting for the storage to be reachable').waitFor()
    await openJob('busy', 'Photos 57 %')
    await page.getByText('Continuing at 31 %').waitFor()
  })
})

describe('a job at rest', () => {
  test('a failure is explained, warnings of a run can be read, the log copied', async () => {
    await openJob('idle', 'Virtual machines')
    await page.getByText('The backup storage is full').waitFor()
    await goTo('Photos')
    await page.getByRole('button', { name: /Backed up, 3 warnings/ }).first().click()
    await page.getByText('Could not be read').waitFor()
    await button('Copy log of this run').click()
    await page.getByText('214 log lines copied').waitFor()
  })

  test('is deleted only after a question, which main asks: a no changes nothing and is no error', async () => {
    await openJob('idle', 'Projects')
    await button('More actions').click()
    await page.getByRole('menuitem', { name: 'Delete job…' }).click()
    await page.getByText('“Projects” was deleted').waitFor()
    await goTo('Backups')
    await page.getByRole('button', { name: /^Open Photos:/ }).first().click()
    await page.evaluate(() => globalThis.window.fake.failures.set('job.remove', { code: 'aborted', message: 'raw', retryable: false, data: { declined: true } }))
    await button('More actions').click()
    await page.getByRole('menuitem', { name: 'Delete job…' }).click()
    await expect.poll(() => calls('job.remove')).toHaveLength(2)
    await page.getByRole('heading', { name: 'Photos', level: 1 }).waitFor()
    expect(await page.getByText('It was stopped').count()).toBe(0)
  })

  test('what main refuses is said in words', async () => {
    await window.open('idle')
    await page.evaluate(() => globalThis.window.fake.failures.set('job.run', { code: 'busy', message: 'raw busy', retryable: false }))
    await button('Back up now: Documents').click()
    await page.getByText('It is running already').waitFor()
  })
})

describe('restoring', () => {
  test('by mouse: picks paths with their exact bytes, asks where to, shows progress', async () => {
    await window.open('idle')
    await goTo('Restore')
    await button('Open Documents').click()
    await page.getByRole('checkbox', { name: 'Choose Taxes' }).check()
    await page.getByRole('checkbox', { name: 'Choose caf\\xe9.txt' }).check()
    await button('Open Taxes').click()
    await page.getByRole('checkbox', { name: 'Choose Reports' }).uncheck()
    await page.getByText('2 items chosen, 1 left out').waitFor()
    expect(await page.getByRole('checkbox', { name: 'Choose Letters' }).isChecked()).toBe(true)
    await button('Restore…').click()
    await button('Start restore').click()
    await page.getByText('Choose a folder first.').waitFor()
    await button('Target folder: Choose…').click()
    await page.getByLabel('When a file is already there').selectOption('never')
    await button('Start restore').click()
    await page.getByText('Restore of Documents').waitFor()
    await page.getByText('To restore').waitFor()
    const sent = await page.evaluate(() => {
      const request = globalThis.window.fake.calls.find((call) => call.channel === 'restore.start')?.request as { paths: Uint8Array[]; except: Uint8Array[]; overwrite: string; target: { id: string }; snapshot: string }
      const text = (path: Uint8Array) => String.fromCharCode(...path)
      return { ...request, paths: request.paths.map(text), except: request.except.map(text) }
    })
    expect(sent).toMatchObject({ snapshot: 'Documents@128', target: { id: '/home/mia/Documents' }, overwrite: 'never', paths: ['Documents/Taxes', 'Documents/caf\xe9.txt'], except: ['Documents/Taxes/Reports'] })
  })

  test('by keyboard: arrows move, space chooses, Enter opens, Backspace goes up', async () => {
    await window.open('idle')
    await goTo('Restore')
    const rows = page.getByRole('row')
    await rows.nth(1).waitFor()
    await rows.first().focus()
    await page.keyboard.press('ArrowDown')
    await page.keyboard.press('Enter')
    await page.getByRole('checkbox', { name: 'Choose Contracts' }).waitFor()
    await expect.poll(() => rows.first().evaluate((row) => row === document.activeElement)).toBe(true)
    await page.keyboard.press('End')
    await page.keyboard.press(' ')
    expect(await page.getByRole('checkbox', { name: 'Choose holiday.mp4' }).isChecked()).toBe(true)
    await page.keyboard.press('Backspace')
    await page.getByRole('checkbox', { name: 'Choose archive' }).waitFor()
    expect(await page.getByRole('checkbox', { name: 'Choose Documents' }).evaluate((box: HTMLInputElement) => box.indeterminate)).toBe(true)
  })

  test('by keyboard: one thing in a chosen folder is let go, and chosen again', async () => {
    await window.open('idle')
    await goTo('Restore')
    await page.getByRole('row').first().focus()
    await page.keyboard.press('ArrowDown')
    await page.keyboard.press(' ')
    await page.keyboard.press('Enter')
    const contracts = page.getByRole('checkbox', { name: 'Choose Contracts' })
    await expect.poll(() => contracts.isChecked()).toBe(true)
    await page.getByRole('row', { name: /Contracts/ }).focus()
    await page.keyboard.press(' ')
    expect(await contracts.isChecked()).toBe(false)
    expect(await page.getByRole('checkbox', { name: 'Choose Letters' }).isChecked()).toBe(true)
    await page.getByText('1 item chosen, 1 left out').waitFor()
    await page.keyboard.press(' ')
    await page.getByText('1 item chosen', { exact: true }).waitFor()
  })

  test('a big folder is read as far as it is scrolled', async () => {
    await window.open('idle')
    await goTo('Restore')
    await button('Open Documents').click()
    await button('Open 2026').click()
    await page.getByText('first 200 entries').waitFor()
    await page.getByRole('row').last().scrollIntoViewIfNeeded()
    await page.getByText('first 400 entries').waitFor()
    expect((await calls('browse.list')).length).toBe(4)
  })

  test('a storage that is away is said, and tried again', async () => {
    await window.open('offline')
    await goTo('Restore')
    await page.getByText('The storage cannot be reached').waitFor()
    await button('Try again').click()
    await page.getByRole('checkbox', { name: 'Choose Documents' }).waitFor()
  })

  test('ends with a result, its problems, and the folder', async () => {
    await window.open('restored')
    await page.getByRole('button', { name: /home\/mia\/Restored/ }).click()
    await page.getByRole('heading', { name: 'Restored, 3 warnings' }).waitFor()
    await page.getByText('/home/mia/Photos/.thumbnails/locked.db').waitFor()
    await button('Open folder').click()
    expect(await calls('folder.open')).toEqual([{ type: 'restore', restoreId: 'x1' }])
  })
})

test('settings are sent as they are changed, and the theme changes at once', async () => {
  await window.open('idle')
  await goTo('Settings')
  await page.getByRole('radio', { name: 'Dark' }).check()
  await expect.poll(() => page.evaluate(() => document.documentElement.dataset['theme'])).toBe('dark')
  await page.getByRole('switch', { name: 'Start when you log in' }).click()
  await page.getByLabel('Backups at once').fill('9')
  await page.getByText('Choose a number from 1 to 8.').waitFor()
  await page.getByLabel('Backups at once').fill('3')
  await page.getByLabel('Backups at once').blur()
  await page.getByRole('checkbox', { name: 'Limit uploads of all jobs together' }).uncheck()
  expect(await calls('settings.set')).toEqual([{ theme: 'dark' }, { autoStart: false }, { parallelJobs: 3 }, { uploadBytesPerSecond: null }])
})

test('main can take the window to a page', async () => {
  await window.open('idle')
  await page.getByRole('heading', { name: 'Backups' }).waitFor()
  await page.evaluate(() => globalThis.window.fake.push('navigate', { page: 'job', jobId: 'j2', runId: 'r41' }))
  await page.getByRole('heading', { name: 'Photos' }).waitFor()
  await page.getByText('Could not be read').waitFor()
})

const pages: [name: string, scenario: Scenario, go: () => Promise<unknown>][] = [
  ['the first start', 'first-run', () => button('Back up this computer').waitFor()],
  ['the short form', 'first-run', async () => { await button('Back up this computer').click(); await button('Start the first backup').click(); await page.getByText('restored for a test').waitFor() }],
  ['jobs', 'busy', () => button('Pause Documents').waitFor()],
  ['the form', 'idle', async () => { await button('Add job').click(); await page.getByRole('radio', { name: 'S3 storage' }).check() }],
  ['a running job', 'busy', async () => { await goTo('Documents 42 %'); await button('Stop').click() }],
  ['a job at rest', 'idle', async () => { await goTo('Photos'); await page.getByRole('button', { name: /Show details/ }).first().click() }],
  ['restore', 'idle', async () => { await goTo('Restore'); await button('Open Documents').waitFor() }],
  ['opening a backup', 'first-run', async () => { await button('Restore from a backup').click(); await button('Open backup').click() }],
  ['an open backup', 'first-run', openBackup],
  ['setting up again', 'first-run', async () => { await openBackup(); await button('Set this computer up again').click(); await page.getByText('not here yet').waitFor() }],
  ['a restore', 'restored', async () => { await page.getByRole('button', { name: /home\/mia\/Restored/ }).click(); await button('Open folder').waitFor() }],
  ['settings', 'idle', () => goTo('Settings')],
]

describe.each(pages)('%s', (_name, scenario, go) => {
  test('every control has a name, ids are unique, nothing overflows, and the policy refused nothing', async () => {
    await window.open(scenario)
    await go()
    expect(await unnamedControls()).toEqual([])
    expect(await page.evaluate(() => [...document.querySelectorAll('[id]')].map((one) => one.id).filter((id, at, all) => all.indexOf(id) !== at))).toEqual([])
    expect(await page.evaluate(() => [...document.querySelectorAll('main, section, dialog')].filter((one) => one.scrollWidth > one.clientWidth + 1).map((one) => one.tagName))).toEqual([])
    expect(window.complaints).toEqual([])
  })
})

/** Names as Chromium computes them for assistive technology. */
async function unnamedControls(): Promise<readonly string[]> {
  const session = await page.context().newCDPSession(page)
  const { nodes } = await session.send('Accessibility.getFullAXTree')
  await session.detach()
  const roles = ['button', 'checkbox', 'combobox', 'dialog', 'grid', 'list box', 'menuitem', 'progressbar', 'radio', 'radiogroup', 'switch', 'textbox', 'region']
  const controls = nodes.filter((node) => !node.ignored && roles.includes(String(node.role?.value)))
  expect(controls.length).toBeGreaterThan(0)
  return controls.filter((node) => !node.name?.value).map((node) => String(node.role?.value))
}
