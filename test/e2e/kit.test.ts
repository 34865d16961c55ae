import { mkdirSync, readdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { runCli } from '../engine/cli/run-cli.ts'
import { describeTree } from '../fixtures/tree.ts'
import { launchApp, type RunningApp } from './harness/app.ts'
import { randomFile } from './harness/data.ts'
import { freshFolder, type TestFolder } from './harness/folder.ts'
import { textOfPdf } from './harness/pdf.ts'
import { findTraces, Onlooker, textsBelow } from './harness/traces.ts'
import { User } from './harness/user.ts'

const password = 'tulip gravel omen lamp'

interface Printed {
  readonly address: string
  readonly words: readonly string[]
}

/** As somebody reads it who has nothing but the page. */
function readPage(file: string): Printed {
  const text = textOfPdf(readFileSync(file))
  const address = /Backups are at\n(\S+)\n/.exec(text)?.[1] ?? ''
  const words = [...text.matchAll(/\n\d+\. \n([a-z]+)(?=\n)/g)].map(([, word = '']) => word)
  return { address, words }
}

function documentsOf(app: RunningApp): string {
  const documents = join(app.home, 'Documents')
  mkdirSync(join(documents, 'letters'), { recursive: true })
  writeFileSync(join(documents, 'letters/one.txt'), 'Dear Mia')
  randomFile(join(documents, 'photo.bin'), 2_000_000)
  return documents
}

const keysIn = (folder: TestFolder): number => readdirSync(folder.path('disk/backup/keys')).length

/** Types the words that are asked for, in capitals. */
async function typeBack(user: User, { words }: Printed): Promise<void> {
  const fields = user.page.getByRole('dialog').getByRole('textbox')
  for (const field of await fields.all()) {
    const place = Number(/^Word (\d+)$/.exec((await field.getAttribute('aria-label')) ?? (await labelOf(user, await field.getAttribute('id'))))?.[1])
    await field.fill(words[place - 1]?.toUpperCase() ?? '')
  }
}

async function labelOf(user: User, id: string | null): Promise<string> {
  return (await user.page.locator(`label[for="${id ?? ''}"]`).textContent())?.trim() ?? ''
}

test('a kit is made, saved and checked in the window; a new computer opens the backup with its words, restores and takes up the jobs; then the kit is taken away', async () => {
  using folder = freshFolder()
  await using app = await launchApp({ environment: { TMPDIR: folder.made('tmp') } })
  using onlooker = new Onlooker(app)
  const documents = documentsOf(app)
  const tree = describeTree(documents)
  const user = await User.of(app)
  user.page.setDefaultTimeout(60_000)
  await user.addJob({ name: 'documents', sources: [documents], destination: { type: 'folder', path: folder.made('disk/backup') }, password, schedule: 'Every hour' })
  expect(await user.page.getByText('Recovery kit', { exact: true }).count()).toBe(0)
  expect(await user.backUpNow()).toBe('Backed up')

  // It is offered by itself, and a no of the person makes nothing.
  await user.page.getByText('There is no recovery kit for “documents” yet').waitFor({ timeout: 120_000 })
  await app.screenshot('kit-notice')
  await user.click('Make one…')
  await user.willChoose({ confirm: false })
  await user.click('Make a recovery kit…')
  await expect.poll(() => user.button('Make a recovery kit…').isEnabled()).toBe(true)
  expect(keysIn(folder)).toBe(1)
  // One that nobody has printed or saved is taken back.
  await user.willChoose({ confirm: true })
  await user.click('Make a recovery kit…')
  await user.button('Save as PDF…').waitFor()
  expect(keysIn(folder)).toBe(2)
  await user.click('Save as PDF…')
  await user.page.keyboard.press('Escape')
  await expect.poll(() => keysIn(folder)).toBe(1)
  await user.click('None yet…')
  await user.click('Make a recovery kit…')
  // Not beside the backup that it opens.
  await user.willChoose({ save: folder.path('disk/backup/kit.pdf') })
  await user.click('Save as PDF…')
  await user.sees('A backup is in this folder')
  const file = join(folder.made('papers'), 'kit.pdf')
  await user.willChoose({ save: file })
  await user.click('Save as PDF…')
  await user.sees('2. Type three of its words')
  expect(statSync(file).mode & 0o777).toBe(0o600)
  expect(readdirSync(folder.path('papers'))).toEqual(['kit.pdf'])
  const page = readPage(file)
  expect(page).toEqual({ address: `file://${folder.path('disk/backup')}`, words: expect.objectContaining({ length: 12 }) as unknown })
  await typeBack(user, { ...page, words: [...page.words].reverse() })
  await user.click('Check')
  await user.sees('This is not what the page says.')
  await typeBack(user, page)
  await user.click('Check')
  await user.sees(/^Kit [0-9a-f]{8} is checked\./)
  await app.screenshot('kit-checked')
  await user.click('Done')
  await user.button('Made today, checked…').waitFor()
  expect(await user.page.getByText('There is no recovery kit').count()).toBe(0)

  await newComputer(folder, page, tree, app.home)

  const environment = { HOLDFAST_REPO: folder.path('disk/backup'), HOLDFAST_HOME: folder.path('cli'), HOLDFAST_PASSWORD: page.words.join(' ') }
  expect((await runCli(['snapshots', '--json'], { environment })).code).toBe(0)
  await user.willChoose({ confirm: true })
  await user.click('Made today, checked…')
  await user.click(/^Take away kit [0-9a-f]{8}…$/)
  await user.sees(/^Kit [0-9a-f]{8} no longer opens the backup\./)
  expect((await runCli(['snapshots', '--json'], { environment })).events.at(-1)).toMatchObject({ code: 'password' })

  // Nowhere but on the page: not in state, logs, temporary files or what Chromium keeps, nor in what processes are started with.
  renameSync(join(app.home, 'Documents'), folder.path('documents-away'))
  const places = new Map([...textsBelow(app.home), ...textsBelow(folder.path('tmp')), ...onlooker.texts])
  for (const secret of [page.words.join(' '), page.words.slice(0, 2).join(' '), page.words.slice(-2).join(' '), page.words.slice(2, 4).join('</li><li>')]) expect(findTraces(secret, places)).toEqual([])
  expect([...places].filter(([, text]) => text.includes('%PDF-')).map(([name]) => name)).toEqual([])
}, 600_000)

/** Nothing of the old one is there but its backup, and the page. */
async function newComputer(folder: TestFolder, { address, words }: Printed, tree: readonly string[], oldHome: string): Promise<void> {
  await using app = await launchApp()
  const user = await User.of(app)
  user.page.setDefaultTimeout(60_000)
  await user.click('Restore from a backup')
  await user.page.getByRole('textbox', { name: 'Address', exact: true }).fill(address)
  await user.sees(`The kit names the folder ${folder.path('disk/backup')}.`)
  await user.willChoose({ destination: [folder.path('disk/backup')] })
  await user.click('Backup folder: Choose…')
  const field = user.page.getByRole('textbox', { name: 'Password or recovery words', exact: true })
  // Copied from the page with its numbers and lines, one of them misread.
  const lines = words.map((word, at) => `${at + 1}. ${at === 3 ? 'cruize' : word.toUpperCase()}`).join('\n')
  await field.focus()
  await user.page.keyboard.insertText(lines)
  await user.click('Open backup')
  await user.sees('Word 4 is not one of the words that recovery keys are made of. Look at its spelling.')
  await field.fill('')
  await field.focus()
  await user.page.keyboard.insertText(lines.replace('cruize', words[3] ?? ''))
  await user.click('Open backup')
  await user.click('Restore files')
  await user.restoreTo(folder.made('restored'))
  expect(describeTree(folder.path('restored/Documents'))).toEqual(tree)
  renameSync(folder.path('restored/Documents'), join(app.home, 'Documents'))
  await user.click('Back')
  await user.click('Back')
  await user.click('Set this computer up again')
  await user.sees(`What was in ${oldHome} there is in ${app.home} here`)
  await user.willChoose({ confirm: true })
  await user.click('Set up 1 job…')
  await user.sees('1 job is set up on this computer')
  await user.openJob('documents')
  expect(await user.backUpNow()).toMatch(/^(Backed up|Nothing had changed)$/)
  for (const secret of [words.join(' '), words.slice(0, 3).join(' ')]) expect(findTraces(secret, textsBelow(app.state))).toEqual([])
}
