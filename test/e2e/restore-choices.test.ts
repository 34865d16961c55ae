import { mkdirSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { launchApp } from './harness/app.ts'
import { freshFolder } from './harness/folder.ts'
import { User } from './harness/user.ts'

/** A red PNG of three points by two. */
const png = Buffer.from('iVBORw0KGgoAAAANSUhEUgAAAAMAAAACCAIAAAASFvFNAAAAEElEQVR4nGP4z8AAQQxwFgBB0gX7h/C5SAAAAABJRU5ErkJggg==', 'base64')

test('a restore says what it would replace; versions are looked into and compared; a list of them is restored in one go, also to where they were', async () => {
  using folder = freshFolder()
  const letters = folder.made('Letters')
  mkdirSync(join(letters, '2024'))
  const file = join(letters, '2024', 'Brief an Zoë.txt')
  const put = (path: string, text: string | Buffer, time: number): void => {
    writeFileSync(path, text)
    utimesSync(path, time, time)
  }
  await using app = await launchApp()
  const user = await User.of(app)
  const { page } = user
  put(file, 'Dear Zoë,\nall is lost\n', 1_600_000_000)
  put(join(letters, 'red.png'), png, 1_600_000_000)
  await user.addJob({ name: 'letters', sources: [letters], destination: { type: 'folder', path: folder.made('backup') }, password: 'tulip gravel omen lamp' })
  await user.backUpNow()
  put(file, 'Dear Zoë,\nall is well\n', 1_650_000_000)
  await user.backUpNow()
  await user.click('Restore files')

  // What would be replaced.
  const target = folder.made('target')
  mkdirSync(join(target, 'Letters', '2024'), { recursive: true })
  put(join(target, 'Letters', '2024', 'Brief an Zoë.txt'), 'my own, and newer', 1_700_000_000)
  await user.willChoose({ restore: [target] })
  await user.click('Restore everything…')
  await user.click('Target folder: Choose…')
  await user.sees('1 file will be replaced (23 bytes). 1 of them is newer than the backup.')
  await user.sees(/^1 file is not there yet and will be written/)
  await page.getByRole('list', { name: 'What is there and differs from the backup' }).getByText('Brief an Zoë.txt').waitFor()
  for (const theme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme: theme })
    await app.screenshot(`restore-plan-${theme}`)
  }
  expect(readdirSync(join(target, 'Letters'))).toEqual(['2024'])
  await page.getByLabel('When a file is already there').selectOption('older')
  await user.sees('1 file will be kept as it is there.')
  await user.click('Start restore')
  await page.getByRole('heading', { name: /^Restored/ }).waitFor()
  expect(readFileSync(join(target, 'Letters', '2024', 'Brief an Zoë.txt'), 'utf8')).toBe('my own, and newer')
  expect(readFileSync(join(target, 'Letters', 'red.png'))).toEqual(png)

  // Looked into and compared.
  await user.goTo('Restore')
  await page.getByRole('textbox', { name: 'Search all snapshots' }).fill('red.png')
  await page.getByRole('region', { name: 'Found' }).getByRole('button', { name: /^red\.png/ }).click()
  await page.getByRole('button', { name: /^Look inside/ }).click()
  await page.getByRole('img', { name: 'red.png, a picture of 3 by 2 points' }).waitFor()
  await page.locator('canvas[data-drawn]').waitFor()
  expect(await page.locator('canvas').evaluate((canvas: HTMLCanvasElement) => [...(canvas.getContext('2d')?.getImageData(1, 1, 1, 1).data ?? [])])).toEqual([255, 0, 0, 255])
  await user.click('Back to the versions')
  await page.getByRole('dialog').getByRole('button', { name: 'Close' }).click()
  await page.getByRole('textbox', { name: 'Search all snapshots' }).fill('brief zoe')
  await page.getByRole('region', { name: 'Found' }).getByRole('button', { name: /^Brief an Zoë\.txt/ }).click()
  await page.getByRole('button', { name: /^What changed in the version of/ }).click()
  await user.sees('1 line was added, 1 line was removed.')
  await app.screenshot('restore-compare')
  await user.click('Back to the versions')
  await page.getByRole('button', { name: /^Look inside/ }).nth(1).click()
  await user.sees('all is lost')
  await app.screenshot('restore-preview')
  await user.click('Back to the versions')

  // Both versions at once, to where they were.
  for (const number of [0, 1]) await page.getByRole('button', { name: /^Add the version of .* to the restore list$/ }).nth(number).click()
  await app.screenshot('restore-versions')
  await page.getByRole('dialog').getByRole('button', { name: 'Close' }).click()
  await user.click('Show list')
  await page.getByRole('dialog').getByText('Two versions of the same file cannot have one name').waitFor()
  await app.screenshot('restore-list')
  rmSync(join(letters, '2024'), { recursive: true })
  await page.getByRole('dialog').getByRole('button', { name: 'Restore…' }).click()
  await page.getByRole('radio', { name: 'Where they were' }).check()
  await user.sees(/^Nothing of it is there yet\./)
  await user.willChoose({ confirm: true })
  await user.click('Start restore')
  await page.getByRole('heading', { name: /^Restored/ }).waitFor()
  const names = readdirSync(join(letters, '2024')).sort()
  expect(names).toEqual([expect.stringMatching(/^Brief an Zoë \(\d{4}-\d\d-\d\d \d\d\.\d\d(\.\d\d)?\)\.txt$/), 'Brief an Zoë.txt'])
  expect(names.map((name) => readFileSync(join(letters, '2024', name), 'utf8')).sort()).toEqual(['Dear Zoë,\nall is lost\n', 'Dear Zoë,\nall is well\n'])
  expect(readFileSync(file, 'utf8')).toBe('Dear Zoë,\nall is well\n')
}, 180_000)
