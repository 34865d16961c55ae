import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { SeededRandom } from '../../bench/random.ts'
import { backUp } from '../commands/run-support.ts'
import { testFolder, type TestFolder } from '../small-repository.ts'
import { callCli } from './in-process.ts'

const names = ['Übung: Café au lait.jpg', ' two  blanks ', 'été\nligne']

async function backedUp(): Promise<TestFolder> {
  const folder = await testFolder()
  const source = join(folder.path, 'source')
  mkdirSync(join(source, 'Ein Ordner für Bilder'), { recursive: true })
  for (const [seed, name] of names.entries()) writeFileSync(join(source, 'Ein Ordner für Bilder', name), new SeededRandom(seed).bytes(200_000))
  await backUp(folder, source)
  return folder
}

test('a drill tells what it restored, and the list shows it, in words and as JSON', { timeout: 120_000 }, async () => {
  await using folder = await backedUp()
  const none = await callCli(['drill', '--list'], { folder })
  expect([none.code, none.stdout]).toEqual([0, expect.stringContaining('There was no restore drill yet.')])
  const held = await callCli(['drill', '--seed', 'one'], { folder })
  expect([held.code, held.stdout]).toEqual([0, expect.stringMatching(/^ {2}3 files, 586 KiB of job@1 restored and compared, 3 of them with their sources too$/m)])
  expect(held.stdout).toMatch(/^ {2}seed one$/m)
  const list = await callCli(['drill', '--list'], { folder })
  expect([list.code, list.stdout]).toEqual([0, expect.stringMatching(/ passed +3 +586 KiB +3 +0 +job@1$/m)])
  const json = await callCli(['drill', '--list', '--json'], { folder })
  expect(json.events[0]).toMatchObject({ type: 'drill', result: 'passed', files: 3, bytes: 600_000, compared: 3, failed: 0, snapshots: ['job@1'] })
  expect((await callCli(['check'], { folder })).stdout).toMatch(/^ {2}last restore drill: .*3 files, 586 KiB: passed$/m)
})

test('a lost pack fails the drill with exit code 100 and the names of the files, and the list keeps it', { timeout: 120_000 }, async () => {
  await using folder = await backedUp()
  const packs = join(folder.path, 'repository', 'packs')
  const sizes = readdirSync(packs, { recursive: true, encoding: 'utf8' }).map((name) => join(packs, name)).filter((path) => statSync(path).isFile())
  rmSync(sizes.toSorted((a, b) => statSync(b).size - statSync(a).size)[0] ?? '')
  const held = await callCli(['drill'], { folder })
  expect(held.code).toBe(100)
  expect(held.stdout).toMatch(/^ {2}3 paths cannot be restored as stored: run a check$/m)
  expect(`${held.stdout}${held.stderr}`).toContain('Übung: Café au lait.jpg')
  expect((await callCli(['drill', '--list'], { folder })).stdout).toMatch(/ FAILED +3 /)
})

/** Changes a byte of a file in a memory file system through a map that was written to before: neither its times nor its size tell. */
async function mapFile(path: string): Promise<() => Promise<void>> {
  const script = "import mmap, sys\nfile = open(sys.argv[1], 'r+b')\nmap = mmap.mmap(file.fileno(), 0)\nmap[7] = map[7]\nprint('mapped', flush=True)\nsys.stdin.readline()\nmap[7] ^= 1\n"
  const child = spawn('python3', ['-c', script, path], { stdio: ['pipe', 'pipe', 'inherit'] })
  const exit = once(child, 'exit')
  await Promise.race([once(child.stdout, 'data'), exit.then(([code]) => { throw new Error(`python3 ended with ${String(code)}`) })])
  return async () => {
    child.stdin.end('\n')
    expect(await exit).toEqual([0, null])
  }
}

test('a source that went bad without a trace is a warning: exit code 2, named, and kept in the list', { timeout: 120_000 }, async () => {
  await using folder = await testFolder()
  await using cleanup = new AsyncDisposableStack()
  const memory = mkdtempSync('/dev/shm/holdfast-drill-')
  cleanup.defer(() => { rmSync(memory, { recursive: true }) })
  const source = join(memory, 'Bilder')
  mkdirSync(source)
  for (const [seed, name] of names.entries()) writeFileSync(join(source, name), new SeededRandom(seed).bytes(200_000))
  const spoil = await mapFile(join(source, names[0] ?? ''))
  await backUp(folder, source)
  await spoil()
  const held = await callCli(['drill'], { folder })
  expect([held.code, held.stdout]).toEqual([2, expect.stringMatching(/^drill: done, with warnings /m)])
  expect(held.stdout).toMatch(/^ {2}3 files, 586 KiB of job@1 restored and compared, 3 of them with their sources too$/m)
  expect(`${held.stdout}${held.stderr}`).toMatch(/Übung: Café au lait\.jpg.* has the size and times of .*, and other content/)
  expect((await callCli(['drill', '--list'], { folder })).stdout).toMatch(/ passed, with warnings +3 +586 KiB +3 +0 +job@1$/m)
  expect((await callCli(['drill', '--json'], { folder })).events.at(-1)).toMatchObject({ outcome: 'warnings', problems: 1, details: { proof: { result: 'warnings', failed: 0 } } })
})
