import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { launchApp } from './harness/app.ts'
import { freshFolder } from './harness/folder.ts'
import { User } from './harness/user.ts'

test('a file that is gone is found by a part of its name, and its version of long ago comes back as it was', async () => {
  using folder = freshFolder()
  const letters = folder.made('Letters')
  mkdirSync(join(letters, '2024'))
  const file = join(letters, '2024', 'Brief an Zoë.txt')
  const texts = ['first words', 'second, longer words']
  await using app = await launchApp()
  const user = await User.of(app)
  const { page } = user
  writeFileSync(file, texts[0] ?? '')
  await user.addJob({ name: 'letters', sources: [letters], destination: { type: 'folder', path: folder.made('backup') }, password: 'tulip gravel omen lamp' })
  await user.backUpNow()
  writeFileSync(file, texts[1] ?? '')
  await user.backUpNow()
  rmSync(file)
  await user.backUpNow()
  await user.click('Restore files')
  await user.click('What changed…')
  const changes = page.getByRole('dialog', { name: 'What changed' })
  await changes.getByText('1 gone (20 bytes)', { exact: true }).waitFor()
  await changes.getByRole('listitem').filter({ hasText: 'Brief an Zoë.txt' }).waitFor()
  for (const theme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme: theme })
    await app.screenshot(`changes-${theme}`)
  }
  await changes.getByRole('button', { name: 'Show in folder: Brief an Zoë.txt' }).click()
  await page.getByRole('row').filter({ hasText: 'Brief an Zoë.txt' }).waitFor()
  await page.getByRole('textbox', { name: 'Search all snapshots' }).fill('brief zoe')
  await page.getByRole('button', { name: /^Brief an Zoë\.txt.*2 versions/ }).waitFor()
  for (const theme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme: theme })
    await app.screenshot(`search-found-${theme}`)
  }
  await page.getByRole('button', { name: /^Brief an Zoë\.txt/ }).click()
  const versions = page.getByRole('dialog', { name: 'Versions of Brief an Zoë.txt' }).getByRole('listitem')
  await versions.nth(1).waitFor()
  expect(await versions.count()).toBe(2)
  await versions.first().getByText(/^Gone in the snapshot of/).waitFor()
  for (const theme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme: theme })
    await app.screenshot(`search-versions-${theme}`)
  }
  const target = folder.made('target')
  await user.willChoose({ restore: [target] })
  await versions.nth(1).getByRole('button', { name: /^Restore the version of/ }).click()
  await user.click('Target folder: Choose…')
  await user.click('Start restore')
  await page.getByRole('heading', { name: /^Restored/ }).waitFor()
  expect(readFileSync(join(target, 'Letters', '2024', 'Brief an Zoë.txt'), 'utf8')).toBe(texts[0])
}, 90_000)
