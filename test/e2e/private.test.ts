import { chownSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { launchApp, startRefused } from './harness/app.ts'
import { freshFolder } from './harness/folder.ts'
import { User } from './harness/user.ts'

/** What others than the owner may do anything with, below a folder; nothing below a folder that is closed to them. */
function openToOthers(path: string): readonly string[] {
  const stat = statSync(path)
  if ((stat.mode & 0o077) === 0) return []
  return [path, ...(stat.isDirectory() ? readdirSync(path).flatMap((name) => openToOthers(join(path, name))) : [])]
}

test('with a umask of nothing, no setting, secret, log or page data of the app is open to others', async () => {
  const before = process.umask(0)
  try {
    using folder = freshFolder()
    await using app = await launchApp()
    const user = await User.of(app)
    await user.addJob({ name: 'docs', sources: [folder.made('tree')], destination: { type: 'folder', path: folder.made('backup') }, password: 'tulip gravel omen lamp' })
    expect(readdirSync(app.state)).toEqual(expect.arrayContaining(['jobs.json', 'secrets.json', 'secrets.key', 'logs', 'window']))
    expect(['', 'jobs.json', 'secrets.json', 'secrets.key', 'logs', 'window'].flatMap((name) => openToOthers(join(app.state, name)))).toEqual([])
  } finally {
    process.umask(before)
  }
})

test.runIf(process.getuid?.() === 0)('a state folder or a settings file of somebody else is not used, in words', async () => {
  using folder = freshFolder()
  const state = folder.made('state')
  chownSync(state, 65534, 65534)
  expect(await startRefused(folder.path(''), state)).toContain(`Holdfast cannot start: ${state} belongs to another user (id 65534)`)
  expect(readdirSync(state)).toEqual([])
  const window = join(folder.made('state-2'), 'window')
  mkdirSync(window)
  chownSync(window, 65534, 65534)
  expect(await startRefused(folder.path(''), folder.path('state-2'))).toContain(`${window} belongs to another user`)
})

test('a job file of a later version is not used and stays as it is, in words', async () => {
  using folder = freshFolder()
  const state = folder.made('state')
  const text = '{"version":99,"data":{}}'
  writeFileSync(join(state, 'jobs.json'), text, { mode: 0o600 })
  expect(await startRefused(folder.path(''), state)).toContain(`Holdfast cannot start: ${join(state, 'jobs.json')} was written by a later version of Holdfast.`)
  expect([readFileSync(join(state, 'jobs.json'), 'utf8'), readdirSync(state).filter((name) => name.startsWith('jobs'))]).toEqual([text, ['jobs.json']])
})

test('a state folder that others could write in is closed, and the window says so', async () => {
  using folder = freshFolder()
  const home = folder.path('home')
  const before = process.umask(0)
  mkdirSync(join(home, 'state/history'), { recursive: true, mode: 0o777 })
  writeFileSync(join(home, 'state/jobs.json'), '{"version":1,"data":[]}', { mode: 0o666 })
  process.umask(before)
  expect(['state', 'state/history', 'state/jobs.json'].map((name) => statSync(join(home, name)).mode & 0o777)).toEqual([0o777, 0o777, 0o666])
  await using app = await launchApp({ home })
  const user = await User.of(app)
  expect(['jobs.json', 'history'].flatMap((name) => openToOthers(join(app.state, name)))).toEqual([])
  expect(statSync(app.state).mode & 0o022).toBe(0)
  await user.sees('Other users of this computer could change Holdfast’s settings')
  await user.goTo('Settings')
  await user.sees(/^Runs on Electron \d.*gets no security fixes/)
})
