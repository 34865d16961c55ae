import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { createKit } from '../../../engine/commands/kit.ts'
import { listKeysOf, removeKeyFrom } from '../../../engine/commands/key.ts'
import { kitPage } from '../../../engine/protocol/kit-page.ts'
import { wordsToAsk } from '../../../engine/protocol/recovery-words.ts'
import { callCli } from '../cli/in-process.ts'
import { testFolder, type TestFolder } from '../small-repository.ts'
import { testContext } from './run-support.ts'

function addressOf({ repository, home }: TestFolder): { repository: string, home: string, concurrency: number } {
  return { repository, home, concurrency: 1 }
}

/** The words on a page. */
function wordsOn(page: string): string {
  return [...page.matchAll(/<li>([a-z]+)<\/li>/g)].map(([, word]) => word).join(' ')
}

function everyFile(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name))
}

test('a kit opens the repository wherever a password is asked for, until its key is removed', async () => {
  await using folder = await testFolder()
  const file = join(folder.path, 'kit.html')
  const made = await callCli(['kit', 'create', '--out', file, '--json'], { folder })
  const { key, repositoryId } = made.events.at(-1) as { key: string, repositoryId: string }
  expect(made).toMatchObject({ code: 0, events: [{ operation: 'kit-create', outcome: 'success', file }] })
  expect(statSync(file).mode & 0o777).toBe(0o600)
  const page = readFileSync(file, 'utf8')
  for (const fact of [folder.repository, repositoryId, key.slice(0, 8), '<svg']) expect(page).toContain(fact)
  const words = wordsOn(page)
  expect(words.split(' ')).toHaveLength(12)
  const typed = words.toUpperCase().replaceAll(' ', ',  ')
  expect((await callCli(['snapshots'], { folder, environment: { HOLDFAST_PASSWORD: typed } })).code).toBe(0)
  const list = join(folder.path, 'words.txt')
  writeFileSync(list, words.split(' ').map((word, at) => `${at + 1}. ${word.slice(0, 4)}\n`).join(''), { mode: 0o600 })
  expect((await callCli(['snapshots', '--recovery-key-file', list], { folder, environment: { HOLDFAST_PASSWORD: undefined } })).code).toBe(0)
  expect(await callCli(['kit', 'verify', '--recovery-key-file', list], { folder })).toMatchObject({ code: 0, stdout: expect.stringContaining(key) as unknown })
  expect((await callCli(['kit', 'verify'], { folder })).code).toBe(200)
  expect((await callCli(['snapshots', '--recovery-key-file', list, '--password-file', list], { folder })).code).toBe(200)
  expect((await callCli(['key', 'remove', key.slice(0, 8)], { folder })).code).toBe(0)
  expect((await callCli(['kit', 'verify', '--recovery-key-file', list, '--json'], { folder })).events.at(-1)).toMatchObject({ code: 'password' })
  // Nowhere but on the page: neither in what was said, nor in Holdfast's own folder, nor in the repository.
  expect(made.stdout + made.stderr).not.toContain(words.split(' ')[0] ?? '')
  for (const path of [folder.home, folder.repository].flatMap(everyFile)) expect([path, readFileSync(path).includes(words)]).toEqual([path, false])
}, 60_000)

test('words that are wrong are told by their place, and not repeated', async () => {
  await using folder = await testFolder()
  const list = join(folder.path, 'words.txt')
  writeFileSync(list, 'ozone drill grabb fiber curtain grace pudding thank cruise elder eight picnic', { mode: 0o600 })
  const result = await callCli(['snapshots', '--recovery-key-file', list], { folder })
  expect(result).toMatchObject({ code: 200, stderr: expect.stringContaining('Word 3 ') as unknown })
  expect(result.stderr).not.toContain('grabb')
})

test('a file that is there stays, and no key is made for a page that cannot be written', async () => {
  await using folder = await testFolder()
  const file = join(folder.path, 'kit.html')
  writeFileSync(file, 'mine')
  await expect(createKit(addressOf(folder), file, testContext())).rejects.toMatchObject({ code: 'exists' })
  await expect(createKit(addressOf(folder), join(folder.path, 'none', 'kit.html'), testContext())).rejects.toMatchObject({ code: 'arguments' })
  expect(readFileSync(file, 'utf8')).toBe('mine')
  expect(await listKeysOf(addressOf(folder), testContext())).toHaveLength(1)
})

test('stopped on its way, it leaves neither a key nor a page', async () => {
  await using folder = await testFolder()
  const file = join(folder.path, 'kit.html')
  const faulty = `faulty+${folder.repository}?fault.rule=get,before,prefix=keys/,code=denied,skip=1`
  await expect(createKit({ ...addressOf(folder), repository: faulty }, file, testContext())).rejects.toMatchObject({ code: 'denied' })
  expect(existsSync(file)).toBe(false)
  expect(readdirSync(join(folder.repository, 'keys'))).toHaveLength(1)
}, 30_000)

test('a recovery key is cheap to try, and is listed by what it is', async () => {
  await using folder = await testFolder()
  const { key } = await createKit(addressOf(folder), join(folder.path, 'kit.html'), testContext())
  const bytes = readFileSync(join(folder.repository, 'keys', key)).subarray(4)
  expect(JSON.parse(bytes.toString('utf8'))).toMatchObject({ N: 4096, r: 8, p: 1 })
  expect((await listKeysOf(addressOf(folder), testContext())).find(({ name }) => name === key)).toMatchObject({ label: 'recovery kit' })
  expect(await removeKeyFrom(addressOf(folder), key, testContext())).toBe(key)
})

test('the page loads nothing, runs nothing, and shows an address as text', () => {
  const page = kitPage({
    address: 'https://x/<script>alert(1)</script>&\'"', repositoryId: 'ab', keyName: 'cd'.repeat(16), words: 'ozone drill', createdMs: 0, storageSecrets: ['Password <b>'], program: 'Holdfast 1',
  })
  expect(page).not.toMatch(/<script|<link|<img|@import|url\(|<b>"|src=|href=/)
  expect(page).toContain('&#60;script&#62;')
  expect(page).toContain('default-src \'none\'')
})

test('which words are asked for is chance, and no word twice', () => {
  const seen = new Set<number>()
  for (let at = 0; at < 200; at++) {
    const asked = wordsToAsk()
    expect([asked.length, new Set(asked).size, asked.toSorted((a, b) => a - b)]).toEqual([3, 3, asked])
    for (const each of asked) seen.add(each)
  }
  expect([...seen].sort((a, b) => a - b)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12])
})
