import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { expect, test } from 'vitest'
import { describeTree, makeOddTree } from '../fixtures/tree.ts'
import { launchApp, type RunningApp } from './harness/app.ts'
import { attachDrive } from './harness/drive.ts'
import { openFakeDesktop } from './harness/desktop.ts'
import { freshFolder } from './harness/folder.ts'
import { User } from './harness/user.ts'

const password = 'tulip gravel omen lamp'

/** Clicks of a pointer in the window from now on. A key that presses a button is none. */
async function countClicks({ page }: User): Promise<() => Promise<number>> {
  await page.evaluate(() => {
    let clicks = 0
    addEventListener('pointerdown', () => { clicks += 1 }, true)
    Object.assign(globalThis, { clicks: () => clicks })
  })
  return () => page.evaluate(() => (globalThis as unknown as { clicks: () => number }).clicks())
}

/** Questions that main asked in dialogs of its own so far. */
function questions({ state }: RunningApp): readonly string[] {
  const folder = join(state, 'logs')
  return readdirSync(folder).flatMap((name) => readFileSync(join(folder, name), 'utf8').split('\n')).filter((line) => line.includes('asked: '))
}

function put(path: string, text: string): void {
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, text)
}

test('a first backup of the home to an attached disk: two decisions, four clicks, and it runs; what is restored equals the source', async () => {
  using folder = freshFolder()
  const home = folder.made('home/mia')
  makeOddTree(join(home, 'Documents'))
  put(join(home, 'Pictures/Été à la mer/01.jpg'), 'a picture')
  put(join(home, '.cache/browser/x'), 'again')
  put(join(home, '.cargo/registry/src/x'), 'again')
  put(join(home, '.cargo/config.toml'), 'mine')
  put(join(home, 'code/node_modules/a/index.js'), 'again')
  const disk = attachDrive(folder, 'Blue Disk')
  await using desktop = await openFakeDesktop()
  await using app = await launchApp({ home, environment: { ...desktop.environment, ...disk.environment } })
  const user = await User.of(app)
  const clicks = await countClicks(user)
  const asked = questions(app).length
  await user.willChoose({ confirm: true })

  const startedMs = performance.now()
  await user.click('Back up this computer')
  await expect.poll(() => user.page.getByRole('radio', { name: 'Blue Disk' }).isChecked()).toBe(true)
  await user.page.getByLabel('Password for the backup').click()
  await user.page.keyboard.type(password)
  await user.page.keyboard.press('Tab')
  await user.page.keyboard.press('Tab')
  await user.page.keyboard.type(password)
  await app.screenshot('first-run')
  await user.click('Start the first backup')
  await user.page.getByRole('button', { name: /^(Pause|Browse this snapshot)$/ }).first().waitFor()
  const seconds = (performance.now() - startedMs) / 1000
  const all = (await clicks()) + questions(app).length - asked
  console.log(`first run: ${all} clicks, one of them in main's own question; ${seconds.toFixed(1)} s to a running backup`)
  expect(all).toBe(4)
  expect(seconds).toBeLessThan(60)
  expect(questions(app).at(-1)).toContain(join(disk.mount, 'Holdfast'))

  await user.sees(/^Backed up/)
  expect((await desktop.nextNotification('Home')).summary).toBe('Your first backup is complete')
  expect(readdirSync(disk.mount)).toEqual(['Holdfast'])
  await user.click('Browse this snapshot')
  await user.restoreTo(folder.made('restored'))
  const restored = folder.path('restored/mia')
  expect(describeTree(join(restored, 'Documents'))).toEqual(describeTree(join(home, 'Documents')))
  expect(readFileSync(join(restored, 'Pictures/Été à la mer/01.jpg'), 'utf8')).toBe('a picture')
  expect(readFileSync(join(restored, '.cargo/config.toml'), 'utf8')).toBe('mine')
  for (const again of ['.cache', '.cargo/registry', 'code/node_modules']) expect(existsSync(join(restored, again)), again).toBe(false)

  // A second job finds the backup on the disk, takes its password only, and none but the right one.
  await user.willChoose({ confirm: true })
  await user.goTo('Backups')
  await user.click('Quick setup')
  await user.sees('There is a Holdfast backup in')
  await user.page.getByLabel('Password of the backup that is there').fill('not this one')
  await user.click('Start the backup')
  await user.sees('This does not open the backup that is there.')
  await user.page.getByLabel('Password of the backup that is there').fill(password)
  await user.click('Start the backup')
  await user.page.getByRole('heading', { name: 'Home 2', level: 1 }).waitFor()
  await user.sees(/^Backed up/)
}, 120_000)

test('without a yes nothing is backed up, and the form stays as it was', async () => {
  using folder = freshFolder()
  const disk = attachDrive(folder, 'Blue Disk')
  await using app = await launchApp({ environment: disk.environment })
  const user = await User.of(app)
  await user.click('Back up this computer')
  await user.sees(`Kept in ${join(disk.mount, 'Holdfast')}`)
  await user.page.getByLabel('Password for the backup').fill(password)
  await user.page.getByLabel('Repeat the password').fill(password)
  await user.click('Start the first backup')
  await expect.poll(() => questions(app).length).toBe(1)
  await expect.poll(() => user.button('Start the first backup').isEnabled()).toBe(true)
  expect(await user.page.getByLabel('Password for the backup').inputValue()).toBe(password)
  expect(readdirSync(disk.mount)).toEqual([])
})
