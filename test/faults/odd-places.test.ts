import { execFileSync } from 'node:child_process'
import { cpSync, lstatSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { CheckJob } from '../../engine/protocol/job.ts'
import type { RunSummary } from '../../engine/protocol/progress.ts'
import { wholeState } from '../fixtures/whole-state.ts'
import { runAnnotate, runKeyAdd, runKeyList, runList, runSnapshots } from './subjects.ts'
import { endingOf, type Ending } from './table.ts'
import { Template, type TemplateCopy } from './template.ts'

/** The longest that any command may take over something odd. */
const longestMs = 20_000

let template: Template
let parent: string
let whole: string
let canary: string

beforeAll(async () => {
  parent = mkdtempSync(join(tmpdir(), 'holdfast-odd-'))
  whole = join(parent, 'whole')
  canary = join(parent, 'canary')
  template = await Template.make()
  await template.copyTo(whole)
  // What each kind of run leaves behind, so that its folders are there to be replaced.
  const copy = template.at(whole)
  copy.change()
  await copy.run(copy.job('backup'))
  await copy.run(copy.job('prune'))
  copy.world[Symbol.dispose]()
  mkdirSync(join(canary, 'ab'), { recursive: true })
  for (const name of ['photo', 'ab'.repeat(16), 'config', '00000000-0000-4000-8000-000000000000.pack']) writeFileSync(join(canary, name), 'theirs')
})

afterAll(() => {
  template[Symbol.dispose]()
  rmSync(parent, { recursive: true, force: true })
})

/** What takes the place of a file or folder. Sockets and other links: test/engine/backend/local/hostile-ground.test.ts. */
const kinds: Readonly<Record<string, (path: string) => void>> = {
  'link to a file outside': (path) => { symlinkSync(join(canary, 'photo'), path) },
  'link to a folder outside': (path) => { symlinkSync(canary, path) },
  pipe: (path) => { execFileSync('mkfifo', [path]) },
  folder: (path) => { mkdirSync(join(path, 'ab'), { recursive: true }) },
  'endless file': (path) => {
    writeFileSync(path, '')
    truncateSync(path, 2 ** 42)
  },
  ...(process.getuid?.() === 0 ? { 'endless device': (path: string) => { execFileSync('mknod', [path, 'c', '1', '5']) } } : {}),
}

/** One of each kind of file and folder that the repository has: of names that are all digits, the first. */
function places(): string[] {
  const found = new Map<string, string>()
  const visit = (folder: string): void => {
    for (const name of readdirSync(join(whole, folder)).sort()) {
      const path = join(folder, name)
      const kind = path.replace(/\/[0-9a-f-]+(?=\/|$)/g, (digits) => `/${digits.length === 33 ? 32 : digits.length === 50 ? 'job' : 'n'}`)
      // A staging folder is of one machine: foreign-folder.test.ts replaces the own one.
      if (!found.has(kind) && !path.startsWith('.staging/')) found.set(kind, path)
      if (lstatSync(join(whole, path)).isDirectory()) visit(path)
    }
  }
  visit('')
  return [...found.values()]
}

type Command = (copy: TemplateCopy) => Promise<RunSummary | undefined>

const small = (run: typeof runKeyList): Command => async (copy) => {
  await run(copy, { repository: copy.url, home: copy.world.home, concurrency: 2, patienceMs: 2000 }, new AbortController().signal)
  return undefined
}

const commands: Readonly<Record<string, Command>> = {
  snapshots: small(runSnapshots),
  ls: small(runList),
  annotate: small(runAnnotate),
  'key list': small(runKeyList),
  test: (copy) => copy.run(copy.job('test')),
  check: (copy) => copy.run(copy.job('check')),
  restore: (copy) => copy.run(copy.job('restore')),
  rebuild: (copy) => copy.run(copy.job('rebuild')),
  'key add': small(runKeyAdd),
  backup: (copy) => copy.run(copy.job('backup')),
  forget: (copy) => copy.run(copy.job('forget')),
  prune: (copy) => copy.run(copy.job('prune')),
  'check --repair': (copy) => copy.run({ ...copy.job('check') as CheckJob, repair: true }),
}

/** What a command may end with over something that is not as it was left. Never `internal`, and nothing that is tried for long. */
const endings = ['success', 'unchanged', 'warnings', 'failed', 'damaged', 'password', 'not-a-repository', 'not-found', 'version', 'arguments', 'rolled-back']

async function inTime(work: Promise<Ending>): Promise<Ending> {
  const late = new AbortController()
  const limit = sleep(longestMs, { word: 'still running', exitCode: 0, message: '' }, { signal: late.signal }).catch(() => ({ word: 'done', exitCode: 0, message: '' }))
  try {
    return await Promise.race([work, limit])
  } finally {
    late.abort()
  }
}

test('every kind of file and folder × everything odd in its place × every command: nothing else changes, and it ends in time with words', async () => {
  const before = wholeState(canary)
  const wrong: string[] = []
  const counts = new Map<string, number>()
  const found = places()
  for (const place of found) {
    for (const [kind, put] of Object.entries(kinds)) {
      const root = join(parent, 'case')
      cpSync(whole, root, { recursive: true, preserveTimestamps: true })
      renameSync(join(root, place), join(parent, 'away'))
      put(join(root, place))
      const copy = template.at(root)
      for (const [name, command] of Object.entries(commands)) {
        copy.change()
        const { word, message } = await inTime(endingOf(command(copy)))
        counts.set(word, (counts.get(word) ?? 0) + 1)
        const what = `${name} over a ${kind} at ${place}`
        if (!endings.includes(word)) wrong.push(`${what}: ${word} ${message}`)
        if (place === 'config' && !['damaged', 'not-a-repository', 'arguments'].includes(word)) wrong.push(`${what}: ${word}`)
        if (JSON.stringify(wholeState(canary)) !== JSON.stringify(before)) {
          wrong.push(`${what}: the canary was touched`)
          break
        }
      }
      copy.world[Symbol.dispose]()
      rmSync(root, { recursive: true, force: true })
      rmSync(join(parent, 'away'), { recursive: true, force: true })
    }
  }
  console.log(`${found.length} places × ${Object.keys(kinds).length} kinds × ${Object.keys(commands).length} commands: ${[...counts].map(([word, count]) => `${word} ${count}`).join(', ')}`)
  expect(wrong).toEqual([])
  expect(found.length).toBeGreaterThan(15)
}, 1_800_000)
