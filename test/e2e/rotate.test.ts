import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { runCli } from '../engine/cli/run-cli.ts'
import { SeededRandom } from '../bench/random.ts'
import { launchApp } from './harness/app.ts'
import { freshFolder } from './harness/folder.ts'
import { User } from './harness/user.ts'

const [password, another] = ['tulip gravel omen lamp', 'quartz meadow violin ember']

test('after key rotate a job moves to the new repository in the window: it sends nothing again, its old snapshots are in its list, and the old password opens nothing', async () => {
  using folder = freshFolder()
  const [old, made, source] = [folder.made('old'), folder.path('new'), folder.made('documents')]
  mkdirSync(join(source, 'sub'))
  writeFileSync(join(source, 'sub', 'letter'), new SeededRandom(3).bytes(3_000_000))
  await using app = await launchApp()
  const user = await User.of(app)
  await user.addJob({ name: 'documents', sources: [source], destination: { type: 'folder', path: old }, password })
  expect(await user.backUpNow()).toBe('Backed up')
  const cli = (args: readonly string[], secrets: Readonly<Record<string, string>>): ReturnType<typeof runCli> => runCli([...args, '--json'], { environment: { HOLDFAST_HOME: folder.path('elsewhere'), ...secrets } })
  const rotated = await cli(['key', 'rotate', '--from', old, '--to', made], { HOLDFAST_FROM_PASSWORD: password, HOLDFAST_PASSWORD: another })
  expect(rotated.events.at(-1)).toMatchObject({ outcome: 'success', snapshots: 1, machines: 1 })

  await user.click('More actions')
  await user.page.getByRole('menuitem', { name: 'Edit job' }).click()
  await user.willChoose({ destination: [made], confirm: true })
  await user.click('Backup folder: Choose…')
  await user.page.getByLabel('Password of the repository').fill(another)
  await user.page.getByLabel('Repeat the password').fill(another)
  await user.click('Save')
  await user.page.getByRole('heading', { name: 'documents', level: 1 }).waitFor()
  await user.page.getByRole('button', { name: /^Show details of the run of/ }).waitFor()
  writeFileSync(join(source, 'note'), 'new')
  expect(await user.backUpNow()).toBe('Backed up')
  const listed = await cli(['snapshots', '--repo', made], { HOLDFAST_PASSWORD: another })
  const ids = listed.events.filter(({ type }) => type === 'snapshot').map(({ id }) => id)
  expect(ids).toEqual(expect.arrayContaining(['documents@1', expect.stringMatching(/^documents~\w{12}@1$/)]))
  await user.click('Restore files')
  for (const id of ids) await user.page.getByTitle(new RegExp(`^${String(id)} · `)).waitFor()
  expect((await cli(['snapshots', '--repo', made], { HOLDFAST_PASSWORD: password })).events.at(-1)).toMatchObject({ code: 'password' })
}, 120_000)
