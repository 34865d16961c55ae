import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { temporaryName } from '../../../engine/backend/local/temporary.ts'
import { asHoldfastError } from '../../../engine/base/errors.ts'
import { exitCodes } from '../../../engine/cli/exit-codes.ts'
import { runJob } from '../../../engine/commands/run.ts'
import type { EngineJob } from '../../../engine/protocol/job.ts'
import { initCheaply } from '../../fixtures/cheap-repository.ts'
import { wholeState } from '../../fixtures/whole-state.ts'
import { runHere } from '../cli/run-here.ts'
import { testContext } from './run-support.ts'

/** `theirs` is given as the repository; `canary` is what links in it lead to. */
let parent: string
let theirs: string
let canary: string

const old = new Date(Date.now() - 40 * 24 * 3_600_000)
/** What a process of this machine that is dead would have left: the very name that is cleared away in a repository. */
const deadName = temporaryName().replace(/-\d+-/, '-4194999-')

function write(folder: string, name: string, content: string | Uint8Array = name): void {
  writeFileSync(join(folder, name), content)
  utimesSync(join(folder, name), old, old)
}

beforeEach(() => {
  parent = mkdtempSync(join(tmpdir(), 'holdfast-foreign-'))
  theirs = join(parent, 'world', 'theirs')
  canary = join(parent, 'world', 'canary')
  for (const folder of [theirs, canary, join(parent, 'source'), join(parent, 'out')]) mkdirSync(folder, { recursive: true })
  for (const name of ['photo.jpg', deadName, 'prune-00000000000000000000000000000000', '00000000-0000-4000-8000-000000000000.pack']) write(canary, name)
  write(join(parent, 'source'), 'letter')
})

afterEach(() => { rmSync(parent, { recursive: true, force: true }) })

function temporaries(folder: string): void {
  mkdirSync(join(theirs, folder), { recursive: true })
  for (const name of ['draft.odt', '.hidden', deadName, `${deadName}-link`, 'prune-00000000000000000000000000000000']) write(join(theirs, folder), name)
  symlinkSync(join(canary, 'photo.jpg'), join(theirs, folder, 'link'))
}

test.each(['a', 'b', 'c'])('what an init left that was killed while it tried the folder does not keep the next one from it: probe %s', async (each) => {
  mkdirSync(join(theirs, 'probe'))
  write(join(theirs, 'probe'), `0123456789abcdef0123456789abcdef-${each}`)
  await initCheaply(theirs, 'correct horse')
})

/** `HF`, kind and version as a config has them, an id, and nothing that opens. */
const forgedConfig = Buffer.concat([Buffer.of(0x48, 0x46, 1, 1), Buffer.alloc(200, 7)])

const folders: Readonly<Record<string, () => void>> = {
  'a home with files, hidden ones, and work in .tmp and .staging': () => {
    for (const name of ['photo.jpg', '.profile', 'ü b.txt', 'READ ME']) write(theirs, name)
    temporaries('.tmp')
    temporaries('.staging')
  },
  'nothing but a .tmp': () => { temporaries('.tmp') },
  '.tmp, .staging, packs and keys that are links elsewhere': () => {
    for (const name of ['.tmp', '.staging', 'packs', 'keys', 'index', 'probe', 'snapshots']) symlinkSync(canary, join(theirs, name))
  },
  'a git repository': () => {
    execFileSync('git', ['init', '-q', theirs])
    execFileSync('git', ['init', '-q', '--bare', join(theirs, 'bare')])
    write(theirs, 'main.c')
  },
  'a bare git repository, which has a config': () => { execFileSync('git', ['init', '-q', '--bare', theirs]) },
  'a file called config, and work in .tmp': () => {
    write(theirs, 'config', '[user]\n')
    temporaries('.tmp')
  },
  'a folder called config': () => { temporaries('config') },
  'a config that is a link': () => {
    write(canary, 'forged', forgedConfig)
    symlinkSync(join(canary, 'forged'), join(theirs, 'config'))
    temporaries('.tmp')
  },
  'a config that looks like ours and work in .tmp and .staging': () => {
    write(theirs, 'config', forgedConfig)
    temporaries('.tmp')
    temporaries('.staging')
    mkdirSync(join(theirs, 'keys'))
    write(join(theirs, 'keys'), 'id_ed25519')
    write(join(theirs, 'keys'), '0'.repeat(32))
  },
}

const commands: readonly (readonly string[])[] = [
  ['init'], ['backup', 'SOURCE', '--job', 'j'], ['backup', 'SOURCE', '--job', 'j', '--dry-run'], ['snapshots'], ['ls', 'latest'],
  ['restore', 'latest', '--to', 'OUT'], ['check'], ['check', '--read-data'], ['check', '--repair'], ['forget', '--keep-last', '1'], ['forget', 'j@1'],
  ['prune'], ['prune', '--dry-run'], ['key', 'list'], ['key', 'add'], ['key', 'remove', '0'], ['rebuild'],
]

async function command(args: readonly string[], repository = theirs): ReturnType<typeof runHere> {
  const real = args.map((word) => (word === 'SOURCE' ? join(parent, 'source') : word === 'OUT' ? join(parent, 'out') : word))
  return runHere(real, { HOLDFAST_REPO: repository, HOLDFAST_HOME: join(parent, 'home'), HOLDFAST_PASSWORD: 'p', HOLDFAST_NEW_PASSWORD: 'q' })
}

const common = (repository = theirs): Pick<EngineJob, 'repository' | 'home' | 'concurrency' | 'patienceMs'> => ({ repository, home: join(parent, 'home'), concurrency: 2, patienceMs: 1000 })

/** The code that a job of the engine fails with, or its outcome. */
async function job(type: 'test' | 'backup', repository = theirs): Promise<string> {
  const spec: EngineJob = type === 'test' ? { ...common(repository), type } : {
    ...common(repository), type, name: 'j', sources: [join(parent, 'source')], excludes: { patterns: [], presets: [], oneFileSystem: false },
    dryRun: false, onFailure: 'drain', create: true,
  }
  return runJob(spec, testContext()).then(({ outcome }) => outcome, (error: unknown) => asHoldfastError(error).code)
}

describe.each(Object.keys(folders))('%s, given as a repository', (name) => {
  beforeEach(() => { folders[name]?.() })

  test('stays as it is, and so does what its links lead to, under every command and job', async () => {
    const before = wholeState(join(parent, 'world'))
    for (const args of commands) {
      const { code, last } = await command(args)
      expect(wholeState(join(parent, 'world')), args.join(' ')).toEqual(before)
      expect([exitCodes.error, exitCodes.arguments], `${args.join(' ')}: ${JSON.stringify(last)}`).toContain(code)
      expect(last, args.join(' ')).toMatchObject({ type: 'error', code: expect.stringMatching(/^(not-a-repository|damaged|arguments|password|exists)$/) as string })
    }
    expect(await job('backup')).toMatch(/^(not-a-repository|damaged|arguments|password)$/)
    expect(await job('test')).toMatch(/^(arguments|damaged|password)$/)
    expect(wholeState(join(parent, 'world'))).toEqual(before)
  })
})

test('an empty folder stays empty, to the very time, under every command but init; a folder that is missing is not made', async () => {
  const before = wholeState(join(parent, 'world'))
  for (const repository of [theirs, join(parent, 'world', 'missing')]) {
    for (const args of commands.filter(([word]) => word !== 'init')) {
      const { code, last } = await command([...args, '--patience', '0'], repository)
      expect(wholeState(join(parent, 'world')), args.join(' ')).toEqual(before)
      expect(code, JSON.stringify(last)).toBe(exitCodes.error)
      expect(last['code']).toBe(repository === theirs ? 'not-a-repository' : 'offline')
    }
  }
  expect(await job('test')).toBe('success')
  expect(await job('test', join(parent, 'world', 'missing'))).toBe('offline')
  expect(wholeState(join(parent, 'world'))).toEqual(before)
})

test('a staging folder that became a link is not emptied, and no backup goes through it', async () => {
  const repository = join(parent, 'world', 'ours')
  await initCheaply(repository, 'p')
  expect((await command(['backup', 'SOURCE', '--job', 'j'], repository)).code).toBe(exitCodes.success)
  const staging = join(repository, '.staging')
  const [own = ''] = readdirSync(staging)
  for (const place of [join(staging, own), staging, join(repository, '.tmp'), join(repository, 'packs')]) {
    renameSync(place, join(parent, 'away'))
    symlinkSync(canary, place)
    const before = wholeState(canary)
    write(join(parent, 'source'), `more of ${place.length}`, 'x')
    for (const args of [['backup', 'SOURCE', '--job', 'j'], ['prune'], ['check', '--repair'], ['check'], ['snapshots']]) {
      const { code, last } = await command(args, repository)
      expect(wholeState(canary), `${args.join(' ')} through ${place}`).toEqual(before)
      if (args[0] !== 'backup') continue
      expect(code, place).toBe(exitCodes.error)
      expect(last).toMatchObject({ code: 'damaged', message: expect.stringContaining(`At ${place}, where a folder of the repository belongs, is a symbolic link.`) as string })
    }
    rmSync(place)
    renameSync(join(parent, 'away'), place)
  }
  expect((await command(['backup', 'SOURCE', '--job', 'j'], repository)).code).toBe(exitCodes.success)
  expect((await command(['check', '--read-data'], repository)).code).toBe(exitCodes.success)
})

test('init says what the folder holds and where to put the repository instead; there it works, and in the empty root of a disk', async () => {
  for (const name of ['photo.jpg', '.profile', 'b', 'c', 'd']) write(theirs, name)
  const { code, last } = await command(['init'])
  expect(code).toBe(exitCodes.arguments)
  expect(last['message']).toMatch(/holds other things: "\.profile", "b", "c" and 2 more\..*\/theirs\/holdfast\.$/)
  expect((await command(['init'], `${theirs}/holdfast`)).code).toBe(exitCodes.success)
  for (const name of ['lost+found', '.Trash-1000', 'System Volume Information']) mkdirSync(join(canary, '..', 'disk', name), { recursive: true })
  expect((await command(['init'], join(parent, 'world', 'disk'))).code).toBe(exitCodes.success)
  expect((await command(['init'], join(parent, 'world', 'disk'))).last['code']).toBe('exists')
})

test('init onto a file, below a file, and where no folder can be made, tells so', async () => {
  write(theirs, 'file')
  for (const [path, words] of [['file', 'is not a folder'], ['file/below', 'is a file'], ['file/below/deeper', 'is a file']] as const) {
    const { code, last } = await command(['init'], join(theirs, path))
    expect(last['message'], path).toContain(words)
    expect(code, path).toBe(exitCodes.arguments)
  }
  expect((await command(['init'], '/proc/holdfast/below')).last['code']).toBe('denied')
})
